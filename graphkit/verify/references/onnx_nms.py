"""ONNX NonMaxSuppression, versions 10 and 11, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkit.verify.references.greedy import greedy
from graphkit.verify.references.iou import corners, ordered


def non_max_suppression(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    max_output_boxes_per_class: int = 0,
    iou_threshold: float = 0.0,
    score_threshold: float | None = None,
    center_point_box: bool = False,
) -> NDArray[np.int64]:
    """Select boxes as the ONNX operator specification (NonMaxSuppression-10, -11) says.

    Where the specification is silent this follows onnxruntime's CPU kernel: equal scores go by the lower box index;
    IoU is float32 and boxes without area suppress nothing; NaN scores never pass a threshold; a negative
    max_output_boxes_per_class is 0.

    Args:
        boxes: float32 [B, N, 4]; any diagonal corners (y1 x1 y2 x2), or cx cy w h with `center_point_box`.
        scores: float32 [B, C, N].
        max_output_boxes_per_class: The operator's default, 0, returns nothing.
        iou_threshold: Suppresses IoU > threshold, 0..1.
        score_threshold: Keeps score > threshold; None (the input is absent) keeps every score.
        center_point_box: How the boxes are coded.

    Returns:
        int64 [K, 3], rows of batch, class, box; by batch, then class, then descending score.

    Raises:
        ValueError: Shapes that do not belong together, or an IoU threshold outside 0..1.
    """
    if boxes.ndim != 3 or scores.ndim != 3 or boxes.shape[2] != 4:
        raise ValueError(f"boxes must be [B, N, 4] and scores [B, C, N], not {boxes.shape} and {scores.shape}")
    if boxes.shape[0] != scores.shape[0] or boxes.shape[1] != scores.shape[2]:
        raise ValueError(f"boxes {boxes.shape} and scores {scores.shape} differ in batch or in number of boxes")
    if not 0 <= iou_threshold <= 1:
        raise ValueError(f"iou_threshold must be in 0..1, not {iou_threshold}")
    corner = ordered(corners(boxes) if center_point_box else boxes)
    rows: list[NDArray[np.int64]] = []
    for batch, of_image in enumerate(scores):
        for label, of_class in enumerate(of_image):
            passing = np.arange(len(of_class))
            if score_threshold is not None:
                passing = np.flatnonzero(of_class > np.float32(score_threshold))
            order = passing[np.argsort(-of_class[passing], kind="stable")]
            kept = order[
                greedy(corner[batch][order], None, np.float32(iou_threshold), max(0, max_output_boxes_per_class), False)
            ]
            rows.append(np.stack([np.full_like(kept, batch), np.full_like(kept, label), kept], axis=1))
    return np.concatenate(rows) if rows else np.zeros((0, 3), np.int64)
