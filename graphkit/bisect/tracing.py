"""Which tensors come before which, and where a difference begins that goes on to an output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from graphkit.bisect.measuring import Distance
from graphkit.matching import Matching, Node, View

Place = tuple[int, int]
"""A tensor of the left graph and the one in its place in the right."""
_JUMP = 8.0
"""A tensor that is so many times farther off than all that it is computed from is where something went wrong."""
_ROUNDING = 1e-6
"""Differences below it come with every rewriting in float32."""
_HIDDEN = 1e-5
"""What is left of a difference where larger numbers are joined to it: scores beside pixels are some 3e-4 of it."""
_LEAST = 1e-9
"""Tolerances are lowered to here, where nothing differs by more."""


@dataclass(frozen=True, eq=False)
class Between:
    """What lies between a place and the nearest measured places before it.

    Attributes:
        before: Those.
        left: Nodes of the left graph, the one that makes the tensor last.
        right: Of the right graph.
    """

    before: frozenset[Place]
    left: tuple[Node, ...]
    right: tuple[Node, ...]


class Trace:
    """The measured places of two matched graphs, in the left one's topological order."""

    def __init__(self, matching: Matching, measured: Mapping[Place, Distance]) -> None:
        self._matching = matching
        self._equal = {pair.left.index: pair.right.index for pair in matching.pairs if pair.equal}
        self.measured = measured
        self._lefts, self._rights = defaultdict[int, set[Place]](set), defaultdict[int, set[Place]](set)
        for place in measured:
            self._lefts[place[0]].add(place)
            self._rights[place[1]].add(place)
        self.between = {place: self._between(place) for place in measured}
        self._after = defaultdict[Place, list[Place]](list)
        for place, found in self.between.items():
            for earlier in found.before:
                self._after[earlier].append(place)
        self._last = self._ends()

    def find(self, tolerance: float) -> tuple[list[Place], list[Place]]:
        """Where a difference begins.

        Args:
            tolerance: Relative L2 above which a tensor differs; lowered where none does.

        Returns:
            The places from which it goes on to an output, and those from which it does not, in topological order.
        """
        lost: list[Place] = []
        while True:
            births = [place for place in self.measured if self._born(place, tolerance)]
            for goes_on in self._ways(tolerance):
                reaching = [place for place in births if self._reaches(place, goes_on)]
                if reaching:
                    return reaching, [place for place in births if place not in set(reaching)]
            lost = lost or births
            if not tolerance:
                return [], lost
            tolerance = tolerance / 10 if tolerance > _LEAST else 0.0

    def origin(self, place: Place) -> tuple[Place, bool]:
        """From where a difference first is too large, back to where it jumps; False where it never does.

        A jump at nodes that are the same on both sides is none, unless what they read is the same but for rounding.
        """
        start = place
        while True:
            own, earlier = self._at(place), self.earlier(place)
            if earlier is None or (own > _JUMP * self._at(earlier) and self._begins(place, self._at(earlier))):
                return place, True
            if not self.between[earlier].before:
                return start, False
            place = earlier

    def _begins(self, place: Place, before: float) -> bool:
        """Whether a jump is a beginning: nodes that are the same only make more of what they are given."""
        between = self.between[place]
        partners = [self._equal.get(node.index) for node in between.left]
        same = len(partners) == len(between.right) and partners == [node.index for node in between.right]
        return not same or before < _ROUNDING

    def earlier(self, place: Place) -> Place | None:
        """The place right before that is farthest off; None where nothing before was measured."""
        return max(self.between[place].before, key=self._at, default=None)

    def _at(self, place: Place) -> float:
        return self.measured[place].relative_l2

    def _born(self, place: Place, tolerance: float) -> bool:
        return self._at(place) > tolerance and all(self._at(item) <= tolerance for item in self.between[place].before)

    def _ways(self, tolerance: float) -> list[Callable[[Place, Place], bool]]:
        """What counts as going on from one place to another, the strictest first."""
        return [
            lambda _, there: self._at(there) > tolerance,
            lambda birth, there: self._at(there) > _HIDDEN * min(self._at(birth), 1.0),
        ]

    def _reaches(self, place: Place, goes_on: Callable[[Place, Place], bool]) -> bool:
        seen, waiting = {place}, [place]
        while waiting:
            here = waiting.pop()
            if here in self._last:
                return True
            for there in self._after[here]:
                if there not in seen and goes_on(place, there):
                    seen.add(there)
                    waiting.append(there)
        return False

    def _between(self, place: Place) -> Between:
        left, right = self._matching.left, self._matching.right
        ones, nodes = _back(left, place[0], self._lefts)
        others, theirs = _back(right, place[1], self._rights)
        return Between(frozenset(self._pairs(ones, others) - {place}), nodes, theirs)

    def _pairs(self, ones: Iterable[int], others: Iterable[int]) -> set[Place]:
        """The places of tensors on both sides; of one that is in none with the other side, all that it is in."""
        mine, theirs = set(ones), set(others)
        found = set()
        for tensor in mine:
            known = self._lefts[tensor]
            found |= {place for place in known if place[1] in theirs} or known
        for tensor in theirs:
            known = self._rights[tensor]
            if not known & found:
                found |= {place for place in known if place[0] in mine} or known
        return found

    def _ends(self) -> set[Place]:
        """The places behind which an output comes, with nothing measured in between."""
        found = set()
        for view, known in ((self._matching.left, self._lefts), (self._matching.right, self._rights)):
            for output in view.outputs:
                if known.get(output):
                    found |= known[output]
                else:
                    for tensor in _back(view, output, known)[0]:
                        found |= known[tensor]
        return found


def _back(view: View, tensor: int, known: Mapping[int, set[Place]]) -> tuple[list[int], tuple[Node, ...]]:
    """From a tensor back to the nearest measured ones, and the nodes on the way."""
    found: dict[int, None] = {}
    nodes: dict[int, Node] = {}
    waiting = [tensor]
    while waiting:
        made = view.maker[waiting.pop()]
        if made is None or made[0] in nodes:
            continue
        node = view.nodes[made[0]]
        nodes[node.index] = node
        for _, item in view.wires(node):
            if known.get(item):
                found[item] = None
            else:
                waiting.append(item)
    return list(found), tuple(nodes[index] for index in sorted(nodes))
