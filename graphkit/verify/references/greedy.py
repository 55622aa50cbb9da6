"""Greedy non-maximum suppression over candidates that are already sorted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.verify.references.iou import Boxes, iou


def greedy(
    boxes: Boxes,
    groups: NDArray[np.int64] | None,
    threshold: Any,
    limit: int,
    suppress_equal: bool,
    overlap_of: Callable[[Boxes, Boxes], NDArray[Any]] = iou,
) -> NDArray[np.int64]:
    """Which candidates survive.

    The best candidate is kept and everything after it in its group that overlaps too much is dropped; then the next
    best that is left. A candidate is only compared with its own group, so the cost is kept × group, not kept × all.

    Args:
        boxes: [N, 4] ordered corners, best first; or whatever `overlap_of` reads.
        groups: [N] class of each, or None where all compete with all.
        threshold: IoU threshold in the arithmetic the comparison is made in.
        limit: At most this many are kept, over all groups.
        suppress_equal: Drop IoU >= threshold instead of IoU > threshold.
        overlap_of: Overlap of [N, …] with one box.

    Returns:
        Positions of the kept, ascending, at most `limit`.
    """
    alive = np.ones(len(boxes), dtype=bool)
    rivals: dict[int, NDArray[np.int64]] = {}
    if groups is not None and len(boxes):
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
        rivals = {int(groups[part[0]]): part for part in np.split(order, starts[1:])}
    kept: list[int] = []
    position = 0
    while position < len(boxes) and len(kept) < limit:
        step = int(alive[position:].argmax())
        position += step
        if not alive[position]:
            break
        kept.append(position)
        if groups is None:
            later = slice(position + 1, None)
            overlap = overlap_of(boxes[later], boxes[position])
            alive[later] &= ~(overlap >= threshold if suppress_equal else overlap > threshold)
        else:
            group = int(groups[position])
            left = rivals[group]
            left = left[np.searchsorted(left, position, side="right") :]
            overlap = overlap_of(boxes[left], boxes[position])
            drop = overlap >= threshold if suppress_equal else overlap > threshold
            alive[left[drop]] = False
            rivals[group] = left[~drop]
        position += 1
    return np.asarray(kept, dtype=np.int64)
