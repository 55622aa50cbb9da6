"""GridSample of images, by Gather of pixels."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import counting, extent, extents, join, typed, unsqueeze
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)
_MODES = ("bilinear", "nearest")
_PADDINGS = ("zeros", "border")


@rule("GridSample", 16, None)
def grid_sample(site: Site) -> None:
    """y[n, c, i, j] = Σ w(p) · x[n, c, p], p the four pixels around grid[n, i, j], or the one nearest to it.

    A pixel outside counts as 0 (zeros), or as the one at the border.
    """
    x, grid = site.inputs
    mode, padding = str(site.attr("mode", "bilinear")), str(site.attr("padding_mode", "zeros"))
    if mode not in _MODES or padding not in _PADDINGS:
        site.block(
            f"the operator is new in opset 16, and mode {mode} with padding_mode {padding} is not written out with "
            "older ones"
        )
    if site.need_element(x) not in _FLOATS:
        site.block("the operator is new in opset 16, and is written out with older ones for floats alone")
    element = site.need_element(x)
    wide = TensorProto.DOUBLE if TensorProto.DOUBLE in (element, site.need_element(grid)) else TensorProto.FLOAT
    sampler = _Sampler(site, wide, padding)
    points = _points(site, typed(site, grid, wide))
    columns = sampler.position(points[0], 3, bool(site.attr("align_corners", 0)))
    rows = sampler.position(points[1], 2, bool(site.attr("align_corners", 0)))
    if mode == "nearest":
        total = sampler.pixel(site.emit("Round", columns), site.emit("Round", rows))
    else:
        total = _bilinear(sampler, columns, rows)
    if wide != element:
        total = site.cast(total, element)
    _restored(site, total)


class _Sampler:
    """Gives pixels at coordinates, [N, P] each, as [N, P, C]."""

    def __init__(self, site: Site, element: int, padding: str) -> None:
        self.site, self.element, self.padding = site, element, padding
        x = site.input(0)
        self.sizes = {axis: extent(site, x, axis) for axis in (2, 3)}
        self.one = site.like(1, element, "one")
        self.last = {
            axis: site.emit("Sub", site.cast(size, element), self.one, hint="last") for axis, size in self.sizes.items()
        }
        # One row a pixel.
        moved = site.emit("Transpose", typed(site, x, element), perm=[0, 2, 3, 1])
        self.pixels = site.emit("Reshape", moved, join(site, site.const([-1]), extent(site, x, 1)), hint="pixels")
        area = site.emit("Mul", self.sizes[2], self.sizes[3], hint="area")
        start = site.emit("Mul", counting(site, extent(site, x, 0)), area, hint="start")
        self.start = unsqueeze(site, start, [1])

    def position(self, point: str, axis: int, align: bool) -> str:
        """From -1 … 1 to 0 … n - 1 (corners aligned) or -½ … n - ½:  (p + 1)/2 · (n - 1)  or  ((p + 1)·n - 1)/2."""
        site, half = self.site, self.site.like(0.5, self.element, "half")
        moved = site.emit("Add", point, self.one)
        if align:
            return self._bordered(site.emit("Mul", site.emit("Mul", moved, half), self.last[axis]), axis)
        scaled = site.emit("Mul", moved, site.cast(self.sizes[axis], self.element))
        return self._bordered(site.emit("Mul", site.emit("Sub", scaled, self.one), half), axis)

    def pixel(self, column: str, row: str) -> str:
        """The pixels at whole coordinates."""
        site = self.site
        inside = [self._inside(column, 3), self._inside(row, 2)]
        places = [site.cast(inside[axis][1], TensorProto.INT64) for axis in (0, 1)]
        place = site.emit("Add", site.emit("Mul", places[1], self.sizes[3]), places[0], hint="place")
        found = site.emit("Gather", self.pixels, site.emit("Add", place, self.start, hint="place"), axis=0)
        if self.padding != "zeros":
            return found
        both = unsqueeze(site, site.emit("And", inside[0][0], inside[1][0], hint="inside"), [2])
        return site.emit("Where", both, found, site.like(0, self.element, "zero"), hint="pixel")

    def _bordered(self, position: str, axis: int) -> str:
        return self._clipped(position, axis) if self.padding == "border" else position

    def _inside(self, position: str, axis: int) -> tuple[str, str]:
        """Whether there is a pixel, and where; the first one where there is none, NaN included."""
        site, zero = self.site, self.site.like(0, self.element, "zero")
        after = site.emit("Less", position, zero)
        behind = site.emit("Greater", position, self.last[axis])
        known = site.emit("Not", site.emit("IsNaN", position))
        inside = site.emit("And", known, site.emit("Not", site.emit("Or", after, behind)), hint="inside")
        return inside, site.emit("Where", inside, self._clipped(position, axis), zero, hint="place")

    def _clipped(self, position: str, axis: int) -> str:
        site = self.site
        return site.emit("Max", site.emit("Min", position, self.last[axis]), site.like(0, self.element, "zero"))


def _bilinear(sampler: _Sampler, columns: str, rows: str) -> str:
    """(1 - a)(1 - b)·x[⌊r⌋, ⌊c⌋] + …, a and b what is behind the point; of size [N, P, C]."""
    site = sampler.site
    total = ""
    left, top = site.emit("Floor", columns, hint="left"), site.emit("Floor", rows, hint="top")
    right, bottom = site.emit("Add", left, sampler.one, hint="right"), site.emit("Add", top, sampler.one, hint="bottom")
    across, down = site.emit("Sub", columns, left, hint="across"), site.emit("Sub", rows, top, hint="down")
    before, above = site.emit("Sub", right, columns, hint="before"), site.emit("Sub", bottom, rows, hint="above")
    for row, column, height, width in (
        (top, left, above, before),
        (top, right, above, across),
        (bottom, left, down, before),
        (bottom, right, down, across),
    ):
        weight = unsqueeze(site, site.emit("Mul", height, width, hint="weight"), [2])
        term = site.emit("Mul", sampler.pixel(column, row), weight, hint="term")
        total = site.emit("Add", total, term, hint="sum") if total else term
    return total


def _points(site: Site, grid: str) -> list[str]:
    """X and y of all points, [N, P] each."""
    flat = site.emit("Reshape", grid, site.const([0, -1, 2]), hint="points")
    return [site.emit("Gather", flat, site.const(place), axis=2, hint="point") for place in (0, 1)]


def _restored(site: Site, total: str) -> None:
    """[N, P, C] → [N, C, height, width]."""
    moved = site.emit("Transpose", total, perm=[0, 2, 1])
    shape = join(site, site.const([0, 0]), extents(site, site.input(1), [1, 2]))
    site.emit("Reshape", moved, shape, to=site.outputs[0])
