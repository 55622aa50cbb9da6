"""Reduce* and Arg*: the axes move; without kept dimensions the output has fewer of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphkit.passes.transposes.permutation import Perm, full
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Site, carried, restored

_REDUCTIONS = tuple(
    f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")
)


@rule(*_REDUCTIONS)
def reduction(site: Site) -> Flow | None:
    """Axes are an attribute, from opset 18 (ReduceSum 13) an input; without any, all are reduced or none."""
    rank = site.rank(0)
    if rank is None:
        return None
    has_input = site.since >= (13 if site.op == "ReduceSum" else 18)
    given = site.has(1) if has_input else site.attr("axes") is not None
    axes = site.axes(1 if has_input else None, rank) if given else []
    if axes is None:
        return None
    if not axes and site.attr("noop_with_empty_axes", 0):
        return _reduced(site, rank, axes, set(), has_input)
    return _reduced(site, rank, axes, set(axes or range(rank)), has_input)


@rule("ArgMax", "ArgMin")
def argument(site: Site) -> Flow | None:
    """One axis is reduced."""
    rank = site.rank(0)
    axis = None if not rank else site.axis(0, rank)
    if rank is None or axis is None:
        return None
    gone = not site.attr("keepdims", 1)

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (_left(perm, {axis}) if gone else perm,), {"axis": perm.index(axis)})

    return _flow(rank, {axis} if gone else set(), moved, exact=True)


def _reduced(site: Site, rank: int, axes: Sequence[int], over: set[int], has_input: bool) -> Flow:
    gone = over if not site.attr("keepdims", 1) else set()

    def moved(perm: Perm) -> Moved:
        out = _left(perm, gone)
        places = sorted(perm.index(axis) for axis in axes)
        if not axes:
            return Moved({0: perm}, (out,))
        if has_input:
            return Moved({0: perm}, (out,), constants={1: np.array(places, np.int64)})
        return Moved({0: perm}, (out,), {"axes": places})

    return _flow(rank, gone, moved, exact=site.op in ("ReduceMax", "ReduceMin"))


def _left(perm: Perm, gone: set[int]) -> Perm:
    """The permutation of what is left of the axes."""
    return carried(perm, [axis for axis in range(len(perm)) if axis not in gone])


def _flow(rank: int, gone: set[int], moved: object, exact: bool) -> Flow:
    kept: list[int | None] = [axis for axis in range(rank) if axis not in gone]

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return perm if slot == 0 and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        return restored(full(perm, len(kept)), kept, rank) if len(perm) in (0, len(kept)) else None

    return Flow(moved, enter, leave, exact)  # type: ignore[arg-type]
