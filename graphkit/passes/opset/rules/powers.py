"""Pow: base and exponent are of one floating-point type before opset 12."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import cast
from graphkit.passes.opset.site import Site

_FLOATS = (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)
_MOST = 64


@rule("Pow", 12, 7)
def pow_of_one_type(site: Site) -> None:
    """In double, as runtimes compute a power of mixed types, and then to the type of the base.

    A power of integers is a product of integers, which wraps where it does not fit: that is written out where the
    exponent is known. Otherwise only int32 is taken through double, which holds every result that fits.
    """
    base, exponent = site.element(site.input(0)), site.element(site.input(1))
    if base is None or exponent is None or (base == exponent and base in _FLOATS):
        derive(site)
        return
    if base not in _FLOATS and exponent not in _FLOATS:
        power = site.value(site.input(1))
        if power is not None and power.size == 1 and power.ndim == 0 and 0 < int(power) <= _MOST:
            _multiply(site, int(power))
            return
        if base == TensorProto.INT64:
            site.block(
                f"it is an integer power of int64, with an exponent ({site.input(1)}) that is no constant "
                f"from 1 to {_MOST}"
            )
    known = site.value(site.input(1))
    if base in _FLOATS and known is not None and _fits(known, base):
        site.rewrite(inputs=[site.input(0), site.like(known, base, "exponent")])
        return
    wide = site.fresh("power")
    inputs = [cast(site, name, TensorProto.DOUBLE) for name in site.inputs]
    site.rewrite(inputs=inputs, outputs=[wide])
    cast(site, wide, base, site.outputs[0])


def _fits(exponent: NDArray[Any], element: int) -> bool:
    """Whether a type holds all of these values: integers of up to 11 bits fit each."""
    whole = exponent.dtype.kind in "iu" and bool(np.all(np.abs(exponent.astype(np.float64)) <= 2048))
    return whole or (exponent.dtype == np.float32 and element == TensorProto.DOUBLE)


def _multiply(site: Site, power: int) -> None:
    """x^n by squaring: x^(2k) = (x^k)^2, x^(2k+1) = x · (x^k)^2."""
    x = result = site.input(0)
    steps = [step for bit in f"{power:b}"[1:] for step in ("square", "times")[: 1 + int(bit)]]
    if not steps:
        site.rewrite(op="Identity", inputs=[x])
    for index, step in enumerate(steps):
        to = site.outputs[0] if index == len(steps) - 1 else None
        result = site.emit("Mul", result, result if step == "square" else x, to=to)
