"""GreaterOrEqual, LessOrEqual, IsInf: comparisons put together from older ones."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.BFLOAT16)


@rule("GreaterOrEqual", 12, None)
def greater_or_equal(site: Site) -> None:
    """A ≥ b = ¬(a < b) for integers."""
    _not(site, "Less", "Greater")


@rule("LessOrEqual", 12, None)
def less_or_equal(site: Site) -> None:
    """A ≤ b = ¬(a > b) for integers."""
    _not(site, "Greater", "Less")


def _not(site: Site, opposite: str, strict: str) -> None:
    """Or, for floats, which a NaN makes false on either side: a > b ∨ a = b."""
    a, b = site.inputs
    if site.need_element(a) not in _FLOATS:
        site.emit("Not", site.emit(opposite, a, b), to=site.outputs[0])
        return
    site.emit("Or", site.emit(strict, a, b), site.emit("Equal", a, b), to=site.outputs[0])


@rule("IsInf", 10, None)
def is_inf(site: Site) -> None:
    """Infinite is what is larger than the largest finite number; a NaN is not."""
    x = site.input(0)
    element = site.need_element(x)
    if element not in _FLOATS:
        site.block("what it takes is no float: the model is invalid")
    largest = float(np.finfo(onnx.helper.tensor_dtype_to_np_dtype(element)).max)
    up, down = bool(site.attr("detect_positive", 1)), bool(site.attr("detect_negative", 1))
    if up and down:
        x = site.emit("Abs", x)
    if up:
        site.emit("Greater", x, site.like(largest, element, "largest"), to=site.outputs[0])
    elif down:
        site.emit("Less", x, site.like(-largest, element, "smallest"), to=site.outputs[0])
    else:
        site.emit("Less", x, x, to=site.outputs[0])
