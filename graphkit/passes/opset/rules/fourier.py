"""DFT: its axis is an attribute, 1 by default, before opset 20, and an input, -2 by default, from then on."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("DFT", 20, 17)
def axis_as_attribute(site: Site) -> None:
    """The axis, where given, becomes an attribute; else it is said."""
    axis = site.need_ints(2, "axis")[0] if site.has(2) else -2
    site.rewrite(inputs=site.inputs[:2], axis=axis)


@rule("DFT", 17, 20)
def axis_as_input(site: Site) -> None:
    """The axis becomes an input."""
    axis = site.const(int(site.attr("axis", 1)), hint="axis")
    site.rewrite(inputs=[site.input(0), site.input(1), axis], drop=["axis"])
