"""Which nodes of a model are in a node of the graph that onnxruntime makes of it.

onnxruntime fuses nodes, folds constants and moves tensors into other layouts. What it makes of a node carries the
node's name, or makes one of its tensors, or is named after one (a convolution in blocked layout is "TENSOR_nchwc"). So
the nodes get names here that occur nowhere else, and what is left without a trace follows from who reads it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import onnx

from graphkit.facts.labels import text
from graphkit.model import reads
from graphkit.order import stable_order

_BLOCKED = "_nchwc"
_MOVES = frozenset(("Cast", "ReorderOutput", "Reshape", "Squeeze", "Transpose", "Unsqueeze"))
"""What onnxruntime puts behind a node that it runs in another shape, layout or type."""


@dataclass(frozen=True)
class Group:
    """Nodes of a model, and what onnxruntime runs for them.

    Attributes:
        nodes: Places in the model's main graph, sorted.
        names: Of the nodes in the graph that is run, in its order.
    """

    nodes: tuple[int, ...]
    names: tuple[str, ...]


def tagged(proto: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    """A copy whose nodes are named by their places, "TAG12."; and the tag, which no name in the model holds."""
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    tag = "gk"
    held = "\n".join(text(name) for node in proto.graph.node for name in (node.name, *node.output))
    while tag in held:
        tag += "k"
    for place, node in enumerate(made.graph.node):
        node.name = f"{tag}{place}."
    return made, tag


def trace(before: onnx.GraphProto, after: onnx.GraphProto, tag: str, constant: Set[str]) -> list[Group]:
    """Find what is run for which nodes.

    Args:
        before: The tagged graph.
        after: What onnxruntime made of it.
        tag: As `tagged` gave it.
        constant: The tensors of the model that are the same in every run.

    Returns:
        Groups that share no node on either side. Nodes that were folded into constants or taken out are in none, and so
        are those that onnxruntime added and that make no tensor of the model.
    """
    makers = {text(name): place for place, node in enumerate(before.node) for name in node.output if name}
    anchors = [_anchors(node, makers, tag) for node in after.node]
    sets = _Sets(len(before.node) + len(after.node))
    for number, places in enumerate(anchors):
        for place in places:
            sets.join(place, len(before.node) + number)
    for place, number in _moved(before, after, anchors):
        sets.join(place, number + len(before.node))
    claims = {place: sets.top(place) for places in anchors for place in places}
    reach: defaultdict[int, set[int]] = defaultdict(set)
    for number, places in enumerate(_reach(after, anchors)):
        reach[sets.top(len(before.node) + number)] |= places
    gone = constant | {text(item.name) for item in after.initializer}
    for place, top in _fused(before, makers, claims, reach, gone).items():
        sets.join(place, top)
    found = []
    for members in sets.all():
        nodes = tuple(item for item in members if item < len(before.node))
        run = tuple(text(after.node[item - len(before.node)].name) for item in members if item >= len(before.node))
        if nodes and run:
            found.append(Group(nodes, run))
    return found


def _anchors(node: onnx.NodeProto, makers: dict[str, int], tag: str) -> set[int]:
    """The nodes that one which is run tells of by itself."""
    name = text(node.name)
    found = {int(place) for place in re.findall(rf"{tag}(\d+)\.", name)}
    found |= {makers[text(output)] for output in node.output if text(output) in makers}
    blocked = name.rpartition(_BLOCKED)[0]
    return found | ({makers[blocked]} if blocked in makers else set())


def _moved(before: onnx.GraphProto, after: onnx.GraphProto, anchors: Sequence[set[int]]) -> Iterable[tuple[int, int]]:
    """Nodes whose results are only brought into another shape or layout under their names, and what computes them."""
    makers = {text(name): number for number, node in enumerate(after.node) for name in node.output if name}
    for node, places in zip(after.node, anchors, strict=True):
        source = text(node.input[0]) if node.input else ""
        if node.op_type in _MOVES and source in makers:
            yield from ((place, makers[source]) for place in places if before.node[place].op_type != node.op_type)


def _reach(after: onnx.GraphProto, anchors: Sequence[set[int]]) -> list[set[int]]:
    """For every node that is run the nodes whose results it reads, through what onnxruntime put in between."""
    makers = {text(name): number for number, node in enumerate(after.node) for name in node.output if name}
    sources = [{makers[text(name)] for name in reads(node) if text(name) in makers} for node in after.node]
    found: list[set[int]] = [set() for _ in sources]
    for number in stable_order(sources):
        for source in sources[number]:
            found[number] |= anchors[source] or found[source]
    return found


def _fused(
    before: onnx.GraphProto,
    makers: dict[str, int],
    claims: Mapping[int, int],
    reach: Mapping[int, set[int]],
    gone: Set[str],
) -> dict[int, int]:
    """The nodes without a trace that are fused into what is run for others, `claims`; `reach` is what that reads.

    It is the only one to need them, and reads what they read. One that only needs them has what they compute from
    elsewhere: from a node that computed the same and took their place.
    """
    sources = [{makers[text(name)] for name in reads(node) if text(name) in makers} for node in before.node]
    readers: defaultdict[int, set[int]] = defaultdict(set)
    for place, own in enumerate(sources):
        for source in own:
            readers[source].add(place)
    order = stable_order(sources)
    given = {text(item.name) for item in before.input} - {text(item.name) for item in before.initializer}
    varying: set[int] = set()
    for place in order:
        if sources[place] & varying or given.intersection(map(text, reads(before.node[place]))):
            varying.add(place)
    fixed = {makers[name] for name in gone & makers.keys()} | (set(order) - varying)
    needed: dict[int, int] = {}
    for place in reversed(order):
        by = {claims.get(reader, needed.get(reader)) for reader in readers[place]} - {None}
        if place not in claims and place not in fixed and len(by) == 1:
            needed[place] = next(number for number in by if number is not None)
    found: dict[int, int] = {}
    for place in order:
        if place in needed:
            number = needed[place]
            if all(source in reach[number] or found.get(source) == number for source in sources[place] - fixed):
                found[place] = number
    return found


class _Sets:
    """Numbers that belong together."""

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def top(self, item: int) -> int:
        """The smallest number that it belongs with."""
        while self._above[item] != item:
            self._above[item] = self._above[self._above[item]]
            item = self._above[item]
        return item

    def join(self, one: int, other: int) -> None:
        """Let two and all that belongs with them belong together."""
        top, under = sorted((self.top(one), self.top(other)))
        self._above[under] = top

    def all(self) -> Iterable[Sequence[int]]:
        """Each set, sorted."""
        found: defaultdict[int, list[int]] = defaultdict(list)
        for item in range(len(self._above)):
            found[self.top(item)].append(item)
        return found.values()
