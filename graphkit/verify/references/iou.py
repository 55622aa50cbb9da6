"""Intersection over union of boxes, the one definition every reference here shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[Any]


def ordered(boxes: Boxes) -> Boxes:
    """Corners [..., 4] in any diagonal order -> x1 <= x2, y1 <= y2, same dtype.

    ONNX NonMaxSuppression allows "any diagonal pair of box corners", and EfficientNMS_TRT swaps them too.
    """
    first, second = boxes[..., :2], boxes[..., 2:]
    return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=-1)


def iou(left: Boxes, right: Boxes) -> NDArray[Any]:
    """Intersection over union of ordered corner boxes, broadcast over all axes but the last.

    Boxes without area have IoU 0 with everything, themselves included: onnxruntime's NonMaxSuppression never
    suppresses where the intersection or an area is not positive, and EfficientNMS_TRT returns 0 there. NaN
    coordinates give NaN, which no comparison with a threshold lets through.

    Args:
        left: [..., 4], x1 y1 x2 y2 in any unit.
        right: [..., 4], in the same unit.

    Returns:
        [...], the dtype of the boxes, 0..1 or NaN.
    """
    with np.errstate(all="ignore"):
        size_left, size_right = left[..., 2:] - left[..., :2], right[..., 2:] - right[..., :2]
        size = np.minimum(left[..., 2:], right[..., 2:]) - np.maximum(left[..., :2], right[..., :2])
        inter = size[..., 0] * size[..., 1]
        union = size_left[..., 0] * size_left[..., 1] + size_right[..., 0] * size_right[..., 1] - inter
        nothing = (size <= 0).any(axis=-1) | (inter <= 0) | (union <= 0)
        result: NDArray[Any] = np.where(nothing, inter.dtype.type(0), inter / union)
    return result


def corners(boxes: Boxes) -> Boxes:
    """Centre-size boxes [..., 4] (cx cy w h) -> corners (x1 y1 x2 y2), same dtype, same unit."""
    half = boxes[..., 2:] * boxes.dtype.type(0.5)
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
