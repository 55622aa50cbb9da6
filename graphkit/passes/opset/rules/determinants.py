"""Det of small matrices, written out."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import extents, join
from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site

_MOST = 3


@rule("Det", 11, None)
def determinant(site: Site) -> None:
    """Laplace's expansion along the first row, of matrices up to 3 × 3."""
    x = site.input(0)
    rank = site.need_rank(x)
    size = dimension(site, x, rank - 1)
    if size is None or not 1 <= size <= _MOST:
        site.block(
            "the operator is new in opset 11, and is written out with older ones for matrices of known size up to 3 × 3"
        )
    head = extents(site, x, list(range(rank - 2)))
    flat = site.emit("Reshape", x, join(site, head, site.const([size * size])), hint="flat")
    items = [site.emit("Gather", flat, site.const(place), axis=rank - 2, hint="item") for place in range(size * size)]
    rows = [items[start : start + size] for start in range(0, size * size, size)]
    site.emit("Identity", _expanded(site, rows), to=site.outputs[0])


def _expanded(site: Site, rows: list[list[str]]) -> str:
    """Σ (-1)^i · m[0, i] · det(m without row 0 and column i)."""
    if len(rows) == 1:
        return rows[0][0]
    total = ""
    for column, item in enumerate(rows[0]):
        minor = _expanded(site, [row[:column] + row[column + 1 :] for row in rows[1:]])
        term = site.emit("Mul", item, minor, hint="term")
        total = site.emit("Sub" if column % 2 else "Add", total, term, hint="sum") if total else term
    return total
