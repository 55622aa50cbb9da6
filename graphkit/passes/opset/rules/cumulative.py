"""CumSum and CumProd by a Scan, which adds or multiplies in the same order, whatever the length."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import extents, typed
from graphkit.passes.opset.rules.indices import wrapped
from graphkit.passes.opset.site import Site


@rule("CumSum", 11, None)
def cumulative_sum(site: Site) -> None:
    """y[i] = y[i - 1] + x[i], y[-1] = 0."""
    _scan(site, "Add", 0)


@rule("CumProd", 26, None)
def cumulative_product(site: Site) -> None:
    """y[i] = y[i - 1] · x[i], y[-1] = 1."""
    _scan(site, "Mul", 1)


def _scan(site: Site, op: str, neutral: int) -> None:
    """One step of the Scan takes the sum so far and x[i], and gives the sum with it; exclusive: the sum without it."""
    x = site.input(0)
    element, rank = site.need_element(x), site.need_rank(x)
    axis = site.value(site.input(1)) if rank > 1 else np.array(0)
    if axis is not None:
        _along(site, op, neutral, element, site.axes(axis.reshape(-1), rank)[0], site.outputs[0])
        return
    # Along every axis, to choose from at run time.
    chosen = typed(site, site.input(1), TensorProto.INT64)
    chosen = wrapped(site, chosen, site.const(rank), TensorProto.INT64)
    made = _along(site, op, neutral, element, 0, site.fresh("along"))
    for place in range(1, rank):
        other = _along(site, op, neutral, element, place, site.fresh("along"))
        this = site.emit("Equal", chosen, site.const(place))
        made = site.emit("Where", this, other, made, to=site.outputs[0] if place == rank - 1 else None)


def _along(site: Site, op: str, neutral: int, element: int, axis: int, to: str) -> str:
    x, rank = site.input(0), site.need_rank(site.input(0))
    exclusive, reverse = bool(site.attr("exclusive", 0)), int(bool(site.attr("reverse", 0)))
    dtype = onnx.helper.tensor_dtype_to_np_dtype(element)
    value = onnx.numpy_helper.from_array(np.array([neutral]).astype(dtype))
    start = site.emit(
        "ConstantOfShape", extents(site, x, [a for a in range(rank) if a != axis]), value=value, hint="start"
    )
    names = {hint: site.fresh(hint) for hint in ("before", "item", "after", "given")}
    body = onnx.helper.make_graph(
        [
            onnx.helper.make_node(op, [names["before"], names["item"]], [names["after"]]),
            onnx.helper.make_node("Identity", [names["before" if exclusive else "after"]], [names["given"]]),
        ],
        site.fresh("body"),
        [_info(names["before"], element), _info(names["item"], element)],
        [_info(names["after"], element), _info(names["given"], element)],
    )
    site.emit_many(
        "Scan",
        [start, x],
        [site.fresh("last"), to],
        body=body,
        num_scan_inputs=1,
        scan_input_axes=[axis],
        scan_output_axes=[axis],
        scan_input_directions=[reverse],
        scan_output_directions=[reverse],
    )
    return to


def _info(name: str, element: int) -> onnx.ValueInfoProto:
    kind = onnx.TypeProto(tensor_type=onnx.TypeProto.Tensor(elem_type=element))
    return onnx.ValueInfoProto(name=name, type=kind)
