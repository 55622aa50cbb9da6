"""Convolution and pooling: batch and channels stay, the axes behind them may change places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Site, alike

_PER_AXIS = ("kernel_shape", "strides", "dilations", "output_padding", "output_shape")


@rule("Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool")
def window(site: Site) -> Flow | None:
    """What is said of each axis, the kernel among it, moves with it."""
    rank = site.rank(0)
    if rank is None or rank < 4 or len(site.node.output) != 1:
        return None
    weighted = site.op in ("Conv", "ConvTranspose")
    if weighted and site.rank(1) != rank:
        return None

    def moved(perm: Perm) -> Moved | None:
        if perm[:2] != (0, 1):
            return None
        inside = [axis - 2 for axis in perm[2:]]
        attrs: dict[str, Any] = {}
        for name in _PER_AXIS:
            values = site.attr(name)
            if values:
                attrs[name] = _pick(values, inside)
        pads = site.attr("pads")
        if pads:
            half = len(pads) // 2
            attrs["pads"] = _pick(pads[:half], inside) + _pick(pads[half:], inside)
        inputs = {0: perm, 1: perm} if weighted else {0: perm}
        return Moved(inputs, (perm,), attrs)

    return alike(rank, moved, exact=site.op == "MaxPool")


@rule("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def everything(site: Site) -> Flow | None:
    """The order of what is averaged over does not matter; the output has axes of size 1 there."""
    rank = site.rank(0)
    if rank is None or rank < 4:
        return None

    def moved(perm: Perm) -> Moved | None:
        return Moved({0: perm}, (perm,)) if perm[:2] == (0, 1) else None

    return alike(rank, moved, exact=site.op == "GlobalMaxPool")


def _pick(values: Sequence[int], order: Sequence[int]) -> list[int]:
    return [int(values[axis]) for axis in order]
