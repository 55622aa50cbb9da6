"""How much memory activations take at once, and how deep each node is."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from graphkit.analysis.statistics.report import Peak
from graphkit.facts import NodeFacts, TensorFacts
from graphkit.model import reads
from graphkit.model.external import bits_of
from graphkit.order import stable_order


def tensor_bytes(item: TensorFacts) -> int | None:
    """Bytes of a dense tensor; None where its type or a size is not known."""
    bits = bits_of(item.kind.tensor_type.elem_type) if item.kind.HasField("tensor_type") else None
    if item.shape is None or bits is None:
        return None
    sizes = [size for size in item.shape if isinstance(size, int) and size >= 0]
    return -(-math.prod(sizes) * bits // 8) if len(sizes) == len(item.shape) else None


def in_order(nodes: Sequence[NodeFacts]) -> tuple[list[NodeFacts], list[set[str]]]:
    """The nodes of a graph behind what they read, and what each one reads, from inside its subgraphs too.

    Nodes on a cycle, which no runtime takes, are left out.
    """
    needs = [reads(node.proto) for node in nodes]
    maker = {name: index for index, node in enumerate(nodes) for name in node.proto.output if name}
    waits = [{maker[name] for name in names if name in maker} for names in needs]
    order = stable_order(waits)
    return [nodes[index] for index in order], [needs[index] for index in order]


def depths(nodes: Sequence[NodeFacts], needs: Sequence[set[str]]) -> list[int]:
    """How many nodes are on the longest way to each one, itself among them; what is constant is no part of a way."""
    deep: dict[str, int] = {}
    found = []
    for node, names in zip(nodes, needs, strict=True):
        fixed = bool(node.outputs) and all(item is None or item.folded for item in node.outputs)
        depth = max((deep.get(name, 0) for name in names), default=0) + (not fixed)
        deep.update(dict.fromkeys(node.proto.output, depth))
        found.append(max(depth, 1))
    return found


def peak(
    nodes: Sequence[NodeFacts],
    needs: Sequence[set[str]],
    inputs: Mapping[str, int | None],
    outputs: Collection[str],
) -> Peak | None:
    """Where most memory is taken when the nodes run in this order.

    Each tensor has memory of its own from the node that computes it, an input from the start, to the node that reads
    it last, an output to the end. Constants are no activations; what subgraphs compute inside is not counted.

    Args:
        nodes: The nodes of the graph, each behind what it reads.
        needs: What each of them reads.
        inputs: The inputs of the graph, with their bytes.
        outputs: The names of its outputs.
    """
    last = {name: index for index, names in enumerate(needs) for name in names}
    last |= dict.fromkeys(outputs, len(nodes))
    dying: dict[int, list[str]] = {}
    for name, index in last.items():
        dying.setdefault(index, []).append(name)
    held = {name: size for name, size in inputs.items() if size is not None}
    unknown = len(inputs) - len(held)
    current = sum(held.values())
    best: Peak | None = None
    for index, node in enumerate(nodes):
        for item, name in zip(node.outputs, node.proto.output, strict=True):
            size = None if item is None or item.folded else tensor_bytes(item)
            if size is not None and name not in held:
                held[name] = size
                current += size
            elif item is not None and not item.folded and size is None:
                unknown += 1
        if best is None or current > best.bytes:
            best = Peak(current, node.label, len(held), 0)
        unread = [name for name in node.proto.output if name not in last]
        for name in (*dying.get(index, ()), *unread):
            current -= held.pop(name, 0)
    return best and Peak(best.bytes, best.node, best.tensors, unknown)
