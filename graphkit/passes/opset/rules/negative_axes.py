"""An axis attribute that counts from the back, which older definitions do not have: it is counted from the front."""

from __future__ import annotations

from typing import Any

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, front
from graphkit.passes.opset.site import Site


@rule("ArgMax", 11, 1)
@rule("ArgMin", 11, 1)
@rule("Compress", 11, 9)
@rule("Concat", 11, 4)
@rule("Flatten", 11, 9)
@rule("Hardmax", 11, 1)
@rule("LogSoftmax", 11, 1)
@rule("Softmax", 11, 1)
@rule("Split", 11, 2)
def axis_from_the_front(site: Site) -> None:
    """An axis of -1 becomes rank - 1. An axis that is not set has its default, which is none of these."""
    check(site)
    axis = site.attr("axis")
    if axis is not None and axis < 0:
        ranked = site.inputs if site.op == "Concat" else site.inputs[:1]
        site.rewrite(axis=front(site, int(axis), *ranked))


@rule("Scan", 11, 9)
def scan_axes_from_the_front(site: Site) -> None:
    """The axes of scanned inputs and outputs; inputs and outputs both list the states first."""
    check(site)
    count = int(site.attr("num_scan_inputs"))
    states = len(site.inputs) - count
    changed: dict[str, Any] = {}
    for name, tensors in (("scan_input_axes", site.inputs[states:]), ("scan_output_axes", site.outputs[states:])):
        axes = [int(axis) for axis in site.attr(name, [])]
        if any(axis < 0 for axis in axes):
            changed[name] = [front(site, axis, tensor) for axis, tensor in zip(axes, tensors, strict=True)]
    if changed:
        site.rewrite(**changed)
