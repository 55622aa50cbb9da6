"""Gather and OneHot: indices that count from the back, which came with opset 11."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, dimension, front, measured, never_negative, wrapped
from graphkit.passes.opset.site import Site


@rule("Gather", 11, 1)
def indices_from_the_front(site: Site) -> None:
    """Where one may be negative, and is not known: i < 0 ? i + n : i."""
    check(site)
    data, index = site.input(0), site.input(1)
    axis = int(site.attr("axis", 0))
    drawn = front(site, axis, data) if site.rank(data) is not None else axis
    if never_negative(site, index):
        changed = index
    else:
        known, size = site.value(index), dimension(site, data, drawn)
        if known is not None and size is not None:
            changed = site.const(np.where(known < 0, known + size, known), known.dtype, "indices")
        else:
            element = site.need_element(index)
            changed = wrapped(site, index, measured(site, data, drawn, element), element)
    if changed != index or drawn != axis:
        site.rewrite(inputs=[data, changed], axis=drawn)


@rule("OneHot", 11, 9)
def classes_from_the_front(site: Site) -> None:
    """No class is negative in 9: i < 0 ? i + depth : i, of i and depth as integers."""
    check(site)
    axis = int(site.attr("axis", -1))
    # -1 is what 9 has by default, so that it can be said there.
    axis = axis if axis == -1 else front(site, axis, site.input(0), more=1)
    inputs = site.inputs
    if not never_negative(site, inputs[0]):
        inputs[0] = _integers(site, inputs[0])
        depth = site.value(inputs[1])
        if depth is not None:
            size = site.const(int(depth.reshape(-1)[0]), hint="depth")
        else:
            size = site.emit("Reshape", _integers(site, inputs[1]), site.const(np.zeros(0), hint="shape"), hint="depth")
        counted = wrapped(site, inputs[0], size, TensorProto.INT64)
        # What is negative still is out of range, as depth is; onnxruntime would count it from the back in 9 too.
        below = site.emit("Less", counted, site.const(0, hint="zero"), hint="below")
        inputs[0] = site.emit("Where", below, size, counted, hint="classes")
    if inputs != site.inputs or axis != site.attr("axis", -1):
        site.rewrite(inputs=inputs, axis=axis)


def _integers(site: Site, name: str) -> str:
    element = site.need_element(name)
    return name if element == TensorProto.INT64 else site.cast(name, TensorProto.INT64)
