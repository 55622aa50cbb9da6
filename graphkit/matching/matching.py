"""Two graphs, matched: pairs of nodes, what is left over as regions, and the same of their subgraphs."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphkit.matching.building import view_of
from graphkit.matching.digests import unlike_attributes
from graphkit.matching.ends import Ends, body_ends, main_ends
from graphkit.matching.pairing import FREE, Pairing
from graphkit.matching.regions import Region, find_regions
from graphkit.matching.view import Node, View
from graphkit.model import Model


@dataclass(frozen=True, eq=False)
class Pair:
    """A node of the left graph and the one of the right that it is.

    Attributes:
        left: The one.
        right: The other.
        same: Whether operator, attributes and constants are the same.
        rewired: Slots at which the two read tensors that belong to other nodes; what a region lies in between of is
            none of these.
    """

    left: Node
    right: Node
    same: bool
    rewired: tuple[int, ...]

    @property
    def equal(self) -> bool:
        """Whether nothing at all differs."""
        return self.same and not self.rewired


@dataclass(frozen=True, eq=False)
class Inner:
    """The subgraphs of a pair, where they differ.

    Attributes:
        pair: The nodes that have them.
        attribute: Which subgraph: "then_branch".
        matching: What came of matching them.
    """

    pair: Pair
    attribute: str
    matching: Matching


@dataclass(frozen=True, eq=False)
class Matching:
    """What of one graph is what of the other.

    Attributes:
        left: The one graph.
        right: The other.
        ends: Which inputs and outputs are the same.
        pairs: In the left graph's topological order.
        regions: Nodes without a partner, those of both sides together that lie in the same place.
        inner: Of pairs whose subgraphs differ.
    """

    left: View
    right: View
    ends: Ends
    pairs: tuple[Pair, ...]
    regions: tuple[Region, ...]
    inner: tuple[Inner, ...]
    _pairing: Pairing = field(repr=False)

    @property
    def equal(self) -> bool:
        """Whether the two differ in names, order and the places of constants only."""
        if self.regions or not all(pair.equal for pair in self.pairs):
            return False
        sides = (self.left, self.right)
        counts = [(len(view.inputs), len(view.outputs)) for view in sides]
        ends = len(self.ends.returned) == len(self.left.outputs) and counts[0] == counts[1]
        return ends and all(self.same_tensor(one, other) for one, other in self.ends.returned)

    def partner(self, node: Node) -> Node | None:
        """The right graph's node that a node of the left one is; None where there is none."""
        found = self._pairing.right_of[node.index]
        return None if found == FREE else self.right.nodes[found]

    def same_tensor(self, left: int, right: int) -> bool:
        """Whether two tensors are made by partners, given as the same input, or computed alike."""
        return self._pairing.tensors_match(left, right)

    def counterparts(self) -> list[tuple[int, int]]:
        """Tensors that ought to hold the same: made by partners, read by them in the same place, or returned so.

        In the left graph's topological order; a tensor that lies beside a region occurs more than once. Where a pair
        is wired otherwise, what it reads is not the same.
        """
        found: dict[tuple[int, int], None] = {}
        for pair in self.pairs:
            read = zip(pair.left.inputs, pair.right.inputs, strict=False)
            kept = [places for slot, places in enumerate(read) if slot not in pair.rewired]
            for a, b in (*kept, *zip(pair.left.outputs, pair.right.outputs, strict=False)):
                if a >= 0 and b >= 0 and a not in self.left.constants and b not in self.right.constants:
                    found[(a, b)] = None
        found |= dict.fromkeys(self.ends.returned)
        return list(found)


def match(left: Model, right: Model) -> Matching:
    """Match the main graphs of two models, and the subgraphs inside.

    Names count where a graph takes or returns several things, and nowhere else. Nearly linear in the nodes.

    Raises:
        ModelError: A graph is cyclic, or a constant cannot be read.
    """
    one, other = view_of(left), view_of(right)
    return match_views(one, other, main_ends(one, other))


def match_views(left: View, right: View, ends: Ends) -> Matching:
    """Match two graphs of which it is known what they take and return."""
    pairing = Pairing(left, right, ends)
    pairing.run()
    pairs = tuple(
        _pair(pairing, node, right.nodes[partner])
        for node, partner in zip(left.nodes, pairing.right_of, strict=True)
        if partner != FREE
    )
    regions = find_regions(left, right, pairing.right_of, pairing.left_of, ends.returned)
    inner = tuple(item for pair in pairs for item in _inner(pairing, pair))
    return Matching(left, right, ends, pairs, regions, inner, pairing)


def _pair(pairing: Pairing, left: Node, right: Node) -> Pair:
    rewired = [
        slot
        for slot in range(max(len(left.inputs), len(right.inputs)))
        if _rewired(pairing, _at(left.inputs, slot), _at(right.inputs, slot))
    ]
    return Pair(left, right, _same(pairing, left, right), tuple(rewired))


def _same(pairing: Pairing, left: Node, right: Node) -> bool:
    own = pairing.own["exact"]
    if own[0][left.index] == own[1][right.index]:
        return True
    if left.op != right.op or unlike_attributes(left, right):
        return False
    return all(
        _digest(pairing.left, left.inputs, slot) == _digest(pairing.right, right.inputs, slot)
        for slot in range(max(len(left.inputs), len(right.inputs)))
    )


def _digest(view: View, inputs: tuple[int, ...], slot: int) -> bytes | None:
    constant = view.constants.get(_at(inputs, slot))
    return None if constant is None else constant.digest


def _at(items: tuple[int, ...], slot: int) -> int:
    return items[slot] if slot < len(items) else -1


def _rewired(pairing: Pairing, one: int, other: int) -> bool:
    left, right = pairing.left, pairing.right
    if one in left.constants and other in right.constants:
        return False  # what differs there are contents
    if pairing.tensors_match(one, other):
        return False
    made = left.maker[one] if one >= 0 else None
    theirs = right.maker[other] if other >= 0 else None
    lone = (made is not None and pairing.right_of[made[0]] == FREE) or (
        theirs is not None and pairing.left_of[theirs[0]] == FREE
    )
    return not lone


def _inner(pairing: Pairing, pair: Pair) -> list[Inner]:
    found = []
    for name, body in pair.left.bodies.items():
        other = pair.right.bodies.get(name)
        if other is None or pair.left.attributes[name] == pair.right.attributes[name]:
            continue
        captured = _captured(pairing, pair, name)
        found.append(Inner(pair, name, match_views(body, other, body_ends(body, other, captured))))
    return found


def _captured(pairing: Pairing, pair: Pair, name: str) -> list[tuple[int, int]]:
    """Places of what both subgraphs read from outside, where that is the same."""
    ones, others = _outside(pair.left, name), _outside(pair.right, name)
    free = dict(enumerate(others))
    found = []
    for place, tensor in enumerate(ones):
        same = next((item for item, there in free.items() if pairing.tensors_match(tensor, there)), None)
        if same is not None:
            del free[same]
            found.append((place, same))
    return found


def _outside(node: Node, name: str) -> tuple[int, ...]:
    """The tensors that a subgraph reads from outside; they stand behind the node's own inputs."""
    start = len(node.proto.input)
    for key, body in node.bodies.items():
        if key == name:
            return node.inputs[start : start + len(body.captured)]
        start += len(body.captured)
    return ()
