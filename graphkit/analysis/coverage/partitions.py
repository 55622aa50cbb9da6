"""Into how many parts a runtime would cut a graph that it takes only some nodes of."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from onnx import AttributeProto

from graphkit.facts.node import NodeFacts
from graphkit.model import reads

_GRAPHS = (AttributeProto.GRAPH, AttributeProto.GRAPHS)


def partitions(nodes: Sequence[NodeFacts], taken: Sequence[bool]) -> int:
    """How many parts the runtime gets.

    Nodes are visited in topological order, those of the part at hand first, and the part ends when none of them is
    left that waits for nothing outside: as onnxruntime groups the nodes of an execution provider
    (onnxruntime/core/providers/partitioning_utils.cc).

    Args:
        nodes: Of one graph.
        taken: Whether the runtime takes each.
    """
    makers = {item.name: index for index, node in enumerate(nodes) for item in node.outputs if item is not None}
    readers: list[list[int]] = [[] for _ in nodes]
    waiting = [0] * len(nodes)
    for index, node in enumerate(nodes):
        sources = {makers[name] for name in _read(node) if name in makers}
        for source in sources - {index}:
            readers[source].append(index)
            waiting[index] += 1
    ready: dict[bool, deque[int]] = {True: deque(), False: deque()}
    for index, count in enumerate(waiting):
        if not count:
            ready[taken[index]].append(index)
    count, current = 0, False
    while ready[True] or ready[False]:
        if not ready[current]:
            current = not current
            continue
        if current:
            count += 1
        while ready[current]:
            for reader in readers[ready[current].popleft()]:
                waiting[reader] -= 1
                if not waiting[reader]:
                    ready[taken[reader]].append(reader)
    return count


def _read(node: NodeFacts) -> set[str]:
    """The tensors that a node reads, with those that its subgraphs read from outside."""
    if any(item.type in _GRAPHS for item in node.proto.attribute):
        return reads(node.proto)
    return {item.name for item in node.inputs if item is not None}
