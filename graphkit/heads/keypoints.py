"""Recognising the arithmetic of keypoints, as the pose heads of ultralytics have it.

For each keypoint, with the anchor point a (in cells) and the level's stride:

    YOLOv8, 11, 12:  xy = (2 · raw + a - 0.5) · stride
    YOLO26:          xy = (raw + a) · stride
    both:            visibility = sigmoid(raw), where there is one
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dims
from graphkit.heads.trace import cut_from, operand, peel, producer, scalar


@dataclass(frozen=True)
class Keypoints:
    """Keypoints in pixels, recognised.

    Attributes:
        source: What the network predicts, [B, count · values, A].
        count: Keypoints a candidate.
        values: Of each keypoint: 2 is x y, 3 is x y visibility.
        scale: 2 where predictions are doubled and measured from half a cell before the anchor point; else 1.
    """

    source: gs.Tensor
    count: int
    values: int
    scale: int


def match_keypoints(tensor: gs.Tensor, dims: Dims) -> Keypoints | None:
    """Recognise keypoints behind layout operators; None where it is not that."""
    folded = producer(peel(tensor).tensor, "Reshape")
    inner = operand(folded, 0) if folded is not None else None
    if inner is None:
        return None
    inner = peel(inner).tensor
    joined = producer(inner, "Concat")
    points, visible = inner, None
    if joined is not None:
        if len(joined.inputs) != 2 or int(joined.attrs.get("axis", 0)) not in (2, -2):
            return None
        points = peel(joined.inputs[0]).tensor
        sigmoid = producer(peel(joined.inputs[1]).tensor, "Sigmoid")
        visible = cut_from(peel(sigmoid.inputs[0]).tensor) if sigmoid is not None else None
        if visible is None:
            return None
    found = _match_points(points)
    if found is None:
        return None
    folded_source, scale = found
    if visible is not None and visible is not folded_source:
        return None
    shape = dims.shape(folded_source)
    unfolded = producer(folded_source, "Reshape")
    source = operand(unfolded, 0) if unfolded is not None else None
    values = 2 if visible is None else 3
    if shape is None or len(shape) != 4 or shape[1] is None or shape[2] != values or source is None:
        return None
    return Keypoints(peel(source).tensor, shape[1], values, scale)


def _match_points(tensor: gs.Tensor) -> tuple[gs.Tensor, int] | None:
    """(raw · scale + a) · stride: the tensor [B, count, values, A] that raw is cut from, and the scale."""
    scaled = producer(tensor, "Mul")
    if scaled is None:
        return None
    for factor in scaled.inputs:
        placed = producer(peel(factor).tensor, "Add")
        if placed is None:
            continue
        for term in placed.inputs:
            raw, scale = peel(term).tensor, 1
            doubled = producer(raw, "Mul")
            if doubled is not None:
                index = next((i for i, item in enumerate(doubled.inputs) if scalar(item) == 2.0), None)
                if index is None:
                    continue
                raw, scale = peel(doubled.inputs[1 - index]).tensor, 2
            source = cut_from(raw)
            if source is None and producer(raw, "Reshape") is not None:
                source = raw  # x y and nothing else: the exporter may leave the cut out
            if source is not None:
                return source, scale
    return None
