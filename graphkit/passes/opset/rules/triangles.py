"""Trilu: the upper or lower triangle of matrices."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import counting, unsqueeze
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site

_MOST = 1 << 16
"""Elements of a mask that is written down rather than computed."""


@rule("Trilu", 14, None)
def trilu(site: Site) -> None:
    """Keep x[r, c] where c - r ≥ k (upper) or c - r ≤ k (lower), else 0."""
    x = site.input(0)
    element, rank = site.need_element(x), site.rank(x)
    if element == TensorProto.STRING:
        site.block("the operator is new in opset 14, and no older one puts an empty string in a string's place")
    upper = bool(site.attr("upper", 1))
    rows = columns = None
    if rank is not None:
        rows, columns = dimension(site, x, rank - 2), dimension(site, x, rank - 1)
    k = site.value(site.input(1)) if site.has(1) else np.array(0)
    if k is not None and rows is not None and columns is not None and rows * columns <= _MOST:
        beyond = np.arange(columns) - np.arange(rows)[:, None] - int(k.reshape(-1)[0])
        keep = site.const(beyond >= 0 if upper else beyond <= 0, bool, hint="triangle")
    else:
        keep = _triangle(site, x, upper)
    site.emit("Where", keep, x, site.like(0, element, "zero"), to=site.outputs[0])


def _triangle(site: Site, x: str, upper: bool) -> str:
    """The mask, [rows, columns]: the last two dimensions of a tensor of any rank."""
    sizes = site.emit("Shape", x, hint="sizes")
    rows, columns = (
        site.emit("Slice", sizes, site.const([start]), site.const([end]), hint="size")
        for start, end in ((-2, -1), (-1, np.iinfo(np.int64).max))
    )
    row = unsqueeze(site, counting(site, rows), [1])
    beyond = site.emit("Sub", counting(site, columns), row, hint="diagonal")
    k = site.input(1) or site.const(0)
    return site.emit("Not", site.emit("Less" if upper else "Greater", beyond, k), hint="triangle")
