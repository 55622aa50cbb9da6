"""ArgMax and ArgMin: the last of several equal elements, since opset 12."""

from __future__ import annotations

import numpy as np

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import measured
from graphkit.passes.opset.site import Site


@rule("ArgMax", 12, 11)
@rule("ArgMin", 12, 11)
def last_of_equals(site: Site) -> None:
    """The last of x is the first of x reversed: last(x) = n - 1 - first(x[::-1])."""
    if not site.attr("select_last_index", 0):
        if site.attribute("select_last_index") is not None:
            site.rewrite(drop=["select_last_index"])
        return
    axis = int(site.attr("axis", 0))
    ends = [np.iinfo(np.int64).min]
    bounds = [site.const(value, hint="bound") for value in ([-1], ends, [axis], [-1])]
    backwards = site.emit("Slice", site.input(0), *bounds, hint="backwards")
    first = site.fresh("first")
    site.rewrite(inputs=[backwards], outputs=[first], drop=["select_last_index"])
    last = site.emit("Sub", measured(site, site.input(0), axis), site.const(1, hint="one"), hint="last")
    site.emit("Sub", last, first, to=site.outputs[0])
