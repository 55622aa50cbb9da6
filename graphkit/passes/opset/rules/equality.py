"""Equal: only int32, int64 and bool before opset 11."""

from __future__ import annotations

from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import SHORTS, cast
from graphkit.passes.opset.site import Site

_AS_INTEGERS: dict[int, int] = {**SHORTS, TensorProto.UINT32: TensorProto.INT64}
_FLOATS: dict[int, int | None] = {
    TensorProto.FLOAT16: TensorProto.FLOAT,
    TensorProto.FLOAT: None,
    TensorProto.DOUBLE: None,
}


@rule("Equal", 11, 7)
def equal_of_fewer_types(site: Site) -> None:
    """Small integers as larger ones; others by what they are not.

    a = b ⇔ ¬(a < b ∨ a > b), but for NaN, which is neither less nor greater than anything, nor equal.
    """
    element = site.element(site.input(0)) or site.element(site.input(1))
    if element in _AS_INTEGERS:
        site.rewrite(inputs=[cast(site, name, _AS_INTEGERS[element]) for name in site.inputs])
        return
    if element is None or (element not in _FLOATS and element != TensorProto.UINT64):
        derive(site)
        return
    wide = _FLOATS.get(element)
    a, b = (cast(site, name, wide) if wide else name for name in site.inputs)
    unequal = site.emit("Or", site.emit("Less", a, b), site.emit("Greater", a, b))
    if element in _FLOATS:
        unequal = site.emit("Or", unequal, site.emit("Or", site.emit("IsNaN", a), site.emit("IsNaN", b)))
    site.rewrite(op="Not", inputs=[unequal])
