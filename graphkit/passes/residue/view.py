"""What is known of each node, from what can be relied on alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onnx import GraphProto, ModelProto, NodeProto

from graphkit.facts import NodeFacts, survey
from graphkit.facts.scope import Reader
from graphkit.facts.undeclared import undeclared
from graphkit.model import reads, subgraphs
from graphkit.order import stable_order

Path = tuple[tuple[int, int, int], ...]
"""Where a graph is: for each graph around it the index of the node, of its attribute and of the graph in that."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node of the main graph or of a subgraph.

    Attributes:
        path: Its graph.
        index: Its place there.
        facts: What is known of it.
    """

    path: Path
    index: int
    facts: NodeFacts


def look(model: ModelProto, read: Reader) -> list[Site]:
    """Every node but those of functions, in topological order, with what is known of it. Never fails.

    Args:
        model: The model; not changed.
        read: Gives the values of one of its tensors. Constants of more than a kilobyte are not looked at.
    """
    small = undeclared(model)
    _only_constants(small)
    homes: dict[int, tuple[NodeProto, Path, int]] = {}
    _prepare(small.graph, (), homes)
    found = []
    for facts in survey(small, read):
        home = homes.get(id(facts.proto))
        if home is not None:
            found.append(Site(home[1], home[2], facts))
    return found


def _only_constants(small: ModelProto) -> None:
    """Leave no initializer that a caller may replace, and let those that only look so be plain constants."""
    graph = small.graph
    inputs = {info.name for info in graph.input}
    both = {tensor.name for tensor in graph.initializer if tensor.name in inputs}
    if not both:
        return
    if small.ir_version < 4:  # every initializer had to be an input, and none could be replaced
        keep(graph.input, [info for info in graph.input if info.name not in both])
    else:
        keep(graph.initializer, [tensor for tensor in graph.initializer if tensor.name not in both])


def keep(field: Any, kept: list[Any]) -> None:
    """Let a repeated field hold some of what it held."""
    copies = [type(item)() for item in kept]
    for copy, item in zip(copies, kept, strict=True):
        copy.CopyFrom(item)
    del field[:]
    field.extend(copies)


def _prepare(graph: GraphProto, path: Path, homes: dict[int, tuple[NodeProto, Path, int]]) -> None:
    """Put nodes in order, and note where each stood."""
    order = _in_order(graph)
    for index, node in zip(order, graph.node, strict=True):
        homes[id(node)] = (node, path, index)
        for place, attribute in enumerate(node.attribute):
            for number, inner in enumerate(subgraphs(attribute)):
                _prepare(inner, (*path, (index, place, number)), homes)


def _in_order(graph: GraphProto) -> list[int]:
    """Sort a graph's nodes; returns where each stood. Those on cycles come last."""
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    needs = [{makers[name] for name in reads(node) if name in makers} for node in graph.node]
    if all(source < index for index, sources in enumerate(needs) for source in sources):
        return list(range(len(needs)))
    order = stable_order(needs)
    placed = set(order)
    order += [index for index in range(len(needs)) if index not in placed]
    keep(graph.node, [graph.node[index] for index in order])
    return order
