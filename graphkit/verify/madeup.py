"""Made-up boxes and scores: a random input finds nothing over a usual threshold, and nothing proves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections, Seam
from graphkit.verify.references.iou import corners

ANCHORS = 600
BATCH = 3
_CANVAS = 640
_FLOAT32 = np.dtype(np.float32)


def made_up(
    seam: Seam, contract: NmsContract, seed: int, dtype: np.dtype[Any] = _FLOAT32
) -> tuple[dict[str, NDArray[Any]], RawDetections]:
    """Boxes and scores for one round, where suppression really happens.

    Each image holds clusters of boxes that overlap by anything from a little to all, several classes a cluster, equal
    scores, boxes without area, scores at and around the threshold, and many boxes under it. Rounds take turns (by
    `seed`): some objects, more objects than max_detections, and more candidates than `contract.candidates`. In a batch
    of more than one the last image has nothing over the threshold, and where the batch is one every image of a round.

    Coordinates are multiples of 1/8 pixel, so that corners, centres and class offsets are the same in any order of
    arithmetic and only what suppression decides is compared.

    Extras are random too, so that a row of the wrong candidate shows. Rotated boxes turn by multiples of pi / 64, and
    are at least 2 pixels wide and high.

    Args:
        seam: Layouts and sizes. A free number of candidates becomes 600, a free batch 3.
        contract: For the thresholds and limits.
        seed: Of the values.
        dtype: Of both tensors, float32 or float16; the reference sees what float16 can hold.

    Returns:
        Tensor name -> value as the seam wants it (boxes in pixels); and the same candidates for the reference.
    """
    rng = np.random.default_rng([seed, 7])
    anchors = seam.anchors if seam.anchors is not None else ANCHORS
    batch = seam.batch if seam.batch is not None else BATCH
    kinds = [
        "some",
        "many",
        *(["flood"] if contract.candidates is not None else []),
        *(["empty"] if batch == 1 else []),
    ]
    kind = kinds[seed % len(kinds)]
    boxes = np.zeros((batch, anchors, 4), np.float32)
    scores = np.zeros((batch, anchors, seam.classes), np.float32)
    for image in range(batch):
        empty = batch > 1 and image == batch - 1
        boxes[image], scores[image] = _image(rng, anchors, seam.classes, contract, "empty" if empty else kind)
    boxes, scores = boxes.astype(dtype).astype(np.float32), scores.astype(dtype).astype(np.float32)
    fed_scores = scores
    if seam.logits:
        fed_scores, scores = _logits(scores, dtype)
    fed: dict[str, NDArray[Any]] = {}
    extras: dict[str, NDArray[np.float32]] = {}
    for kind in (kind for kind in seam.extras if kind != "angle"):
        scale = _CANVAS if kind == "keypoints" else 2.0
        made = rng.normal(0, scale, (batch, anchors, seam.widths[kind])).astype(dtype)
        extras[kind] = made.astype(np.float32)
        fed[seam.extras[kind]] = _laid(made, seam.box_layout)
    if contract.rotated:
        # Without area the covariance is singular, and rounding decides what overlaps.
        boxes[..., 2:] = np.maximum(boxes[..., 2:], 2)
        angle = (rng.integers(-16, 48, (batch, anchors, 1)) / 64 * np.pi).astype(dtype).astype(np.float32)
        raw_boxes = np.concatenate([boxes, angle], axis=-1)
        coded = boxes if "angle" in seam.extras else raw_boxes
        if "angle" in seam.extras:
            fed[seam.extras["angle"]] = _laid(angle.astype(dtype), seam.box_layout)
    else:
        raw_boxes = corners(boxes)
        if seam.box_coding == "corners":  # what is fed is rounded, so the reference sees it rounded
            raw_boxes = raw_boxes.astype(dtype).astype(np.float32)
        coded = boxes if seam.box_coding == "center-size" else raw_boxes
    fed[seam.boxes] = _laid(coded.astype(dtype), seam.box_layout)
    fed[seam.scores] = _laid(fed_scores.astype(dtype), seam.score_layout)
    return fed, RawDetections(raw_boxes, scores, extras)


def _laid(values: NDArray[Any], layout: str) -> NDArray[Any]:
    """[B, A, E] as the seam wants it."""
    return np.ascontiguousarray(values.transpose(0, 2, 1) if layout == "cn" else values)


def _logits(scores: NDArray[np.float32], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """Logits of scores, and the scores that float32 makes of them again."""
    inside = np.clip(scores.astype(np.float64), 1e-9, 1 - 1e-7)
    logits = np.log(inside / (1 - inside)).astype(dtype)
    back = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return logits, back.astype(np.float32)


def _image(
    rng: np.random.Generator, anchors: int, classes: int, contract: NmsContract, kind: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centre-size boxes [A, 4] and scores [A, C] of one image."""
    confidence = contract.confidence
    low = np.float32(max(0.0, confidence) * 0.9)
    # Under the threshold there is something in every class: a part that ignores the threshold shows.
    scores = (rng.random((anchors, classes), np.float32) * low).astype(np.float32)
    boxes = np.concatenate([rng.uniform(0, _CANVAS, (anchors, 2)), rng.uniform(4, 120, (anchors, 2))], axis=1)
    per_cluster = {"some": 4, "many": 2, "flood": 8, "empty": 1}[kind]
    # A full list hides what the threshold lets through: "some" stays under max_detections with every pair counted.
    some = max(1, min(160, int(contract.max_detections / 1.6)))
    many = per_cluster * (contract.max_detections + 20)
    members = min(anchors, {"some": some, "many": many, "flood": anchors, "empty": 0}[kind])
    if members and classes:
        cluster = np.arange(members) // per_cluster
        count = int(cluster[-1]) + 1
        centre = rng.uniform(0.05 * _CANVAS, 0.95 * _CANVAS, (count, 2))
        size = rng.uniform(16, 64 if kind == "some" else 24, (count, 2))
        label = rng.integers(0, classes, count)
        spread = rng.uniform(0, 0.5, (members, 1)) * size[cluster]
        boxes[:members, :2] = centre[cluster] + rng.uniform(-1, 1, (members, 2)) * spread
        boxes[:members, 2:] = size[cluster] * rng.uniform(0.8, 1.25, (members, 2))
        boxes[3:members:29, 2] = 0
        main = label[cluster].copy()
        main[rng.random(members) < 0.2] = rng.integers(0, classes)
        row = np.arange(members)
        scores[row, main] = _over(rng, members, confidence)
        if classes > 1:
            second = (main + 1 + rng.integers(0, classes - 1, members)) % classes
            chosen = rng.random(members) < 0.3
            scores[row[chosen], second[chosen]] = _over(rng, int(chosen.sum()), confidence)
        # Equal scores, within a cluster and across clusters.
        ties = row[5::17]
        scores[ties, main[ties]] = scores[ties - 1, main[ties - 1]]
        # Around the threshold on both sides: this tells 0.25 from 0.26.
        near = row[2::6]
        off = rng.uniform(5e-4, 0.02, len(near)) * rng.choice([-1, 1], len(near))
        scores[near, main[near]] = np.clip(confidence + off, 0, 1)
        exact = row[7::41]
        scores[exact, main[exact]] = np.float32(confidence)
        # A real detector's candidates come in no order.
        order = rng.permutation(anchors)
        boxes, scores = boxes[order], scores[order]
    return (np.round(boxes * 8) / 8).astype(np.float32), scores


def _over(rng: np.random.Generator, count: int, confidence: float) -> NDArray[np.float32]:
    """Scores over the threshold, most of them far enough over it not to be in doubt."""
    room = max(0.0, 1.0 - confidence)
    return (confidence + room * rng.uniform(0.01, 1, count)).astype(np.float32)
