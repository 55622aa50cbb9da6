"""Softmax, LogSoftmax, Hardmax: over everything from `axis` on before opset 13, over `axis` alone from then on."""

from __future__ import annotations

from graphkit.passes.opset.difference import check_types, difference
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import shape_of
from graphkit.passes.opset.site import Site


@rule("Softmax", 13, 11)
@rule("LogSoftmax", 13, 11)
@rule("Hardmax", 13, 11)
def over_the_last(site: Site) -> None:
    """Over the last axis, and over one that only ones follow, both are the same; another one is brought to the end."""
    check_types(site, difference(site.op, site.old, 11))
    axis = int(site.attr("axis", -1))
    if axis == -1:
        site.rewrite(axis=-1)
        return
    x, y = site.input(0), site.outputs[0]
    rank = site.need_rank(x)
    (axis,) = site.axes([axis], rank)
    if _alone(site, axis):
        site.rewrite(axis=axis)
        return
    perm = list(range(rank))
    perm[axis], perm[-1] = perm[-1], perm[axis]
    made = site.fresh("softmax")
    site.rewrite(inputs=[site.emit("Transpose", x, perm=perm)], outputs=[made], axis=rank - 1)
    site.emit("Transpose", made, to=y, perm=perm)


@rule("Softmax", 11, 13)
@rule("LogSoftmax", 11, 13)
@rule("Hardmax", 11, 13)
def over_one(site: Site) -> None:
    """All that is normalised over together becomes one axis, unless it is one."""
    axis = int(site.attr("axis", 1))
    if axis == -1:
        site.rewrite(axis=-1)
        return
    x, y = site.input(0), site.outputs[0]
    rank = site.rank(x)
    if rank is not None:
        (axis,) = site.axes([axis], rank)
        if _alone(site, axis):
            site.rewrite(axis=axis)
            return
    made = site.fresh("softmax")
    shape = shape_of(site, x)
    site.rewrite(inputs=[site.emit("Flatten", x, axis=axis)], outputs=[made], axis=-1)
    site.emit("Reshape", made, shape, to=y)


def _alone(site: Site, axis: int) -> bool:
    """Whether nothing but dimensions of size 1 follows an axis."""
    shape = site.shape(site.input(0))
    return shape is not None and all(size == 1 for size in shape[axis + 1 :])
