"""Final detections from raw ones, by the contract alone: what every embedded NMS is held against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verify.references.greedy import greedy
from graphkit.verify.references.iou import ordered
from graphkit.verify.references.rotated import probiou


@dataclass(frozen=True)
class Detections:
    """The detections of one image, best first.

    Attributes:
        boxes: float32 [n, 4], corners x1 y1 x2 y2 in pixels of the network's input; rotated ones are [n, 5],
            cx cy w h in pixels and the angle in radians.
        scores: float32 [n].
        classes: int64 [n].
        extras: What else belongs to each, float32 [n, E] by kind ("masks", "keypoints").
        candidates: int64 [n], which candidate each is; empty where a model does not say.
        cut: Score of the last candidate that entered where the candidate limit left some out, else -inf: what is not
            better may have been left out itself.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    extras: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    candidates: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    cut: float = -np.inf

    def __len__(self) -> int:
        return len(self.scores)


def detect(raw: RawDetections, contract: NmsContract) -> list[Detections]:
    """Greedy non-maximum suppression in float32.

    Of the (box, class) pairs over the threshold the best `contract.candidates` of an image enter. Equal scores go by
    the lower candidate, then the lower class, and a box's best class is the lowest of equal ones. NaN scores never
    pass, +inf does. A box without area has IoU 0 with everything, so it is kept and suppresses nothing; onnxruntime's
    NonMaxSuppression and EfficientNMS_TRT do the same. Rotated boxes meet by ProbIoU (see `references.rotated`), one
    without area too. Where the contract does not suppress, pairs are filtered and sorted only.

    Args:
        raw: boxes float32 [B, A, 4], corners in pixels, or [B, A, 5] rotated; scores float32 [B, A, C], activated;
            extras float32 [B, A, E].
        contract: Thresholds, semantics and limits.

    Returns:
        One `Detections` an image, at most `max_detections` rows each, with the extras and the index of the candidate
        that each comes from.
    """
    images = zip(raw.boxes, raw.scores, strict=True)
    return [
        _detect_image(boxes, scores, {kind: extra[image] for kind, extra in raw.extras.items()}, contract)
        for image, (boxes, scores) in enumerate(images)
    ]


def _detect_image(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    extras: Mapping[str, NDArray[np.float32]],
    contract: NmsContract,
) -> Detections:
    boxes = boxes.astype(np.float32, copy=False)
    scores = scores.astype(np.float32, copy=False)
    anchors, labels, values = _candidates(scores, contract)
    order = np.argsort(-values, kind="stable")
    limit = contract.candidates
    cut = float(values[order[limit - 1]]) if limit is not None and len(order) > limit else -np.inf
    order = order[:limit]
    anchors, labels, values = anchors[order], labels[order], values[order]
    kept = _kept(boxes[anchors], labels, contract)
    anchors = anchors[kept]
    own = {kind: extra[anchors].astype(np.float32, copy=False) for kind, extra in extras.items()}
    return Detections(boxes[anchors], values[kept], labels[kept], own, anchors, cut)


def _kept(boxes: NDArray[np.float32], labels: NDArray[np.int64], contract: NmsContract) -> NDArray[np.int64]:
    """Positions of the candidates that stay; `boxes` and `labels` are sorted, best first."""
    if not contract.suppress:
        return np.arange(min(len(boxes), contract.max_detections))
    groups = None if contract.semantics == "class-agnostic" else labels
    threshold, limit, equal = np.float32(contract.iou), contract.max_detections, contract.suppress_equal
    if contract.rotated:
        return greedy(boxes, groups, threshold, limit, equal, probiou)
    return greedy(ordered(boxes), groups, threshold, limit, equal)


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
