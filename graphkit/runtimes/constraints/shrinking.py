"""Shrinking by a scale: some runtimes only do it where it divides the size."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer
from graphkit.runtimes.constraints.registry import Unknown
from graphkit.runtimes.constraints.resizing import resizing

_NEAR = 1e-4
"""How near to a whole number 1 / scale must be (onnxruntime/core/providers/utils.cc, ReciprocalIsAFactorOfN)."""


def divides(node: NodeFacts) -> Answer:
    """Where one of the last two axes of a Resize shrinks, 1 / scale must be whole and divide the size of both."""
    made = resizing(node)
    if made.factors is None or made.data is None or made.data.shape is None or len(made.data.shape) < 2:
        return Unknown("its scales are not known")
    sides = list(zip(made.factors[-2:], made.data.shape[-2:], strict=True))
    if all(factor is not None and factor >= 1 for factor, _ in sides):
        return None
    for factor, size in sides:
        if factor is None or not isinstance(size, int):
            return Unknown("the size that it shrinks, or by how much, is not known")
        times = round(1 / factor)
        if factor >= 1 or abs(1 / factor - times) >= _NEAR or size % times:
            return f"it resizes {size} by {factor:g}; where it shrinks, 1 / scale must be whole and divide the size"
    return None
