"""QuantizeLinear: scales along an axis, in blocks and of other types, which its older definitions lack.

y = saturate(round(x / scale) + zero_point), rounding half to even. Where an older definition cannot say it, it is
written out: what is rounded is taken to float before the zero point is added, in which sums of what does not saturate
are exact.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.scales import along_axis, per_tensor, spread
from graphkit.passes.opset.rules.widening import HALVES, cast, widen
from graphkit.passes.opset.site import Site

_INTEGERS = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)


@rule("QuantizeLinear", 23, 21)
def quantized_in_one_precision(site: Site) -> None:
    """X and the scale in the precision that they are divided in: that of the scale, unless `precision` says another."""
    kinds = [site.need_element(name) for name in site.inputs[:2]]
    precision = int(site.attr("precision", 0)) or kinds[1]
    if kinds == [precision, precision]:
        if site.attribute("precision") is None:
            derive(site)
        else:
            site.rewrite(drop=["precision"])
        return
    inputs = [cast(site, name, precision) for name in site.inputs[:2]]
    site.rewrite(inputs=[*inputs, *site.inputs[2:]], drop=["precision"])


@rule("QuantizeLinear", 21, 19)
def quantized_by_zero_point(site: Site) -> None:
    """The output's type is that of the zero point; blocks and 16 bits are written out."""
    element = _output(site)
    blocked = int(site.attr("block_size", 0)) > 0
    if element in _INTEGERS and (blocked or element in _INTEGERS[2:]):
        _write_out(site, element)
        return
    if blocked:
        site.block(f"its attribute block_size={site.shown('block_size')} does not exist there")
    inputs = site.inputs
    if not site.has(2) and element != TensorProto.UINT8:
        shape = site.shape(site.input(1))
        if shape is None or not all(isinstance(size, int) for size in shape):
            site.block("its attribute output_dtype does not exist there, and the shape of its zero point is not known")
        inputs = [*inputs[:2], site.like(np.zeros([int(size or 0) for size in shape]), element, "zero_point")]
    drop = [name for name in ("block_size", "output_dtype") if site.attribute(name) is not None]
    if drop:
        site.rewrite(inputs=inputs, drop=drop)
    else:
        derive(site)


@rule("QuantizeLinear", 19, 13)
def quantized_from_floats(site: Site) -> None:
    """Halves as floats; `saturate` says nothing of integers.

    19 does not say in which precision halves are divided: in float, the quotient is nearer to what it is.
    """
    widen(site, HALVES, ignore=["saturate"])


@rule("QuantizeLinear", 13, 19)
def integers_as_floats(site: Site) -> None:
    """19 has x and the scale of one type, where 13 has a float scale for int32."""
    if site.need_element(site.input(0)) == TensorProto.INT32:
        site.rewrite(inputs=[cast(site, site.input(0), TensorProto.FLOAT), *site.inputs[1:]])


@rule("QuantizeLinear", 13, 10)
def quantized_per_tensor(site: Site) -> None:
    """A scale for each place along an axis is written out."""
    if not per_tensor(site):
        _write_out(site, _output(site))


def _output(site: Site) -> int:
    """The type of the output."""
    if site.has(2):
        return site.need_element(site.input(2))
    return int(site.attr("output_dtype", 0)) or int(TensorProto.UINT8)


def _write_out(site: Site, element: int) -> None:
    x, scale = site.inputs[:2]
    precision = site.need_element(scale)
    if precision not in (TensorProto.FLOAT, *HALVES):
        site.block(f"its scale is of {site.type_string(scale)}")
    axis, block = along_axis(site), int(site.attr("block_size", 0))
    ratio = site.emit("Div", cast(site, x, precision), spread(site, scale, axis, block))
    made = site.emit("Round", cast(site, ratio, TensorProto.FLOAT))
    if site.has(2):
        zero = cast(site, spread(site, site.input(2), axis, block), TensorProto.FLOAT)
        made = site.emit("Add", made, zero)
    bounds = np.iinfo(onnx.helper.tensor_dtype_to_np_dtype(element))
    limits = [site.like(float(bound), TensorProto.FLOAT, "bound") for bound in (bounds.min, bounds.max)]
    cast(site, site.emit("Clip", made, *limits), element, site.outputs[0])
