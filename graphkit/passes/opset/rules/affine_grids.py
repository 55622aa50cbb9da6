"""AffineGrid, from the coordinates along each dimension."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import counting, typed, unsqueeze
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site

_HALVES = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


@rule("AffineGrid", 20, None)
def affine_grid(site: Site) -> None:
    """grid[n, …, i] = θ[n, i, 0]·x + θ[n, i, 1]·y (+ θ[n, i, 2]·z) + θ[n, i, last], of each point's x, y (and z).

    Of x = -1 … 1 in n steps, step i is at (2i + 1)/n - 1, or with align_corners at 2i/(n - 1) - 1.
    """
    theta = site.input(0)
    element = site.need_element(theta)
    count = dimension(site, theta, 1)
    if count is None:
        shape = dimension(site, site.input(1), 0)
        count = shape - 2 if shape is not None else None
    if count is None:
        site.block(f'whether "{theta}" is of images or of volumes is not known', "static shapes tell it")
    wide = TensorProto.FLOAT if element in _HALVES else element
    theta = typed(site, theta, wide)
    made = _column(site, theta, count, count)
    for axis in range(count):
        line = _coordinates(site, 2 + axis, wide)
        line = unsqueeze(site, line, list(range(1, count + 1 - axis)))
        # x is along the last dimension.
        term = site.emit("Mul", line, _column(site, theta, count - 1 - axis, count), hint="term")
        last = axis == count - 1 and wide == element
        made = site.emit("Add", made, term, to=site.outputs[0] if last else None, hint="sum")
    if wide != element:
        site.cast(made, element, site.outputs[0])


def _column(site: Site, theta: str, index: int, count: int) -> str:
    """θ[n, :, index] as [n, 1, …, 1, :]."""
    column = site.emit("Gather", theta, site.const(index), axis=2, hint="column")
    return unsqueeze(site, column, list(range(1, count + 1)))


def _coordinates(site: Site, place: int, element: int) -> str:
    size = site.emit("Gather", site.input(1), site.const([place]), axis=0, hint="size")
    twice = site.emit("Mul", site.cast(counting(site, size), element), site.like(2, element, "two"))
    number, one = site.cast(size, element), site.like(1, element, "one")
    if site.attr("align_corners", 0):
        # One step alone is at -1.
        steps = site.emit("Max", site.emit("Sub", number, one), one, hint="steps")
        return site.emit("Sub", site.emit("Div", twice, steps), one, hint="coordinates")
    return site.emit("Sub", site.emit("Div", site.emit("Add", twice, one), number), one, hint="coordinates")
