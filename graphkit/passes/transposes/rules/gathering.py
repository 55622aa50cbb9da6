"""Operators that pick elements along an axis."""

from __future__ import annotations

from graphkit.passes.transposes.permutation import Perm, full
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Site, alike, restored


@rule("Gather")
def gather(site: Site) -> Flow | None:
    """The axes of the indices stand where the axis stood: the label is the permutation of the data."""
    rank, width = site.rank(0), site.rank(1)
    axis = None if not rank else site.axis(0, rank)
    if rank is None or width is None or axis is None:
        return None
    wide = rank - 1 + width
    block = list(range(axis, axis + width))

    def place(item: int) -> int:
        return item if item < axis else item - 1 + width

    def moved(perm: Perm) -> Moved:
        out: list[int] = []
        for item in perm:
            out.extend(block if item == axis else [place(item)])
        return Moved({0: perm}, (tuple(out),), {"axis": perm.index(axis)})

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return perm if slot == 0 and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        if len(perm) not in (0, wide):
            return None
        order = full(perm, wide)
        if width == 0:
            return restored(order, [item for item in range(rank) if item != axis], rank)
        start = order.index(axis)
        if list(order[start : start + width]) != block:
            return None
        shorter = [item for item in order if item not in block[1:]]
        return tuple(item if item <= axis else item + 1 - width for item in shorter)

    return Flow(moved, enter, leave)


@rule("GatherElements")
def elementwise_gather(site: Site) -> Flow | None:
    """Data and indices move together, and the axis with them."""
    rank, slots = site.rank(0), range(len(site.node.input))
    axis = None if not rank else site.axis(0, rank)
    if rank is None or axis is None or any(site.rank(slot) != rank for slot in slots):
        return None

    def moved(perm: Perm) -> Moved:
        return Moved(dict.fromkeys(slots, perm), (perm,), {"axis": perm.index(axis)})

    return alike(rank, moved, slots)
