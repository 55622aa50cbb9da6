"""QuantizeLinear and DequantizeLinear: per tensor, or along an axis that moves."""

from __future__ import annotations

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.elementwise import of_size_one
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Site, alike


@rule("QuantizeLinear", "DequantizeLinear")
def linear(site: Site) -> Flow | None:
    """The scale is one number, or one for each index of the axis. Blocks are left alone."""
    rank, width = site.rank(0), site.rank(1)
    if rank is None or width is None or site.attr("block_size", 0):
        return None
    if of_size_one(site, 1) and width == 0:
        return alike(rank, lambda perm: Moved({0: perm}, (perm,)))
    axis = site.axis(1, rank) if rank > 1 or site.attr("axis") is not None else 0
    if width != 1 or axis is None or site.since < 13:
        return None

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (perm,), {"axis": perm.index(axis)})

    return alike(rank, moved)
