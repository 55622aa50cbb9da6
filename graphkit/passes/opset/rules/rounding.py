"""Round and Mod, from Floor and Div."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

_UNSIGNED = (TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64)
_SMALL = (TensorProto.UINT8, TensorProto.INT8, TensorProto.UINT16, TensorProto.INT16)
_WIDE = (TensorProto.INT32, TensorProto.INT64)


@rule("Round", 11, None)
def round_half_even(site: Site) -> None:
    """To the nearest integer, and between two to the even one."""
    rounded(site, site.input(0), site.need_element(site.input(0)), to=site.outputs[0])


def rounded(site: Site, x: str, element: int, to: str | None = None) -> str:
    """Round x, halves to even.

    With f = ⌊x⌋ and d = x - f, which floats tell exactly but for -½ < x < 0, where both neighbours of ½ round to 0:
    d < ½: f;  d > ½: f + 1;  else, and for an infinity or NaN, whose d is NaN: 2⌊(f + 1)/2⌋.
    """
    half = site.like(0.5, element, "half")
    floor = site.emit("Floor", x)
    rest = site.emit("Sub", x, floor, hint="rest")
    above = site.emit("Add", floor, site.like(1, element, "one"), hint="above")
    even = site.emit("Floor", site.emit("Mul", above, half), hint="half")
    even = site.emit("Mul", even, site.like(2, element, "two"), hint="even")
    upper = site.emit("Where", site.emit("Greater", rest, half), above, even, hint="upper")
    return site.emit("Where", site.emit("Less", rest, half), floor, upper, to=to, hint="rounded")


@rule("Mod", 10, None)
def mod(site: Site) -> None:
    """The remainder with the sign of the divisor, or with fmod=1 that of the dividend, of integers.

    r = a - (a / b)·b is one of the two that there are, whichever way the division rounds; where it has the wrong sign
    the other is r + b or r - b.
    """
    a, b = site.inputs
    element = site.need_element(a)
    fmod = bool(site.attr("fmod", 0))
    if element not in (*_UNSIGNED, *_WIDE, *_SMALL):
        site.block(
            "the operator is new in opset 10, and the remainder of floats is exact, which none that is made of a "
            "rounded quotient is"
        )
    target = site.outputs[0]
    wide = element
    if element in _SMALL:
        wide, target = TensorProto.INT32, site.fresh("remainder")
        a, b = site.cast(a, wide), site.cast(b, wide)
    elif element in _UNSIGNED:
        _remainder(site, a, b, to=target)
        return
    rest = _remainder(site, a, b)
    zero = site.like(0, wide, "zero")
    sign = a if fmod else b
    differ = site.emit("Xor", site.emit("Less", rest, zero), site.emit("Less", sign, zero), hint="signs_differ")
    some = site.emit("Not", site.emit("Equal", rest, zero))
    other = site.emit("Sub" if fmod else "Add", rest, b, hint="other")
    site.emit("Where", site.emit("And", differ, some), other, rest, to=target)
    if target != site.outputs[0]:
        site.cast(target, element, site.outputs[0])


def _remainder(site: Site, a: str, b: str, to: str | None = None) -> str:
    whole = site.emit("Mul", site.emit("Div", a, b), b, hint="whole")
    return site.emit("Sub", a, whole, to=to, hint="remainder")
