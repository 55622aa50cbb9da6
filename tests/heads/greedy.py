"""Greedy NMS for one image, written plainly and independently of graphkit: what the embedded one has to return."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = tuple[float, int, int]
"""Score, class, index of the box."""


def overlap(a: NDArray[Any], b: NDArray[Any]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / union) if union > 0 else 0.0


def greedy(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    semantics: str,
    confidence: float,
    iou: float,
    rows: int,
    *,
    candidates: int | None = None,
    or_equal: bool = False,
) -> list[Row]:
    """Rows by descending score for corners [A,4] and scores [A,C]."""
    boxes = boxes.astype(np.float64)
    pairs: list[Row] = []
    for index, row in enumerate(scores):
        chosen = range(len(row)) if semantics == "multi-label" else [int(np.argmax(row))]
        pairs += [(float(row[c]), c, index) for c in chosen]
    pairs.sort(key=lambda pair: -pair[0])
    pairs = pairs[:candidates]
    limit, most = np.float32(confidence), float(np.float32(iou))
    kept: list[Row] = []
    for score, label, index in pairs:
        if not (score >= limit if or_equal else score > limit):
            continue
        rivals = [k for k in kept if semantics == "class-agnostic" or k[1] == label]
        overlaps = [overlap(boxes[index], boxes[rival[2]]) for rival in rivals]
        if any(o >= most if or_equal else o > most for o in overlaps):
            continue
        kept.append((score, label, index))
    return kept[:rows]
