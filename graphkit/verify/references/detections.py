"""Final detections from raw ones, by the contract alone: what every embedded NMS is held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verify.references.greedy import greedy
from graphkit.verify.references.iou import ordered


@dataclass(frozen=True)
class Detections:
    """The detections of one image, best first.

    Attributes:
        boxes: float32 [n, 4], corners x1 y1 x2 y2 in pixels of the network's input.
        scores: float32 [n].
        classes: int64 [n].
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scores)


def detect(raw: RawDetections, contract: NmsContract) -> list[Detections]:
    """Greedy non-maximum suppression in float32.

    Equal scores go by the lower candidate, then the lower class, and a box's best class is the lowest of equal ones.
    NaN scores never pass, +inf does. A box without area has IoU 0 with everything, so it is kept and suppresses
    nothing; onnxruntime's NonMaxSuppression and EfficientNMS_TRT do the same.

    Args:
        raw: boxes float32 [B, A, 4], corners in pixels; scores float32 [B, A, C], activated.
        contract: Thresholds, semantics and limits.

    Returns:
        One `Detections` an image, at most `max_detections` rows each.
    """
    return [_detect_image(boxes, scores, contract) for boxes, scores in zip(raw.boxes, raw.scores, strict=True)]


def _detect_image(boxes: NDArray[np.float32], scores: NDArray[np.float32], contract: NmsContract) -> Detections:
    boxes = boxes.astype(np.float32, copy=False)
    scores = scores.astype(np.float32, copy=False)
    anchors, labels, values = _candidates(scores, contract)
    order = np.argsort(-values, kind="stable")[: contract.candidates]
    anchors, labels, values = anchors[order], labels[order], values[order]
    found = boxes[anchors]
    groups = None if contract.semantics == "class-agnostic" else labels
    kept = greedy(ordered(found), groups, np.float32(contract.iou), contract.max_detections, contract.suppress_equal)
    return Detections(found[kept], values[kept], labels[kept])


def _candidates(
    scores: NDArray[np.float32], contract: NmsContract
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Candidate, class and score of everything over the threshold, in the order of the scores."""
    confidence = np.float32(contract.confidence)
    passing = scores >= confidence if contract.keep_equal else scores > confidence
    if contract.semantics == "multi-label":
        anchors, labels = np.nonzero(passing)
        return anchors, labels, scores[anchors, labels]
    anchors = np.flatnonzero(passing.any(axis=1))
    rows = scores[anchors]
    labels = np.where(np.isnan(rows), -np.inf, rows).argmax(axis=1) if rows.size else np.zeros(0, np.int64)
    return anchors, labels.astype(np.int64), rows[np.arange(len(rows)), labels]
