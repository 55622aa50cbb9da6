"""Clip: bounds as attributes before opset 11, inputs from then on; integers since 12.

Clip(x, min, max) = Min(Max(x, min), max), for a NaN as for the rest, and where min > max too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)
_SHORT = (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)


@rule("Clip", 12, 11)
def integers(site: Site) -> None:
    """Integers of up to 16 bits are clipped as floats, which hold them; longer ones are compared one by one."""
    element = site.need_element(site.input(0))
    if element in _FLOATS:
        derive(site)
        return
    bounds = [name if site.has(index) else "" for index, name in enumerate([*site.inputs, "", ""][1:3], 1)]
    if not any(bounds):
        site.rewrite(op="Identity", inputs=[site.input(0)])
        return
    if element in _SHORT:
        given = [_as(site, name, TensorProto.FLOAT) if name else "" for name in (site.input(0), *bounds)]
        clipped = site.fresh("clipped")
        site.rewrite(inputs=given, outputs=[clipped])
        site.cast(clipped, element, site.outputs[0])
        return
    # onnxruntime compares no uint32 at that opset.
    inner = TensorProto.INT64 if element == TensorProto.UINT32 else element
    data = _as(site, site.input(0), inner) if inner != element else site.input(0)
    for name, compare in zip(bounds, ("Less", "Greater"), strict=True):
        if name:
            bound = _as(site, name, inner) if inner != element else name
            last = inner == element and (compare == "Greater" or not bounds[1])
            beyond = site.emit(compare, data, bound, hint="beyond")
            data = site.emit("Where", beyond, bound, data, to=site.outputs[0] if last else None, hint="clipped")
    if inner != element:
        site.cast(data, element, site.outputs[0])


def _as(site: Site, name: str, element: int) -> str:
    """A tensor in another type: a constant where it is one."""
    value = site.value(name)
    return site.cast(name, element) if value is None else site.like(value, element)


@rule("Clip", 11, 6)
def bounds_as_attributes(site: Site) -> None:
    """Bounds that a 32 bit float holds become attributes; for others there are Max and Min."""
    check(site)
    element = site.need_element(site.input(0))
    limits = np.finfo(onnx.helper.tensor_dtype_to_np_dtype(element))
    attributes: dict[str, Any] = {}
    unfit = False
    bounds: list[str] = []
    for index, (name, limit) in enumerate((("min", limits.min), ("max", limits.max)), 1):
        if not site.has(index):
            if element == TensorProto.FLOAT:
                bounds.append("")  # the attribute's default
                continue
            value: float | None = float(limit)
        else:
            constant = site.value(site.input(index))
            value = None if constant is None or constant.size != 1 else float(constant.reshape(-1)[0])
        if value is None or not _is_float(value):
            unfit = True
        else:
            attributes[name] = value
        bounds.append(site.input(index) if site.has(index) else site.like(limit, element, name))
    if not unfit:
        site.rewrite(inputs=[site.input(0)], **attributes)
        return
    data = site.input(0)
    if bounds[0]:
        to = site.fresh("max") if bounds[1] else site.outputs[0]
        site.rewrite(op="Max", inputs=[data, bounds[0]], outputs=[to])
        data = to
    if bounds[1] and bounds[0]:
        site.emit("Min", data, bounds[1], to=site.outputs[0])
    elif bounds[1]:
        site.rewrite(op="Min", inputs=[data, bounds[1]])


def _is_float(value: float) -> bool:
    """Whether a 32 bit float holds a value. NaN is left to Min and Max."""
    with np.errstate(over="ignore"):
        return float(np.float32(value)) == value


@rule("Clip", 6, 11)
def bounds_as_inputs(site: Site) -> None:
    """Bounds of the data's type. The attributes' defaults are the limits of a 32 bit float, in a double too."""
    element = site.need_element(site.input(0))
    limits = np.finfo(np.float32)
    inputs = [site.input(0)]
    for name, limit in (("min", float(limits.min)), ("max", float(limits.max))):
        value = float(site.attr(name, limit))
        # The same limit where the input is left out; for a float16, which cannot hold the attribute's default, its own.
        usual = value == limit and (element == TensorProto.FLOAT or site.attribute(name) is None)
        if usual and element != TensorProto.DOUBLE:
            inputs.append("")
            continue
        with np.errstate(over="ignore"):
            inputs.append(site.like(value, element, name))
    site.rewrite(inputs=inputs, drop=["min", "max"])
