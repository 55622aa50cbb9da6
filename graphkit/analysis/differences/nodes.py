"""What a matching says of nodes: those of one side, those that differ, and how many of each operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from graphkit.analysis.differences.report import (
    Change,
    Definition,
    NodeChange,
    NodeName,
    OperatorCount,
    Place,
    TensorChange,
    Wire,
)
from graphkit.analysis.differences.tensors import Known, changed_tensors
from graphkit.facts.labels import text
from graphkit.matching import Matching, Node, Pair, Region, View, differences
from graphkit.model import Model, standard_domain


@dataclass
class Collected:
    """What has been found so far in a graph and the subgraphs inside."""

    places: list[Place] = field(default_factory=list)
    nodes: list[NodeChange] = field(default_factory=list)
    tensors: list[TensorChange] = field(default_factory=list)
    removed: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    definitions: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    matched: int = 0
    same: int = 0

    def add(
        self, found: Matching, models: tuple[Model, Model], known: tuple[Known | None, Known | None], within: str
    ) -> None:
        """Add what differs in one graph, and in its subgraphs.

        Args:
            found: The graph of both models.
            models: The two.
            known: Types of its tensors; None where nothing is known.
            within: Where the graph is, "" for the main one.
        """
        twins = _twins(found) if found.regions else ({}, {})
        self.places += [_place(found, region, twins, within) for region in found.regions]
        for region in found.regions:
            self.removed += _counted(region.left)
            self.added += _counted(region.right)
        followed: dict[int, set[str]] = {}
        for item in found.inner:
            followed.setdefault(item.pair.left.index, set()).add(item.attribute)
        for pair in found.pairs:
            self._pair(found, pair, followed.get(pair.left.index, set()), models, within)
        if known[0] is not None and known[1] is not None:
            self.tensors += changed_tensors(found, known[0], known[1], within)
        for item in found.inner:
            where = f"{item.attribute} of {item.pair.left.label}"
            nodes = (item.pair.left, item.pair.right)
            inner = [one and one.inner(node, item.attribute) for one, node in zip(known, nodes, strict=True)]
            self.add(item.matching, models, (inner[0], inner[1]), f"{where}, {within}" if within else where)

    def _pair(self, found: Matching, pair: Pair, followed: set[str], models: tuple[Model, Model], within: str) -> None:
        left, right = pair.left, pair.right
        untouched = [body for name, body in left.bodies.items() if name in right.bodies and name not in followed]
        inside = sum(_counted(node for body in untouched for node in body.nodes).values())
        self.matched += 1 + inside
        self.same += inside
        if left.op != right.op:
            self.removed[operator(left)] += 1
            self.added[operator(right)] += 1
        elif left.since != right.since:
            self.definitions[operator(left), left.since, right.since] += 1
        for ones, other, counts in ((left, right, self.removed), (right, left, self.added)):
            counts += _counted(n for name, body in ones.bodies.items() if name not in other.bodies for n in body.nodes)
        changes = () if pair.equal else tuple(_changes(found, pair, models))
        if changes:
            self.nodes.append(NodeChange(_name(left), _name(right), within, changes))
        else:
            self.same += 1

    def counts(self, views: tuple[View, View]) -> tuple[OperatorCount, ...]:
        """The operators of which nodes were removed or added, in the two main graphs and their subgraphs."""
        totals = [_counted(view.nodes) for view in views]
        names = sorted(self.removed | self.added, key=lambda op: (-self.removed[op] - self.added[op], op))
        return tuple(OperatorCount(op, totals[0][op], totals[1][op], self.removed[op], self.added[op]) for op in names)

    def defined(self) -> tuple[Definition, ...]:
        """Operators that are read by another definition."""
        return tuple(Definition(*key, count) for key, count in sorted(self.definitions.items()))


def operator(node: Node) -> str:
    """A node's operator as reports name it: "domain::operator" for those that are not ONNX's own."""
    op, domain = text(node.proto.op_type), text(node.proto.domain)
    return op if standard_domain(domain) else f"{domain}::{op}"


def _name(node: Node) -> NodeName:
    return NodeName(node.label, operator(node))


def _counted(nodes: Iterable[Node]) -> Counter[str]:
    """Operators of nodes and of all that is in their subgraphs."""
    found: Counter[str] = Counter()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        found[operator(node)] += 1
        waiting += [inner for body in node.bodies.values() for inner in body.nodes]
    return found


def _twins(found: Matching) -> tuple[dict[int, int], dict[int, int]]:
    """What partners make, or what is given as the same input: for tensors of A those of B, and the other way round."""
    marked = {mark: tensor for tensor, mark in found.ends.inputs[1].items()}
    there = {tensor: marked[mark] for tensor, mark in found.ends.inputs[0].items() if mark in marked}
    for pair in found.pairs:
        there |= zip(pair.left.outputs, pair.right.outputs, strict=False)
    return there, {other: one for one, other in there.items()}


def _place(found: Matching, region: Region, twins: tuple[dict[int, int], dict[int, int]], within: str) -> Place:
    def wire(one: int, other: int) -> Wire:
        # What only one side reads there may all the same be in both.
        one, other = (one if one >= 0 else twins[1].get(other, -1)), (other if other >= 0 else twins[0].get(one, -1))
        names = (text(view.names[t]) if t >= 0 else "" for view, t in ((found.left, one), (found.right, other)))
        return Wire(*names)

    return Place(
        within,
        tuple(map(_name, region.left)),
        tuple(map(_name, region.right)),
        tuple(wire(*ends) for ends in region.reads),
        tuple(wire(*ends) for ends in region.gives),
    )


def _changes(found: Matching, pair: Pair, models: tuple[Model, Model]) -> Iterator[Change]:
    left, right = pair.left, pair.right
    for item in differences(found, pair, (models[0].stream, models[1].stream)):
        bodies = left.bodies.get(item.name), right.bodies.get(item.name)
        if item.kind == "attribute" and (bodies[0] is not None or bodies[1] is not None):
            yield Change("subgraph", item.name, _size(bodies[0]), _size(bodies[1]))
        elif item.kind != "definition":
            yield Change(**asdict(item))


def _size(body: View | None) -> str:
    if body is None:
        return ""
    count = len(body.nodes)
    return f"{count} node{'' if count == 1 else 's'}"
