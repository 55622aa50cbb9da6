"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear, where they do not exist yet."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import typed
from graphkit.passes.opset.rules.rounding import rounded
from graphkit.passes.opset.site import Site

_BOUNDS: dict[int, tuple[float, float]] = {TensorProto.UINT8: (0.0, 255.0), TensorProto.INT8: (-128.0, 127.0)}


@rule("QuantizeLinear", 10, None)
def quantize(site: Site) -> None:
    """Y = saturate(round(x / scale) + zero point)."""
    x = site.input(0)
    scaled = site.emit("Div", typed(site, x, TensorProto.FLOAT), site.input(1), hint="scaled")
    quantized(site, scaled, site.input(2), site.outputs[0])


def quantized(site: Site, scaled: str, zero_point: str, to: str) -> str:
    """saturate(round(x) + zero point) in the zero point's type; without one it is 0, and the type uint8."""
    element = site.need_element(zero_point) if zero_point else TensorProto.UINT8
    made = rounded(site, scaled, TensorProto.FLOAT)
    if zero_point:
        made = site.emit("Add", made, site.cast(zero_point, TensorProto.FLOAT), hint="shifted")
    if element not in _BOUNDS:
        site.block("what it makes has no 8 bits: the model is invalid")
    least, most = _BOUNDS[element]
    return site.cast(site.emit("Clip", made, min=least, max=most), element, to)


@rule("DequantizeLinear", 10, None)
def dequantize(site: Site) -> None:
    """Y = (x - zero point) · scale, the difference in 32 bits."""
    whole = centred(site, site.input(0), site.input(2))
    site.emit("Mul", site.cast(whole, TensorProto.FLOAT), site.input(1), to=site.outputs[0])


def centred(site: Site, x: str, zero_point: str) -> str:
    """X - zero point as int32, in which integers of 8 bits have room."""
    whole = typed(site, x, TensorProto.INT32)
    return site.emit("Sub", whole, typed(site, zero_point, TensorProto.INT32), hint="centred") if zero_point else whole


@rule("DynamicQuantizeLinear", 11, None)
def dynamic_quantize(site: Site) -> None:
    """Scale = (max(x, 0) - min(x, 0)) / 255; zero point = saturate(round(-min(x, 0) / scale)).

    All of x being 0, any scale would do: 1, as in onnxruntime.
    """
    x, zero = site.input(0), site.like(0, TensorProto.FLOAT, "zero")
    y, scale, zero_point = (
        site.outputs[place] if site.wants(place) else site.fresh(hint)
        for place, hint in enumerate(("y", "y_scale", "y_zero_point"))
    )
    least = site.emit("Min", site.emit("ReduceMin", x, keepdims=0), zero)
    most = site.emit("Max", site.emit("ReduceMax", x, keepdims=0), zero)
    length = site.emit("Sub", most, least, hint="range")
    step = site.emit("Div", length, site.like(255, TensorProto.FLOAT, "steps"))
    one = site.like(1, TensorProto.FLOAT, "one")
    site.emit("Where", site.emit("Greater", length, zero), step, one, to=scale)
    exact = site.emit("Sub", zero, site.emit("Div", least, scale), hint="zero_point")
    site.emit("QuantizeLinear", exact, one, site.like(0, TensorProto.UINT8, "zero"), to=zero_point)
    site.emit("QuantizeLinear", x, scale, zero_point, to=y)
