"""Reductions: axes as an attribute, later an input (13 for ReduceSum, 18 for the others), and the types they admit."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check, front
from graphkit.passes.opset.site import Site

_OTHERS = tuple(
    f"Reduce{kind}" for kind in ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"]
)
_NAMED = frozenset({"ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum"})
"""Reductions that leave a single element as it is; the others compute something of it."""

_INTEGERS = (TensorProto.INT32, TensorProto.INT64, TensorProto.UINT32, TensorProto.UINT64)


def axes_as_attribute(site: Site) -> None:
    """Without axes, or with an empty list: all of them, or with noop_with_empty_axes none of them."""
    check(site)
    axes = site.need_ints(1, "axes") if site.has(1) else []
    inputs = [site.input(0)]
    gone = ["noop_with_empty_axes"]
    if axes:
        site.rewrite(inputs=inputs, drop=gone, axes=axes)
    elif not site.attr("noop_with_empty_axes", 0):
        site.rewrite(inputs=inputs, drop=gone)
    elif site.op in _NAMED:
        site.rewrite(op="Identity", inputs=inputs, drop=[*gone, "keepdims"])
    else:
        # Only the reduction itself is left out, says the spec, not the square or logarithm: reduce a dimension of 1.
        inner = site.emit("Unsqueeze", site.input(0), site.const([0], hint="axes"), hint="single")
        site.rewrite(inputs=[inner], drop=gone, axes=[0], keepdims=0)


def axes_as_input(site: Site) -> None:
    """Axes, where given, become an input."""
    axes = site.attr("axes")
    if axes is not None:
        inputs = [site.input(0), site.const(axes, hint="axes")] if axes else [site.input(0)]
        site.rewrite(inputs=inputs, drop=["axes"])


def axes_from_the_front(site: Site) -> None:
    """Axes that count from the back came with opset 11."""
    check(site)
    axes = [int(axis) for axis in site.attr("axes", [])]
    if any(axis < 0 for axis in axes):
        site.rewrite(axes=[front(site, axis, site.input(0)) for axis in axes])


rule("ReduceSum", 13, 11)(axes_as_attribute)
rule("ReduceSum", 11, 13)(axes_as_input)
for _op in _OTHERS:
    rule(_op, 18, 13)(axes_as_attribute)
    rule(_op, 13, 18)(axes_as_input)
for _op in (*_OTHERS, "ReduceSum"):
    rule(_op, 11, 1)(axes_from_the_front)


@rule("ReduceMax", 20, 18)
@rule("ReduceMin", 20, 18)
def booleans_as_bytes(site: Site) -> None:
    """max(bool) = bool(max(uint8)), of nothing too: the least of no bytes is 255, which is true."""
    if site.element(site.input(0)) != TensorProto.BOOL:
        derive(site)
        return
    _between_casts(site, TensorProto.UINT8, TensorProto.BOOL)


@rule("ReduceMax", 12, 11)
@rule("ReduceMin", 12, 11)
def bytes_as_floats(site: Site) -> None:
    """A float holds every int8 and uint8."""
    element = site.element(site.input(0))
    if element not in (TensorProto.INT8, TensorProto.UINT8):
        derive(site)
        return
    shape = site.shape(site.input(0))
    if shape is None or any(not isinstance(size, int) or size == 0 for size in shape):
        # Of nothing the result is the type's own limit, and the infinity that floats give instead has no byte.
        unsigned = element == TensorProto.UINT8
        if site.op == "ReduceMax":
            _between_casts(site, TensorProto.FLOAT, element, "Max", 0.0 if unsigned else -128.0)
        else:
            _between_casts(site, TensorProto.FLOAT, element, "Min", 255.0 if unsigned else 127.0)
        return
    _between_casts(site, TensorProto.FLOAT, element)


def _between_casts(site: Site, inner: int, outer: int, bound: str = "", limit: float = 0.0) -> None:
    given = site.cast(site.input(0), inner)
    reduced = site.fresh("reduced")
    site.rewrite(inputs=[given, *site.inputs[1:]], outputs=[reduced])
    if bound:
        reduced = site.emit(bound, reduced, site.like(limit, inner, "limit"))
    site.cast(reduced, outer, site.outputs[0])


@rule("ReduceLogSum", 18, 28)
def logarithm_of_integers(site: Site) -> None:
    """28 admits no integers: sum them, and round the logarithm of that towards zero."""
    element = site.need_element(site.input(0))
    if element not in _INTEGERS:
        return
    summed = site.fresh("sum")
    site.rewrite(op="ReduceSum", outputs=[summed])
    logarithm = site.emit("Log", site.cast(summed, TensorProto.DOUBLE))
    site.cast(logarithm, element, site.outputs[0])


@rule("ReduceLogSumExp", 18, 28)
def exponentials_of_integers(site: Site) -> None:
    """28 admits no integers, and what the exponentials of integers round to is said nowhere: runtimes differ."""
    if site.need_element(site.input(0)) in _INTEGERS:
        site.block("integers are not admitted there, and how they are rounded is not defined", "cast them to float")
