"""Mod: fmod=0 for floating point since opset 28."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)


@rule("Mod", 28, 13)
def mod_of_floats(site: Site) -> None:
    """A remainder with the sign of the divisor, from the one with that of the dividend, r = Mod<fmod=1>(a, b).

    r where it is of b's sign, r + b where it is not, and where it is zero, a zero of b's sign. Infinities come out as
    the definition of 28 says: Mod<fmod=1>(a, ±∞) = a, which is turned into ±∞ where the signs differ.
    """
    if site.attr("fmod", 0) == 1:
        return
    a, b = site.inputs
    element = site.element(a) or site.element(b)
    if element is None:
        site.need_element(a)
    if element not in _FLOATS:
        return
    assert element is not None
    zero, minus = site.like(0.0, element, "zero"), site.like(-0.0, element, "minus_zero")
    rest = site.emit("Mod", a, b, fmod=1)
    negative = site.emit("Less", b, zero)
    differs = site.emit("Xor", site.emit("Less", rest, zero), negative)
    moved = site.emit("Where", differs, site.emit("Add", rest, b), rest)
    signed = site.emit("Where", negative, minus, zero)
    site.rewrite(op="Where", inputs=[site.emit("Equal", rest, zero), signed, moved], drop=["fmod"])
