"""Activation functions that are newer than some opsets, where the body in onnx.defs is not the best way to say them."""

from __future__ import annotations

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site


@rule("ThresholdedRelu", 10, None)
def thresholded_relu(site: Site) -> None:
    """Y = x where x > alpha, 0 elsewhere, NaN included."""
    x = site.input(0)
    element = site.need_element(x)
    alpha = site.like(float(site.attr("alpha", 1.0)), element, "alpha")
    above = site.emit("Greater", x, alpha)
    site.emit("Where", above, x, site.like(0, element, "zero"), to=site.outputs[0])
