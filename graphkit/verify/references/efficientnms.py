"""EfficientNMS_TRT, version "1", in NumPy: checks such a model where there is no TensorRT.

Source of every behaviour below: the README of NVIDIA/TensorRT plugin/efficientNMSPlugin (contract) and its
efficientNMSInference.cu, .cuh and efficientNMSParameters.h (what the README leaves open), read as documentation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.verify.references.greedy import greedy
from graphkit.verify.references.iou import corners, ordered

CANDIDATES = 5000
"""Candidates an image that enter suppression: 5000 on GPUs with 65536 registers a block or more (the plugin's
initialize()), 2000 on Jetson TX1 and TX2. The README's 4096 is the parameter's default, which is overwritten."""

Outputs = tuple[NDArray[np.int32], NDArray[Any], NDArray[Any], NDArray[np.int32]]


def efficient_nms(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    *,
    score_threshold: float,
    iou_threshold: float,
    max_output_boxes: int,
    background_class: int = -1,
    score_activation: bool = False,
    class_agnostic: bool = False,
    box_coding: int = 0,
) -> Outputs:
    """What the TensorRT plugin EfficientNMS_TRT returns in its standard mode (two inputs).

    - Every pair of box and class competes (multi-label): score >= score_threshold, not the background class. The
      comparison is made in the dtype of the scores.
    - The best 5000 pairs an image enter suppression; equal scores go by the lower pair index (the plugin's order of
      equal scores is not defined above a threshold of 0.007, where atomics fill its list).
    - Suppression drops IoU >= iou_threshold within the class, or over all classes with class_agnostic. IoU is 0 where
      an area is not positive.
    - score_activation compares logits with the threshold's logit and returns sigmoids.
    - Rows from num_dets on are 0 in all outputs, classes too: the plugin clears its outputs before it writes.

    One known fault is not reproduced: below a threshold of 0.007 the plugin also returns rows with score -32768 when
    fewer boxes than max_output_boxes pass. Two approximations in float16: sigmoids are rounded once from float32, and
    sizes are taken from float16 corners in float32, where the plugin rounds each to float16.

    Args:
        boxes: float32 or float16 [B, N, 4] or [B, N, 1 or C, 4], any unit.
        scores: [B, N, C], the same dtype.
        score_threshold: 0..1, also where the scores are logits.
        iou_threshold: 0..1.
        max_output_boxes: K.
        background_class: Class never returned, -1 for none.
        score_activation: The scores are logits.
        class_agnostic: Suppress across classes.
        box_coding: 0 corners in any diagonal order, 1 centre-size.

    Returns:
        num_dets int32 [B, 1]; boxes [B, K, 4], always corners; scores [B, K]; classes int32 [B, K], best first.

    Raises:
        ValueError: Shapes or dtypes the plugin does not take.
    """
    per_class = boxes[:, :, None, :] if boxes.ndim == 3 else boxes
    _check(per_class, scores, box_coding)
    dtype = scores.dtype.type
    batch, _, classes = scores.shape
    decoded = corners(per_class) if box_coding == 1 else per_class
    threshold = _logit(score_threshold) if score_activation else score_threshold
    num = np.zeros((batch, 1), np.int32)
    out_boxes = np.zeros((batch, max_output_boxes, 4), dtype)
    out_scores = np.zeros((batch, max_output_boxes), dtype)
    out_classes = np.zeros((batch, max_output_boxes), np.int32)
    for image in range(batch):
        passing = scores[image] >= dtype(threshold)
        if 0 <= background_class < classes:
            passing[:, background_class] = False
        pairs = np.flatnonzero(passing)
        values = scores[image].reshape(-1)[pairs]
        order = np.argsort(-values, kind="stable")[:CANDIDATES]
        pairs, values = pairs[order], values[order]
        labels = pairs % max(1, classes)
        found = decoded[image][pairs // max(1, classes), labels if decoded.shape[2] > 1 else 0]
        groups = None if class_agnostic else labels.astype(np.int64)
        kept = greedy(_widened(found), groups, np.float32(iou_threshold), max_output_boxes, True)
        rows = len(kept)
        num[image] = rows
        out_boxes[image, :rows] = found[kept]
        out_scores[image, :rows] = _sigmoid(values[kept]) if score_activation else values[kept]
        out_classes[image, :rows] = labels[kept]
    return num, out_boxes, out_scores, out_classes


def _check(boxes: NDArray[Any], scores: NDArray[Any], box_coding: int) -> None:
    if boxes.ndim != 4 or scores.ndim != 3 or boxes.shape[-1] != 4:
        raise ValueError(f"boxes must be [B, N, 4] or [B, N, C, 4] and scores [B, N, C], not {scores.shape}")
    if boxes.shape[:2] != scores.shape[:2] or boxes.shape[2] not in (1, scores.shape[2]):
        raise ValueError(f"boxes {boxes.shape} and scores {scores.shape} do not belong together")
    if boxes.dtype != scores.dtype or scores.dtype not in (np.dtype(np.float32), np.dtype(np.float16)):
        raise ValueError(f"boxes and scores must both be float32 or both float16, not {boxes.dtype}, {scores.dtype}")
    if box_coding not in (0, 1):
        raise ValueError(f"box_coding must be 0 or 1, not {box_coding}")


def _logit(threshold: float) -> float:
    if threshold <= 0:
        return -32768.0
    return float(np.log(np.float32(threshold) / np.float32(1 - threshold))) if threshold < 1 else float("inf")


def _sigmoid(values: NDArray[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        result: NDArray[Any] = (1 / (1 + np.exp(-values.astype(np.float32)))).astype(values.dtype)
    return result


def _widened(boxes: NDArray[Any]) -> NDArray[np.float32]:
    """Ordered corners in float32; float16 coordinates are exact there, so only sizes round differently."""
    return ordered(boxes).astype(np.float32)
