"""DequantizeLinear: scales along an axis, in blocks and of other types, which its older definitions lack.

y = (x - zero_point) · scale. The difference of integers of up to 16 bits is a float, and the product of that of 8 bits
with a float16 or bfloat16 is one, too, so that a single rounding is left.
"""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.scales import along_axis, per_tensor, spread
from graphkit.passes.opset.rules.widening import HALVES, cast, castable, widen
from graphkit.passes.opset.site import Site


@rule("DequantizeLinear", 23, 21)
def dequantized_to_the_type_of_the_scale(site: Site) -> None:
    """Computed in the wider one of the scale's type and output_dtype."""
    scale = site.need_element(site.input(1))
    wanted = int(site.attr("output_dtype", 0)) or scale
    if wanted == scale:
        if site.attribute("output_dtype") is None:
            derive(site)
        else:
            site.rewrite(drop=["output_dtype"])
        return
    made = site.fresh("dequantized")
    inputs = site.inputs
    inputs[1] = cast(site, inputs[1], TensorProto.FLOAT)
    if wanted == TensorProto.FLOAT:
        site.rewrite(inputs=inputs, drop=["output_dtype"])
        return
    site.rewrite(inputs=inputs, outputs=[made], drop=["output_dtype"])
    cast(site, made, wanted, site.outputs[0])


@rule("DequantizeLinear", 21, 19)
def dequantized_bytes(site: Site) -> None:
    """Blocks and 16 bits are written out."""
    element = site.element(site.input(0))
    if int(site.attr("block_size", 0)) > 0 or element in (TensorProto.INT16, TensorProto.UINT16):
        _write_out(site)
    else:
        derive(site)


@rule("DequantizeLinear", 19, 13)
def dequantized_to_floats(site: Site) -> None:
    """Halves as floats."""
    widen(site, HALVES)


@rule("DequantizeLinear", 13, 10)
def dequantized_per_tensor(site: Site) -> None:
    """A scale for each place along an axis is written out."""
    if not per_tensor(site):
        _write_out(site)


def _write_out(site: Site) -> None:
    x, scale = site.inputs[:2]
    if not castable(site.need_element(x), site.to):
        site.block(f"{site.type_string(x)} is not admitted for x in its definition of opset {site.new}")
    output = site.need_element(scale)
    axis, block = along_axis(site), int(site.attr("block_size", 0))
    made = cast(site, x, TensorProto.FLOAT)
    if site.has(2):
        zero = cast(site, spread(site, site.input(2), axis, block), TensorProto.FLOAT)
        made = site.emit("Sub", made, zero)
    factor = cast(site, spread(site, scale, axis, block), TensorProto.FLOAT)
    if output == TensorProto.FLOAT:
        site.emit("Mul", made, factor, to=site.outputs[0])
    else:
        cast(site, site.emit("Mul", made, factor), output, site.outputs[0])
