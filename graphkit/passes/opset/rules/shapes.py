"""Shape: start and end came with opset 15."""

from __future__ import annotations

import numpy as np

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check
from graphkit.passes.opset.site import Site

_END = np.iinfo(np.int64).max


@rule("Shape", 15, 13)
def slice_of_all(site: Site) -> None:
    """Shape[start:end] = Slice(Shape): Slice counts from the back, and clamps, in the same way."""
    check(site)
    start, end = int(site.attr("start", 0)), site.attr("end")
    drop = ["start", "end"]
    if start == 0 and end is None:
        site.rewrite(drop=drop)
        return
    whole = site.fresh("shape")
    site.rewrite(outputs=[whole], drop=drop)
    bounds = [site.const([bound], hint="bound") for bound in (start, _END if end is None else int(end))]
    site.emit("Slice", whole, *bounds, site.const([0], hint="axes"), to=site.outputs[0])
