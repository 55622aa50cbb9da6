"""Resize with aligned corners: what happens where scales do not give a whole number of pixels."""

from __future__ import annotations

from math import isclose

from graphkit.facts.node import Dimension, NodeFacts
from graphkit.runtimes.constraints.checks import Answer, first
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import resizing


@constraint(
    "onnxruntime-cpu openvino onnxruntime-openvino opencv mnn",
    "Resize",
    citation="pip onnx 1.23.2, node test resize_downsample_scales_linear_align_corners, which none of them passes",
    evidence="probe",
    wrong=True,
)
def _fractions(node: NodeFacts) -> Answer:
    """ONNX aligns the corner of the scaled image, whose size may be a fraction; runtimes that of the rounded one."""
    made = resizing(node)
    if made.transform != "align_corners" or not made.smooth or made.by_sizes:
        return None
    shape = made.data.shape if made.data is not None and made.data.shape is not None else ()
    if made.factors is None or len(shape) != len(made.factors):
        return Unknown("it is not known whether its scales give a whole number of pixels, as align_corners needs")
    return first(*(_fraction(factor, size) for factor, size in zip(made.factors, shape, strict=True)))


def _fraction(factor: float | None, size: Dimension) -> Answer:
    if factor is None or (not isinstance(size, int) and not _whole(factor)):
        return Unknown("it is not known whether its scales give a whole number of pixels, as align_corners needs")
    if not isinstance(size, int) or _whole(factor * size):
        return None
    return f"it scales {size} by {factor:g} with align_corners, and rounds the size before it aligns"


def _whole(value: float) -> bool:
    return isclose(value, round(value), rel_tol=1e-5)
