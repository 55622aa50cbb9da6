"""Range where it does not exist yet: counting at run time."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import one, squeeze, typed, unsqueeze
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE)


@rule("Range", 11, None)
def count(site: Site) -> None:
    """Give start + i·delta for i from 0 to n - 1, n = max(⌈(limit - start) / delta⌉, 0).

    The body in onnx.defs counts in float32, which is wrong from 2²⁴ on.
    """
    start, limit, delta = site.inputs
    element = site.need_element(start)
    size = _steps(site, start, limit, delta, element)
    places = site.emit("NonZero", site.emit("ConstantOfShape", size, value=one(), hint="ones"), hint="places")
    step = squeeze(site, places, [0])
    # Sums and products of integers of 16 bits do not exist there; their last 16 bits do not depend on the others.
    wide = element if element != TensorProto.INT16 else TensorProto.INT32
    start, delta, step = (typed(site, name, wide) for name in (start, delta, step))
    way = site.emit("Mul", step, delta, hint="way")
    made = site.emit("Add", start, way, to=site.outputs[0] if wide == element else None)
    if wide != element:
        site.cast(made, element, site.outputs[0])


def _steps(site: Site, start: str, limit: str, delta: str, element: int) -> str:
    """n, as a tensor of one element."""
    if element in _FLOATS:
        length = site.cast(site.emit("Sub", limit, start, hint="length"), TensorProto.DOUBLE)
        exact = site.emit("Div", length, site.cast(delta, TensorProto.DOUBLE), hint="steps")
        zero = site.like(0, TensorProto.DOUBLE, "zero")
        exact = site.emit("Where", site.emit("Greater", exact, zero), exact, zero, hint="steps")
        # ⌈x⌉ of what is not negative: truncated, and one more where that lost something.
        whole = site.cast(exact, TensorProto.INT64)
        lost = site.emit("Greater", exact, site.cast(whole, TensorProto.DOUBLE))
        return unsqueeze(site, site.emit("Add", whole, site.cast(lost, TensorProto.INT64), hint="steps"), [0])
    start, limit, delta = (typed(site, name, TensorProto.INT64) for name in (start, limit, delta))
    # ⌈l / d⌉ = (l + d ∓ 1) / d for d ≷ 0 where that is positive, whichever way the division rounds.
    none = site.const(0)
    unit = site.emit("Where", site.emit("Less", delta, none), site.const(-1), site.const(1), hint="unit")
    length = site.emit("Sub", limit, start, hint="length")
    steps = site.emit("Div", site.emit("Sub", site.emit("Add", length, delta), unit), delta, hint="steps")
    steps = site.emit("Where", site.emit("Greater", steps, none), steps, none, hint="steps")
    return unsqueeze(site, steps, [0])
