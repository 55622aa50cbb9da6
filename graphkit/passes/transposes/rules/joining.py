"""Operators along one axis, or along some, that keep all of them: Concat, Split, Slice, Pad, Tile, CumSum and so on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Site, alike


@rule("Concat")
def concat(site: Site) -> Flow | None:
    """The axis moves."""
    rank = site.rank(0)
    ranks = {site.rank(slot) for slot in range(len(site.node.input))}
    axis = None if rank is None or len(ranks) != 1 else site.axis(1, rank)
    if rank is None or axis is None:
        return None
    slots = range(len(site.node.input))

    def moved(perm: Perm) -> Moved:
        return Moved(dict.fromkeys(slots, perm), (perm,), {"axis": perm.index(axis)})

    return alike(rank, moved, slots)


@rule("Split", "Hardmax", "Softmax", "LogSoftmax", "LpNormalization", "CumSum")
def along(site: Site) -> Flow | None:
    """The axis moves. Softmax before opset 13 flattens the tensor, which is the same along its last axis only."""
    rank = site.rank(0)
    softmax = site.op in ("Softmax", "LogSoftmax", "Hardmax")
    flat = softmax and site.since < 13
    if not rank:
        return None
    if site.op == "CumSum":
        return _cumulative(site, rank)
    axis = site.axis({"Split": 0}.get(site.op, 1 if flat else -1), rank)
    if axis is None or (flat and axis != rank - 1):
        return None

    def moved(perm: Perm) -> Moved | None:
        place = perm.index(axis)
        if flat and place != rank - 1:
            return None
        return Moved({0: perm}, (perm,) * len(site.node.output), {"axis": place})

    found = alike(rank, moved, exact=site.op in ("Split", "Hardmax"))
    return replace(found, inside=lambda label: _inside(label, axis, rank)) if softmax else found


def _inside(label: Label, axis: int, rank: int) -> int:
    """Once, along another axis than the last: onnxruntime transposes, computes and transposes back; others need not."""
    last = label[-1] if isinstance(label, tuple) and label else rank - 1
    return int(last != axis)


def _cumulative(site: Site, rank: int) -> Flow | None:
    value = site.value(1)
    if value is None or value.size != 1 or not -rank <= int(value.reshape(-1)[0]) < rank:
        return None
    axis = int(value.reshape(-1)[0]) % rank

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (perm,), constants={1: np.array(perm.index(axis), value.dtype).reshape(value.shape)})

    return alike(rank, moved, exact=False)


@rule("Slice")
def slice_(site: Site) -> Flow | None:
    """The axes move; what is cut from each stays with it."""
    rank = site.rank(0)
    if rank is None:
        return None
    if site.since < 10:
        starts = site.attr("starts")
        count = len(starts) if starts is not None else 0
        axes = site.axes(None, rank) if site.attr("axes") is not None else list(range(count))
    else:
        starts_shape = site.shapes[1] if len(site.shapes) > 1 else None
        size = starts_shape[0] if starts_shape else None
        count = size if isinstance(size, int) else -1
        axes = site.axes(3, rank) if site.has(3) else list(range(count))
    if axes is None or len(axes) != count or count > rank:
        return None

    def moved(perm: Perm) -> Moved | None:
        places = [perm.index(axis) for axis in axes]
        if site.since < 10:
            return Moved({0: perm}, (perm,), {"axes": places})
        return Moved({0: perm}, (perm,), constants={3: np.array(places, np.int64)})

    return alike(rank, moved)


@rule("Pad")
def pad(site: Site) -> Flow | None:
    """What is added to an axis moves with it."""
    rank = site.rank(0)
    if rank is None or (site.since < 11 and site.attr("pads") is None):
        return None
    value = np.array(site.attr("pads"), np.int64) if site.since < 11 else site.value(1)
    axes = site.axes(3, rank) if site.has(3) else list(range(rank))
    if value is None or axes is None or value.size != 2 * len(axes):
        return None
    pads = value.reshape(2, -1)

    def moved(perm: Perm) -> Moved:
        if site.has(3):
            return Moved({0: perm}, (perm,), constants={3: np.array([perm.index(axis) for axis in axes], np.int64)})
        places = pads[:, list(perm)].reshape(-1).astype(np.int64)
        if site.since < 11:
            return Moved({0: perm}, (perm,), {"pads": places.tolist()})
        return Moved({0: perm}, (perm,), constants={1: places})

    return alike(rank, moved)


@rule("Tile")
def tile(site: Site) -> Flow | None:
    """The repeats move."""
    rank, value = site.rank(0), site.value(1)
    if rank is None or value is None or site.since < 6 or value.shape != (rank,):
        return None

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (perm,), constants={1: value[list(perm)]})

    return alike(rank, moved)


@rule("Trilu")
def triangle(site: Site) -> Flow | None:
    """The axes before the last two may move among themselves."""
    rank = site.rank(0)
    if rank is None or rank < 2:
        return None

    def moved(perm: Perm) -> Moved | None:
        if perm[-2:] != (rank - 2, rank - 1):
            return None
        return Moved({0: perm}, (perm,))

    return alike(rank, moved)
