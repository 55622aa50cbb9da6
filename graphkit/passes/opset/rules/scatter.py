"""Scatter, which became ScatterElements with opset 11, and reductions of ScatterElements and ScatterND."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from graphkit.passes.opset.difference import check_types, difference
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.dimensions import extent, extents, join
from graphkit.passes.opset.rules.indices import dimension, measured, never_negative, wrapped
from graphkit.passes.opset.site import Site

_COMBINE = {"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}
_UNCOMBINED = (TensorProto.BOOL, TensorProto.STRING, TensorProto.COMPLEX64, TensorProto.COMPLEX128)


@rule("Scatter", 9, 11)
def scatter_elements(site: Site) -> None:
    """The same under another name."""
    site.rewrite(op="ScatterElements")


@rule("Scatter", 11, 9)
def scatter_as_it_was(site: Site) -> None:
    """The same, said to be deprecated."""


@rule("ScatterElements", 11, None)
def scatter(site: Site) -> None:
    """The same under another name, but for negative indices, of which 9 says nothing: i < 0 ? i + size : i."""
    inputs = site.inputs
    data, index = inputs[0], inputs[1]
    if not never_negative(site, index):
        axis = int(site.attr("axis", 0))
        known, size = site.value(index), dimension(site, data, axis)
        if known is not None and size is not None:
            inputs[1] = site.const(np.where(known < 0, known + size, known), known.dtype, "indices")
        else:
            element = site.need_element(index)
            inputs[1] = wrapped(site, index, measured(site, data, axis, element), element)
    site.rewrite(op="Scatter", inputs=inputs)


@rule("ScatterElements", 16, 13)
@rule("ScatterND", 16, 13)
def no_reduction(site: Site) -> None:
    """Reductions came with 16."""
    assert site.new is not None
    check_types(site, difference(site.op, site.old, site.new))
    if site.attr("reduction", "none") != "none":
        _reduce(site)
    elif site.attribute("reduction") is not None:
        site.rewrite(drop=["reduction"])


@rule("ScatterElements", 18, 16)
@rule("ScatterND", 18, 16)
def no_reduction_to_extremes(site: Site) -> None:
    """Max and min came with 18."""
    if site.attr("reduction", "none") in ("max", "min"):
        _reduce(site)


def _reduce(site: Site) -> None:
    """Combine what is there with an update and put it back, for one place along an axis after another.

    Two updates of the same element have to be combined one after the other, and a node without reduction must not
    be given two. ScatterElements has at most one for an element at each place along its axis, since there the other
    indices are that place's own; of ScatterND's, one row is one.
    """
    element = site.need_element(site.input(0))
    if element in _UNCOMBINED:
        site.block(f"its reduction={site.shown('reduction')} does not exist there")
    combine = _COMBINE[site.attr("reduction", "none")]
    parts = _elements(site) if site.op == "ScatterElements" else _rows(site)
    data, output = site.input(0), site.outputs[0]
    indices, updates, axis, count = parts
    attrs: dict[str, Any] = {"axis": axis} if site.op == "ScatterElements" else {}
    gather = "GatherElements" if site.op == "ScatterElements" else "GatherND"
    if dimension(site, indices, axis) == 1:
        held = site.emit(gather, data, indices, **attrs)
        site.rewrite(inputs=[data, indices, site.emit(combine, held, updates)], drop=["reduction"])
        return
    step, going, state, place, index, update, held, new, still, result = (
        site.fresh(hint)
        for hint in ("step", "going", "state", "place", "index", "update", "held", "new", "still", "result")
    )
    make, shape = onnx.helper.make_node, site.shape(data)
    nodes = [
        make("Reshape", [step, site.const([1], hint="shape")], [place]),
        make("Gather", [indices, place], [index], axis=axis),
        make("Gather", [updates, place], [update], axis=axis),
        make(gather, [state, index], [held], **attrs),
        make(combine, [held, update], [new]),
        make(site.op, [state, index, new], [result], **attrs),
        make("Identity", [going], [still]),
    ]
    inside = [
        onnx.helper.make_tensor_value_info(step, TensorProto.INT64, []),
        onnx.helper.make_tensor_value_info(going, TensorProto.BOOL, []),
        onnx.helper.make_tensor_value_info(state, element, shape),
    ]
    outside = [
        onnx.helper.make_tensor_value_info(still, TensorProto.BOOL, []),
        onnx.helper.make_tensor_value_info(result, element, shape),
    ]
    body = onnx.helper.make_graph(nodes, site.fresh("each"), inside, outside)
    drop = [item.name for item in site.node.attribute]
    site.rewrite(op="Loop", inputs=[count, "", data], outputs=[output], drop=drop, body=body)


def _elements(site: Site) -> tuple[str, str, int, str]:
    """Indices, updates, the axis along which they are taken one by one, and how many there are."""
    _, indices, updates = site.inputs
    axis = site.axes([int(site.attr("axis", 0))], site.need_rank(indices))[0]
    return indices, updates, axis, _scalar(site, extent(site, indices, axis))


def _rows(site: Site) -> tuple[str, str, int, str]:
    """The same for ScatterND: rows of indices, [rows, k], and updates for each, [rows, …]."""
    data, indices, updates = site.inputs
    rank = site.need_rank(indices)
    depth = dimension(site, indices, rank - 1)
    if depth is None:
        site.block(
            f'its reduction={site.shown("reduction")} does not exist there, and the shape of "{indices}" is not known'
        )
    rows = site.emit("Reshape", indices, site.const([-1, depth], hint="shape"))
    rest = list(range(depth, site.need_rank(data)))
    shape = join(site, site.const([-1], hint="shape"), extents(site, data, rest)) if rest else site.const([-1])
    return rows, site.emit("Reshape", updates, shape), 0, _scalar(site, extent(site, rows, 0))


def _scalar(site: Site, size: str) -> str:
    known = site.value(size)
    if known is not None:
        return site.const(int(known.reshape(-1)[0]), hint="count")
    return site.emit("Reshape", size, site.const(np.zeros(0), hint="shape"))
