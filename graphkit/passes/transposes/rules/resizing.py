"""Resize: scales and sizes move with their axes."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Site, alike


@rule("Resize")
def resize(site: Site) -> Flow | None:
    """Any layout for the nearest element; for two axes interpolated between, those that runtimes have kernels for."""
    rank = site.rank(0)
    if rank is None or site.since < 11 or site.attr("axes") is not None or not _no_region(site):
        return None
    values: dict[int, NDArray[Any]] = {}
    for slot in (2, 3):
        if site.has(slot):
            value = site.value(slot)
            if value is None or value.shape not in ((rank,), (0,)):
                return None
            if value.size:
                values[slot] = value
    if len(values) != 1:
        return None
    slot, value = next(iter(values.items()))
    mode = site.attr("mode", "nearest")
    before, after = site.shapes[0], site.outputs[0]
    resized = [
        axis
        for axis in range(rank)
        if (value[axis] != 1 if slot == 2 else before is None or after is None or before[axis] != after[axis])
    ]

    def moved(perm: Perm) -> Moved | None:
        places = sorted(perm.index(axis) for axis in resized)
        if mode != "nearest" and places and places not in _interpolated(mode, rank):
            return None
        return Moved({0: perm}, (perm,), constants={slot: value[list(perm)].astype(value.dtype)})

    # A nearest element is one of the input; what is interpolated is summed in another order.
    return alike(rank, moved, exact=mode == "nearest")


def _no_region(site: Site) -> bool:
    """Whether the region of interest is left out, as opset 11 can only say by an empty one."""
    value = site.value(1)
    return not site.has(1) or (value is not None and not value.size)


def _interpolated(mode: str, rank: int) -> list[list[int]]:
    """The places of the axes that onnxruntime interpolates along: the last two, linearly also those before the last."""
    if rank != 4:
        return []
    return [[2, 3], [1, 2]] if mode == "linear" else [[2, 3]]
