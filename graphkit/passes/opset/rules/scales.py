"""Scales and zero points of QuantizeLinear and DequantizeLinear, brought to a shape that is broadcast against x."""

from __future__ import annotations

import numpy as np

from graphkit.passes.opset.rules.dimensions import counting, extent
from graphkit.passes.opset.site import Site


def along_axis(site: Site) -> int | None:
    """The axis of x that scales lie along, from the front; None where there is but one scale.

    Raises:
        Blocked: That cannot be told.
    """
    rank = site.need_rank(site.input(1))
    if rank == 0:
        return None
    return site.axes([int(site.attr("axis", 1))], site.need_rank(site.input(0)))[0] if _matters(site) else None


def _matters(site: Site) -> bool:
    """Whether the axis does: it does not where x has one dimension itself, and there is no other one."""
    shape = site.shape(site.input(1))
    return site.rank(site.input(0)) != 1 and shape != (1,)


def spread(site: Site, name: str, axis: int | None, block: int) -> str:
    """A scale or zero point, with each element where it applies.

    [n] along an axis becomes [n, 1, …]; of blocks each is repeated, element i of the axis having that of ⌊i / block⌋.
    """
    if axis is None:
        return name
    if not block:
        rank = site.need_rank(site.input(0))
        return site.emit("Reshape", name, site.const([-1, *[1] * (rank - axis - 1)], hint="shape"))
    places = counting(site, extent(site, site.input(0), axis))
    known = site.value(places)
    if known is not None:
        which = site.const(np.asarray(known) // block, hint="blocks")
    else:
        which = site.emit("Div", places, site.const([block], hint="block"))
    return site.emit("Gather", name, which, axis=axis)


def per_tensor(site: Site) -> bool:
    """Put the node here without `axis`, where it has but one scale; whether it has."""
    rank = site.need_rank(site.input(1))
    if rank and site.shape(site.input(1)) != (1,):
        return False
    inputs = site.inputs
    if rank:  # of one element, which is a scalar there
        shape = site.const(np.zeros(0), hint="shape")
        inputs[1:] = [site.emit("Reshape", name, shape) if name else "" for name in inputs[1:]]
    if rank or site.attribute("axis") is not None:
        site.rewrite(inputs=inputs, drop=["axis"])
    return True
