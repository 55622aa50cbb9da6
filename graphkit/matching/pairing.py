"""Which node of one graph is which of the other.

Hashes from both ends pair what is the same up to its inputs or down to the outputs; unique contents pair what lies
between changes; from there pairs spread to their neighbours, first to what is the same, then to what looks alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from graphkit.matching.digests import mix
from graphkit.matching.ends import Ends
from graphkit.matching.hashing import LEVELS, Level, above, ahead, below, local
from graphkit.matching.regions import find_regions
from graphkit.matching.view import Node, View
from graphkit.matching.within import alike

_ANCHOR = 16
"""A constant of so many elements says which node it is; axes, sizes and factors occur by chance."""
_CROWD = 256
"""Readers of one tensor that are compared again and again, as pairs among them are found."""
FREE = -1


class Pairing:
    """Pairs of nodes found so far.

    Attributes:
        right_of: For each node of the left graph its partner's index, or FREE.
        left_of: The other way round.
    """

    def __init__(self, left: View, right: View, ends: Ends) -> None:
        self.left, self.right, self.ends = left, right, ends
        self.right_of = [FREE] * len(left.nodes)
        self.left_of = [FREE] * len(right.nodes)
        self.own: dict[Level, tuple[list[bytes], list[bytes]]] = {}
        self.above: tuple[list[bytes], list[bytes]] = ([], [])
        self._new: list[int] = []

    def run(self) -> None:
        """Find all pairs."""
        for place, level in enumerate(LEVELS):
            if self._done() and level != "exact":
                return
            self.own[level] = self._own(level)
            tops, ahead, bottoms = self._hashes(level)
            both = [[mix(a, b) for a, b in zip(ahead[side], bottoms[side], strict=True)] for side in (0, 1)]
            if level == "exact":
                self.above = (tops[0], tops[1])
                equal = ahead
            self._buckets(both, level, in_order=True)
            self._buckets(ahead, level)
            self._buckets(bottoms, level)
            if level == "exact":
                self._anchors()
            for weaker in LEVELS[: place + 1]:
                self._spread(weaker)
        self._in_order()
        self._buckets(equal, "exact", in_order=True)
        for level in LEVELS:
            self._spread(level)
        self._replaced()
        self._inside_regions()

    def _inside_regions(self) -> None:
        """Pair what looks alike between the same neighbours, and go on from there."""
        for level in LEVELS:
            regions = find_regions(self.left, self.right, self.right_of, self.left_of, self.ends.returned)
            for region in regions:
                for one, other in alike(region, *self.own[level]):
                    self._try(one, other, level)
            for weaker in LEVELS:
                self._spread(weaker)
        self._replaced()

    def _own(self, level: Level) -> tuple[list[bytes], list[bytes]]:
        left, right = ([local(view, node, level) for node in view.nodes] for view in (self.left, self.right))
        return left, right

    def _hashes(self, level: Level) -> tuple[list[list[bytes]], list[list[bytes]], list[list[bytes]]]:
        """Of both sides: what is above each tensor, above each node, and below each node."""
        views, own = (self.left, self.right), self.own[level]
        tops = [above(view, level, own[side], self.ends.inputs[side]) for side, view in enumerate(views)]
        heads = [ahead(view, own[side], tops[side]) for side, view in enumerate(views)]
        bottoms = [below(view, level, own[side], self.ends.outputs[side]) for side, view in enumerate(views)]
        return tops, heads, bottoms

    def tensors_match(self, one: int, other: int) -> bool:
        """Whether two tensors are the same: made by partners, given as the same input, or computed alike."""
        if one < 0 or other < 0:
            return one == other
        if one in self.left.constants or other in self.right.constants:
            a, b = self.left.constants.get(one), self.right.constants.get(other)
            return a is not None and b is not None and a.digest == b.digest
        if self.above[0][one] and self.above[0][one] == self.above[1][other]:
            return True
        made, theirs = self.left.maker[one], self.right.maker[other]
        return made is not None and theirs is not None and self.right_of[made[0]] == theirs[0] and made[1] == theirs[1]

    def _match(self, one: int, other: int) -> None:
        self.right_of[one], self.left_of[other] = other, one
        self._new.append(one)

    def _buckets(self, keys: Sequence[Sequence[bytes]], level: Level, *, in_order: bool = False) -> None:
        """Pair the free nodes whose key only one of each side has; with `in_order` also several, as they stand.

        Where everything counts, several need not be as many on each side: what is computed twice may be once only.
        """
        rights = _grouped(self._free(1), lambda index: keys[1][index])
        for key, ones in _grouped(self._free(0), lambda index: keys[0][index]).items():
            others = rights.get(key, [])
            if len(ones) == len(others) == 1 or (in_order and (level == "exact" or len(ones) == len(others))):
                for one, other in zip(ones, others, strict=False):
                    # Where contents count, neighbours that say otherwise are wires that were changed.
                    if level == "exact" or not self._contradicted(one, other):
                        self._match(one, other)

    def _anchors(self) -> None:
        """Pair by contents that only one node of each side has: all of them, else the largest."""
        for key in (self._whole, self._largest):
            rights = _grouped(self._with_contents(1), partial(key, 1))
            for digest, ones in _grouped(self._with_contents(0), partial(key, 0)).items():
                others = rights.get(digest, [])
                if len(ones) == len(others) == 1 and self.right_of[ones[0]] == FREE == self.left_of[others[0]]:
                    self._match(ones[0], others[0])

    def _whole(self, side: int, index: int) -> bytes:
        return self.own["exact"][side][index]

    def _largest(self, side: int, index: int) -> bytes:
        view = (self.left, self.right)[side]
        node = view.nodes[index]
        largest = max((view.constants[item] for item in node.inputs if item in view.constants), key=lambda c: c.size)
        return mix(node.op.encode(), largest.digest)

    def _with_contents(self, side: int) -> Iterable[int]:
        view = (self.left, self.right)[side]
        for node in view.nodes:
            if any(view.constants[item].size >= _ANCHOR for item in node.inputs if item in view.constants):
                yield node.index

    def _free(self, side: int) -> list[int]:
        partners = (self.right_of, self.left_of)[side]
        return [index for index, partner in enumerate(partners) if partner == FREE]

    def _spread(self, level: Level) -> None:
        """Pair neighbours of pairs, and theirs, as long as there are any that are the same at this level."""
        if self._done():
            return
        waiting = self._border()
        for one, other in zip(self.left.inputs, self.right.inputs, strict=False):
            if self.tensors_match(one, other):
                self._spread_down(one, other, level)
        for one, other in self.ends.returned:
            self._spread_up(one, other, level)
        self._new = []
        while waiting:
            one = waiting.pop()
            left, right = self.left.nodes[one], self.right.nodes[self.right_of[one]]
            for a, b in zip(left.inputs, right.inputs, strict=False):
                if a >= 0 and b >= 0:
                    self._spread_up(a, b, level)
            for a, b in zip(left.outputs, right.outputs, strict=False):
                if a >= 0 and b >= 0:
                    self._spread_down(a, b, level)
            for fresh in self._new:  # what else reads what a new pair reads may be the only one now
                for a, b in self._inputs(fresh):
                    if len(self.left.readers[a]) <= _CROWD:
                        self._spread_down(a, b, level)
                waiting.append(fresh)
            self._new = []

    def _border(self) -> list[int]:
        """The paired nodes beside free ones."""
        found: dict[int, None] = {}
        for index in self._free(0):
            node = self.left.nodes[index]
            makers = [self.left.maker[tensor] for tensor in node.inputs if tensor >= 0]
            beside = [made[0] for made in makers if made is not None]
            beside += [reader for tensor in node.outputs if tensor >= 0 for reader, _ in self.left.readers[tensor]]
            found |= dict.fromkeys(item for item in beside if self.right_of[item] != FREE)
        return sorted(found)

    def _done(self) -> bool:
        """Whether one of the two has no free node left."""
        return FREE not in self.right_of or FREE not in self.left_of

    def _inputs(self, one: int) -> list[tuple[int, int]]:
        left, right = self.left.nodes[one], self.right.nodes[self.right_of[one]]
        pairs = zip(left.inputs, right.inputs, strict=False)
        return [(a, b) for a, b in pairs if a >= 0 and b >= 0 and self.tensors_match(a, b)]

    def _spread_up(self, one: int, other: int, level: Level) -> None:
        """To the nodes that make two tensors that stand in the same place."""
        made, theirs = self.left.maker[one], self.right.maker[other]
        if made is None or theirs is None:
            return
        if level != "exact" and self.left.nodes[made[0]].op != self.right.nodes[theirs[0]].op:
            made, theirs = self._behind(0, made), self._behind(1, theirs)
        if made[1] == theirs[1]:
            self._try(made[0], theirs[0], level)

    def _behind(self, side: int, made: tuple[int, int]) -> tuple[int, int]:
        """Through Cast and Identity that have no partner."""
        view, partners = ((self.left, self.right_of), (self.right, self.left_of))[side]
        while view.nodes[made[0]].transparent and partners[made[0]] == FREE:
            before = view.maker[view.nodes[made[0]].inputs[0]]
            if before is None:
                break
            made = before
        return made

    def _spread_down(self, one: int, other: int, level: Level) -> None:
        """To the nodes that read the same tensor, where only one of each side looks so."""
        sides = [self._readers(side, tensor, level) for side, tensor in enumerate((one, other))]
        for key, ones in sides[0].items():
            others = sides[1].get(key, [])
            if len(ones) == len(others) == 1:
                self._try(ones[0], others[0], level)

    def _readers(self, side: int, tensor: int, level: Level) -> dict[bytes, list[int]]:
        view, partners = ((self.left, self.right_of), (self.right, self.left_of))[side]
        found: dict[bytes, list[int]] = defaultdict(list)
        waiting = [tensor]
        while waiting:
            for reader, slot in view.readers[waiting.pop()]:
                if partners[reader] != FREE:
                    continue
                if level != "exact" and view.nodes[reader].transparent:
                    waiting.append(view.nodes[reader].outputs[0])
                found[self.own[level][side][reader] + str(slot).encode()].append(reader)
        return found

    def _try(self, one: int, other: int, level: Level) -> None:
        if self.right_of[one] != FREE or self.left_of[other] != FREE:
            return
        same = self.own[level][0][one] == self.own[level][1][other]
        if same and not self._contradicted(one, other):
            self._match(one, other)

    def _contradicted(self, one: int, other: int) -> bool:
        """Whether every neighbour that has a partner speaks against it."""
        left, right = self.left.nodes[one], self.right.nodes[other]
        against = False
        for a, b in zip(left.inputs, right.inputs, strict=False):
            made = self.left.maker[a] if a >= 0 else None
            theirs = self.right.maker[b] if b >= 0 else None
            if made is None or theirs is None:
                continue
            if self.right_of[made[0]] == theirs[0]:
                return False
            against |= self.right_of[made[0]] != FREE and self.left_of[theirs[0]] != FREE
        for a, b in zip(left.outputs, right.outputs, strict=False):
            if a < 0 or b < 0 or len(self.left.readers[a]) > _CROWD:
                continue
            readers = {reader for reader, _ in self.right.readers[b]}
            partners = [self.right_of[reader] for reader, _ in self.left.readers[a]]
            if any(partner in readers for partner in partners):
                return False
            taken = all(self.left_of[reader] != FREE for reader in readers)
            against |= bool(partners) and FREE not in partners and bool(readers) and taken
        return against

    def _in_order(self) -> None:
        """Pair what reads the same tensor and looks the same, as it stands, where there are as many on each side."""
        for one, other in list(enumerate(self.right_of)):
            if other == FREE:
                continue
            for a, b in zip(self.left.nodes[one].outputs, self.right.nodes[other].outputs, strict=False):
                if a < 0 or b < 0:
                    continue
                rights = self._readers(1, b, "exact")
                for key, ones in self._readers(0, a, "exact").items():
                    others = rights.get(key, [])
                    if len(ones) == len(others):
                        for x, y in zip(ones, others, strict=True):
                            self._try(x, y, "exact")

    def _replaced(self) -> None:
        """Pair nodes of two operators that read the same and whose results the same nodes read."""
        for one in self._free(0):
            left = self.left.nodes[one]
            for tensor in left.outputs:
                for reader, slot in self.left.readers[tensor] if tensor >= 0 else ():
                    if self.right_of[one] == FREE and self.right_of[reader] != FREE:
                        self._replace(left, self.right.nodes[self.right_of[reader]], slot)
        for a, b in self.ends.returned:
            made, theirs = self.left.maker[a], self.right.maker[b]
            if made is not None and theirs is not None and made[1] == theirs[1]:
                self._replace_with(self.left.nodes[made[0]], self.right.nodes[theirs[0]])

    def _replace(self, left: Node, reader: Node, slot: int) -> None:
        made = self.right.maker[reader.inputs[slot]] if slot < len(reader.inputs) and reader.inputs[slot] >= 0 else None
        if made is not None:
            self._replace_with(left, self.right.nodes[made[0]])

    def _replace_with(self, left: Node, right: Node) -> None:
        if self.right_of[left.index] != FREE or self.left_of[right.index] != FREE:
            return
        ones, others = self.left.wires(left), self.right.wires(right)
        if not ones or len(ones) != len(others):
            return
        if all(self.tensors_match(a, b) for (_, a), (_, b) in zip(ones, others, strict=True)):
            self._match(left.index, right.index)


def _grouped(items: Iterable[int], key: Callable[[int], bytes]) -> dict[bytes, list[int]]:
    found: dict[bytes, list[int]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found
