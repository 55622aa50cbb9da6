"""Cast and CastLike: attributes that only matter for float8, and infinities in two of its types since opset 24."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.difference import check_types, difference
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

# The types without infinities for which 24 changed what saturation makes of one, and their largest values.
_LARGEST: dict[int, float] = {TensorProto.FLOAT8E4M3FNUZ: 240.0, TensorProto.FLOAT8E5M2FNUZ: 57344.0}
_FLOATS = (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)


@rule("Cast", 19, 13)
@rule("CastLike", 19, 15)
def without_saturate(site: Site) -> None:
    """`saturate` says nothing of types other than float8, which are not admitted there."""
    assert site.new is not None
    check_types(site, difference(site.op, site.old, site.new))
    if site.attribute("saturate") is not None:
        site.rewrite(drop=["saturate"])


@rule("Cast", 24, 23)
@rule("CastLike", 24, 23)
def without_round_mode(site: Site) -> None:
    """`round_mode` only matters for float8e8m0; a saturated infinity is the largest value at 24, and NaN at 23."""
    assert site.new is not None
    goal = _goal(site)
    check_types(site, difference(site.op, site.old, site.new))
    inputs = site.inputs
    if _infinity_matters(site, goal):
        x, element = site.input(0), site.need_element(site.input(0))
        most = [site.like(value, element, "largest") for value in (_LARGEST[goal], -_LARGEST[goal])]
        positive = site.emit("Greater", x, site.like(0.0, element, "zero"))
        inputs[0] = site.emit("Where", site.emit("IsInf", x), site.emit("Where", positive, *most), x)
    if inputs != site.inputs or site.attribute("round_mode") is not None:
        site.rewrite(inputs=inputs, drop=["round_mode"])


@rule("Cast", 23, 24)
@rule("CastLike", 23, 24)
def infinity_saturates(site: Site) -> None:
    """A saturated infinity is NaN at 23, and the largest value at 24."""
    goal = _goal(site)
    if _infinity_matters(site, goal):
        x, element = site.input(0), site.need_element(site.input(0))
        nan = site.like(np.nan, element, "nan")
        site.rewrite(inputs=[site.emit("Where", site.emit("IsInf", x), nan, x), *site.inputs[1:]])


@rule("CastLike", 15, None)
def cast_to_the_known_type(site: Site) -> None:
    """Cast, to the type of the second input."""
    site.rewrite(op="Cast", inputs=[site.input(0)], to=site.need_element(site.input(1)))


def _goal(site: Site) -> int:
    return int(site.attr("to")) if site.op == "Cast" else site.need_element(site.input(1))


def _infinity_matters(site: Site, goal: int) -> bool:
    """Whether an infinity comes out as something else in the other version.

    Raises:
        Blocked: That cannot be told or helped.
    """
    if goal not in _LARGEST or not site.attr("saturate", 1):
        return False
    element = site.need_element(site.input(0))
    if element in (TensorProto.FLOAT8E5M2, TensorProto.STRING):
        site.block("an infinity becomes NaN before opset 24 and the largest value from then on")
    return element in _FLOATS
