"""Reshape, Flatten, Squeeze, Unsqueeze: axes that are only split, merged, dropped or added move with their elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graphkit.passes.transposes.permutation import IDENTITY, Perm, full, inverse, plain
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Shape, Site, Size, carried, restored

_COPY = 0
_INFER = -1


@rule("Squeeze")
def squeeze(site: Site) -> Flow | None:
    """Axes of size 1 are dropped wherever they are."""
    rank, shape = site.rank(0), site.shapes[0]
    has_input = site.since >= 13
    given = site.has(1) if has_input else site.attr("axes") is not None
    if rank is None or shape is None:
        return None
    if given:
        axes = site.axes(1 if has_input else None, rank)
    else:
        axes = (
            [axis for axis, size in enumerate(shape) if size == 1] if all(isinstance(s, int) for s in shape) else None
        )
    if axes is None:
        return None
    dropped = axes
    kept: list[int | None] = [axis for axis in range(rank) if axis not in dropped]

    def moved(perm: Perm) -> Moved:
        return _with_axes(perm, carried(perm, kept), [perm.index(axis) for axis in dropped], has_input, given)

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return perm if slot == 0 and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        return restored(full(perm, len(kept)), kept, rank) if len(perm) in (0, len(kept)) else None

    return Flow(moved, enter, leave)


@rule("Unsqueeze")
def unsqueeze(site: Site) -> Flow | None:
    """Axes of size 1 are added wherever they are wanted: the label is the permutation of the output."""
    rank = site.rank(0)
    has_input = site.since >= 13
    if rank is None:
        return None
    given = site.attr("axes") if not has_input else None
    if has_input:
        value = site.value(1)
        given = None if value is None else value.reshape(-1).tolist()
    if given is None:
        return None
    wide = rank + len(given)
    if not all(-wide <= axis < wide for axis in given):
        return None
    added = sorted({axis % wide for axis in given})
    if len(added) != len(given):
        return None
    origin: list[int | None] = [
        None if axis in added else axis - sum(1 for item in added if item < axis) for axis in range(wide)
    ]
    kept: list[int | None] = [axis for axis in range(wide) if axis not in added]

    def moved(perm: Perm) -> Moved:
        source = carried(perm, kept)
        return _with_axes(source, perm, sorted(perm.index(axis) for axis in added), has_input, True)

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return carried(full(perm, rank), origin) if slot == 0 and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        return perm if len(perm) in (0, wide) else None

    return Flow(moved, enter, leave)


def _with_axes(source: Perm, result: Perm, places: list[int], has_input: bool, given: bool) -> Moved:
    if not given:
        return Moved({0: source}, (result,))
    if has_input:
        return Moved({0: source}, (result,), constants={1: np.array(places, np.int64)})
    return Moved({0: source}, (result,), {"axes": places})


@dataclass(frozen=True, slots=True)
class _Group:
    """Axes of the input, and the axes of the output that hold the same elements in the same order."""

    before: tuple[int, ...]
    after: tuple[int, ...]


@rule("Reshape", "Flatten")
def reshape(site: Site) -> Flow | None:
    """Groups of axes that are split or merged move as one. The label is the permutations of input and output."""
    before, after = site.shapes[0], site.outputs[0]
    if before is None or after is None or not _asked(site, len(after)) or 0 in before or 0 in after:
        return None
    groups = _groups(before, after)
    if groups is None:
        return None
    inner, outer = before, after

    def moved(label: tuple[Perm, Perm]) -> Moved | None:
        sizes = _sizes(inner, outer, full(label[0], len(inner)), full(label[1], len(outer)))
        if sizes is None:
            return None
        attrs = {"axis": None} if site.op == "Flatten" else {}
        shape = np.array(sizes, np.int64)
        return Moved({0: label[0]}, (label[1],), attrs, {1: shape}, op="Reshape")

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        if slot != 0 or len(perm) not in (0, len(inner)):
            return None
        return _label(
            perm, _follow(full(perm, len(inner)), [g.before for g in groups], [g.after for g in groups], outer)
        )

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        if len(perm) not in (0, len(outer)):
            return None
        source = _follow(full(perm, len(outer)), [g.after for g in groups], [g.before for g in groups], inner)
        return None if source is None else _label(source, perm)

    return Flow(moved, enter, leave)


def _label(source: Perm, result: Perm | None) -> Label | None:
    if result is None:
        return None
    label = plain(source), plain(result)
    return IDENTITY if label == (IDENTITY, IDENTITY) else label


def _asked(site: Site, rank: int) -> bool:
    """Whether the node asks for the same shape in every run, but for what it copies and works out."""
    if site.op == "Flatten":
        return True
    if site.since < 5 or site.attr("allowzero", 0):
        return False
    value = site.value(1)
    return value is not None and value.shape == (rank,)


def _groups(before: Shape, after: Shape) -> list[_Group] | None:
    """The groups, in order; axes of size 1 that no axis of size 1 answers to belong to none."""
    one: list[_Group] = []
    ones_before = [axis for axis, size in enumerate(before) if size == 1]
    ones_after = [axis for axis, size in enumerate(after) if size == 1]
    if len(ones_before) == len(ones_after):
        one = [_Group((axis,), (other,)) for axis, other in zip(ones_before, ones_after, strict=True)]
    left = [axis for axis, size in enumerate(before) if size != 1]
    right = [axis for axis, size in enumerate(after) if size != 1]
    front: list[_Group] = []
    while left and right:
        found = _first(left, right, before, after)
        if found is None:
            break
        front.append(found)
        del left[: len(found.before)], right[: len(found.after)]
    back: list[_Group] = []
    while left and right:
        found = _first(left[::-1], right[::-1], before, after)
        if found is None:
            break
        back.append(_Group(found.before[::-1], found.after[::-1]))
        del left[len(left) - len(found.before) :], right[len(right) - len(found.after) :]
    if bool(left) != bool(right):
        # What is left over on one side is of size 1 without saying so.
        return None
    middle = [_Group(tuple(left), tuple(right))] if left else []
    return [*one, *front, *middle, *back[::-1]]


def _first(left: Sequence[int], right: Sequence[int], before: Shape, after: Shape) -> _Group | None:
    """The shortest start of both that holds as many elements."""
    taken, other = 1, 1
    products: tuple[Size, Size] = (before[left[0]], after[right[0]])
    if products[0] == products[1]:
        return _Group((left[0],), (right[0],))
    i = j = 0
    taken_axes: list[int] = []
    other_axes: list[int] = []
    while True:
        if taken <= other:
            if i == len(left):
                return None
            size = before[left[i]]
            if not isinstance(size, int):
                return None
            taken *= size
            taken_axes.append(left[i])
            i += 1
        else:
            if j == len(right):
                return None
            size = after[right[j]]
            if not isinstance(size, int):
                return None
            other *= size
            other_axes.append(right[j])
            j += 1
        if taken == other and taken_axes and other_axes:
            return _Group(tuple(taken_axes), tuple(other_axes))


def _follow(
    perm: Perm, mine: Sequence[tuple[int, ...]], theirs: Sequence[tuple[int, ...]], shape: Shape
) -> Perm | None:
    """The permutation of the one side from that of the other; None where it takes a group apart."""
    place = inverse(perm)
    solid = [axis for group in mine if group for axis in group]
    order = sorted((place[axis], axis) for axis in solid)
    rank_of = {axis: number for number, (_, axis) in enumerate(order)}
    for group in mine:
        numbers = [rank_of[axis] for axis in group]
        # Axes of size 1 between those of a group do not take it apart.
        inside = [axis for _, axis in order[numbers[0] : numbers[-1] + 1]] if numbers == sorted(numbers) else None
        if inside is None or any(axis not in group and not _is_one(axis, mine, theirs, shape) for axis in inside):
            return None
    moving: list[int] = []
    for number in sorted(range(len(mine)), key=lambda item: rank_of[mine[item][0]]):
        moving.extend(theirs[number])
    rest = iter(moving)
    inside_groups = set(moving)
    return tuple(next(rest) if axis in inside_groups else axis for axis in range(len(shape)))


def _is_one(axis: int, mine: Sequence[tuple[int, ...]], theirs: Sequence[tuple[int, ...]], shape: Shape) -> bool:
    """Whether it is an axis of size 1 that answers to one of size 1."""
    for group, other in zip(mine, theirs, strict=True):
        if group == (axis,):
            return len(other) == 1 and shape[other[0]] == 1
    return False


def _sizes(before: Shape, after: Shape, source: Perm, result: Perm) -> list[int] | None:
    """The shape to ask for in the new layout; None where it cannot be said with one unknown size."""
    sizes: list[int] = []
    for place, axis in enumerate(result):
        known = after[axis]
        if isinstance(known, int):
            sizes.append(known)
        elif place < len(source) and before[source[place]] == known:
            sizes.append(_COPY)
        else:
            sizes.append(_INFER)
    if sizes.count(_INFER) > 1:
        return None
    return sizes
