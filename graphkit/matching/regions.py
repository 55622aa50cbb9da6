"""Nodes without a partner, those of both graphs together that lie in the same place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from graphkit.matching.view import Node, View


@dataclass(frozen=True, eq=False)
class Region:
    """A place at which the two graphs are built differently.

    Attributes:
        left: Nodes of the left graph, in topological order; () where something was added.
        right: Of the right graph; () where something was removed.
        reads: Tensors that pairs make or that are given and that nodes of the region read: (left, right), one of them
            -1 where only the other side reads it.
        gives: Tensors in the same place behind the region, where one of the two comes from inside.
    """

    left: tuple[Node, ...]
    right: tuple[Node, ...]
    reads: tuple[tuple[int, int], ...]
    gives: tuple[tuple[int, int], ...]


class _Sets:
    """Disjoint sets of the free nodes of both graphs: (side, index)."""

    def __init__(self) -> None:
        self._up: dict[tuple[int, int], tuple[int, int]] = {}

    def find(self, item: tuple[int, int]) -> tuple[int, int]:
        while self._up.setdefault(item, item) != item:
            self._up[item] = self._up[self._up[item]]
            item = self._up[item]
        return item

    def join(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        self._up[self.find(one)] = self.find(other)


def find_regions(
    left: View,
    right: View,
    right_of: Sequence[int],
    left_of: Sequence[int],
    returned: Iterable[tuple[int, int]],
) -> tuple[Region, ...]:
    """The regions, in the left graph's topological order, those without nodes of it last.

    Free nodes that are neighbours lie in the same place, and so do those of the two sides whose results the same pair
    reads, or, where that says nothing, that read the same.
    """
    sides = ((left, right_of), (right, left_of))
    sets = _Sets()
    for side, (view, partners) in enumerate(sides):
        for node in view.nodes:
            if partners[node.index] < 0:
                sets.find((side, node.index))
                for tensor in node.outputs:
                    for reader, _ in view.readers[tensor] if tensor >= 0 else ():
                        if partners[reader] < 0:
                            sets.join((side, node.index), (side, reader))
    places = [(one, other) for one, other in returned]
    for index, partner in enumerate(right_of):
        if partner >= 0:
            pairs = zip(left.nodes[index].inputs, right.nodes[partner].inputs, strict=False)
            places += [(one, other) for one, other in pairs if one >= 0 and other >= 0]
    gives: dict[tuple[int, int], None] = {}
    for one, other in places:
        makers = _free_maker(sides, 0, one), _free_maker(sides, 1, other)
        if makers != (None, None):
            gives[(one, other)] = None
        if makers[0] is not None and makers[1] is not None:
            sets.join(makers[0], makers[1])
    _join_by_reading(left, right, right_of, left_of, sets)
    return _collected(left, right, right_of, left_of, sets, gives)


def _free_maker(sides: Sequence[tuple[View, Sequence[int]]], side: int, tensor: int) -> tuple[int, int] | None:
    view, partners = sides[side]
    made = view.maker[tensor]
    return (side, made[0]) if made is not None and partners[made[0]] < 0 else None


def _join_by_reading(left: View, right: View, right_of: Sequence[int], left_of: Sequence[int], sets: _Sets) -> None:
    """Join what has nodes of one side only with what reads the same tensor on the other."""
    there: dict[tuple[int, int], set[int]] = {}
    for side, partners in enumerate((right_of, left_of)):
        for index, partner in enumerate(partners):
            if partner < 0:
                there.setdefault(sets.find((side, index)), set()).add(side)
    for index, partner in enumerate(right_of):
        if partner < 0:
            continue
        for one, other in zip(left.nodes[index].outputs, right.nodes[partner].outputs, strict=False):
            if one < 0 or other < 0:
                continue
            ones = [(0, reader) for reader, _ in left.readers[one] if right_of[reader] < 0]
            others = [(1, reader) for reader, _ in right.readers[other] if left_of[reader] < 0]
            for mine, theirs in zip(ones, others, strict=False):
                roots = sets.find(mine), sets.find(theirs)
                if roots[0] != roots[1] and there[roots[0]] == {0} and there[roots[1]] == {1}:
                    sets.join(mine, theirs)
                    there[sets.find(mine)] = {0, 1}


def _collected(
    left: View,
    right: View,
    right_of: Sequence[int],
    left_of: Sequence[int],
    sets: _Sets,
    gives: Iterable[tuple[int, int]],
) -> tuple[Region, ...]:
    sides = ((left, right_of), (right, left_of))
    nodes: dict[tuple[int, int], tuple[list[Node], list[Node]]] = {}
    for side, (view, partners) in enumerate(sides):
        for node in view.nodes:
            if partners[node.index] < 0:
                nodes.setdefault(sets.find((side, node.index)), ([], []))[side].append(node)
    ends: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for one, other in gives:
        makers = _free_maker(sides, 0, one), _free_maker(sides, 1, other)
        for root in {sets.find(item) for item in makers if item is not None}:
            ends.setdefault(root, []).append((one, other))
    return tuple(
        Region(tuple(ones), tuple(others), _reads(left, right, right_of, ones, others), tuple(ends.get(root, ())))
        for root, (ones, others) in nodes.items()
    )


def _reads(
    left: View, right: View, right_of: Sequence[int], ones: Sequence[Node], others: Sequence[Node]
) -> tuple[tuple[int, int], ...]:
    read = [_from_outside(view, nodes) for view, nodes in ((left, ones), (right, others))]
    found: list[tuple[int, int]] = []
    rest = dict.fromkeys(read[1])
    for tensor in read[0]:
        made = left.maker[tensor]
        partner = right.nodes[right_of[made[0]]].outputs if made is not None and right_of[made[0]] >= 0 else ()
        there = partner[made[1]] if made is not None and made[1] < len(partner) else -1
        found.append((tensor, there if there in rest else -1))
        rest.pop(there, None)
    return (*found, *((-1, tensor) for tensor in rest))


def _from_outside(view: View, nodes: Sequence[Node]) -> list[int]:
    inside = {tensor for node in nodes for tensor in node.outputs}
    return list(dict.fromkeys(item for node in nodes for _, item in view.wires(node) if item not in inside))
