"""MatMulInteger, ConvInteger, QLinearMatMul and QLinearConv: products of integers of 8 bits, to the bit."""

from __future__ import annotations

import math

from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import unsqueeze
from graphkit.passes.opset.rules.linear_quantization import centred, quantized
from graphkit.passes.opset.site import Site

_EXACT = 1 << 24
"""Up to here floats of 32 bits hold every integer."""

_LARGEST = 255
"""What an integer of 8 bits is at most away from its zero point."""


@rule("MatMulInteger", 10, None)
def matmul_integer(site: Site) -> None:
    """(A - a's zero point) · (B - b's), in int32."""
    _product(site, site.input(0), site.input(2), site.input(1), site.input(3), site.outputs[0])


@rule("QLinearMatMul", 10, None)
def qlinear_matmul(site: Site) -> None:
    """That product, times a_scale · b_scale / y_scale, rounded and shifted."""
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = site.inputs
    whole = _product(site, a, a_zero, b, b_zero, site.fresh("product"))
    scale = site.emit("Mul", _by_row(site, a, a_scale), b_scale, hint="scale")
    _rescaled(site, whole, scale, y_scale, y_zero)


@rule("ConvInteger", 10, None)
def conv_integer(site: Site) -> None:
    """Conv of x and w less their zero points; what is padded is 0 then."""
    _convolved(site, site.input(0), site.input(2), site.input(1), site.input(3), site.outputs[0])


@rule("QLinearConv", 10, None)
def qlinear_conv(site: Site) -> None:
    """That Conv and the bias, times x_scale · w_scale / y_scale, rounded and shifted."""
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = site.inputs[:8]
    whole = _convolved(site, x, x_zero, w, w_zero, site.fresh("product"))
    behind = site.need_rank(w) - 2
    if site.has(8):
        bias = unsqueeze(site, site.input(8), list(range(1, behind + 1)))
        whole = site.emit("Add", whole, bias, hint="sum")
    scale = site.emit("Mul", x_scale, _by_channel(site, w_scale, behind), hint="scale")
    _rescaled(site, whole, scale, y_scale, y_zero)


def _rescaled(site: Site, whole: str, scale: str, y_scale: str, y_zero: str) -> None:
    factor = site.emit("Div", scale, y_scale, hint="factor")
    scaled = site.emit("Mul", site.cast(whole, TensorProto.FLOAT), factor, hint="scaled")
    quantized(site, scaled, y_zero, site.outputs[0])


def _product(site: Site, a: str, a_zero: str, b: str, b_zero: str, to: str) -> str:
    left = centred(site, a, _by_row(site, a, a_zero) if a_zero else "")
    return site.emit("MatMul", left, centred(site, b, b_zero), to=to)


def _by_row(site: Site, a: str, values: str) -> str:
    """Values of one dimension are one for each row of the matrices."""
    return unsqueeze(site, values, [1]) if site.need_rank(values) == 1 and site.need_rank(a) > 1 else values


def _by_channel(site: Site, values: str, behind: int) -> str:
    """Values of one dimension are one for each channel, of which so many dimensions are behind."""
    return unsqueeze(site, values, list(range(1, behind + 1))) if site.need_rank(values) == 1 else values


def _convolved(site: Site, x: str, x_zero: str, w: str, w_zero: str, to: str) -> str:
    """Conv in float, in which sums are exact as long as they stay below 2²⁴.

    For that w is taken apart into digits to the base 2^b, from the lowest: w = (w mod 2^b) + 2^b · ⌊w / 2^b⌋.
    """
    shape = site.shape(w)
    sizes = [size for size in shape or () if isinstance(size, int)]
    if shape is None or len(sizes) != len(shape):
        site.block(f'how many products it sums up is not known, as the shape of "{w}" is not', "static shapes tell it")
    terms = max(math.prod(sizes[1:]), 1)
    bits = (_EXACT // (terms * _LARGEST) + 1).bit_length() - 1
    if not bits:
        site.block(f"it sums up {terms} products, too many for older operators to be exact")
    if w_zero:
        # One for each filter: all behind the first dimension.
        filters = list(range(1, len(sizes)))
        w_zero = unsqueeze(site, w_zero, filters) if site.need_rank(w_zero) == 1 else w_zero
    image = site.cast(centred(site, x, x_zero), TensorProto.FLOAT)
    rest = site.cast(centred(site, w, w_zero), TensorProto.FLOAT)
    settings = {item.name: site.attr(item.name) for item in site.node.attribute}
    total, unit, left = "", 1, _LARGEST
    base = site.like(1 << bits, TensorProto.FLOAT, "base")
    while True:
        last = left < 1 << bits
        digit = rest
        if not last:
            higher = site.emit("Floor", site.emit("Div", rest, base), hint="higher")
            digit = site.emit("Sub", rest, site.emit("Mul", higher, base), hint="digit")
            # The lowest is rounded down to -⌈left / 2^b⌉.
            rest, left = higher, -(-left >> bits)
        part = site.cast(site.emit("Conv", image, digit, **settings), TensorProto.INT32)
        if unit > 1:
            part = site.emit("Mul", part, site.like(unit, TensorProto.INT32, "unit"))
        final = to if last else None
        total = site.emit("Add" if total else "Identity", *([total] if total else []), part, to=final, hint="sum")
        if last:
            return total
        unit <<= bits
