"""Detections that one of two models lacks, and what they have in common: a threshold, a limit, or what hid them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphkit.verdict.explain.table import number
from graphkit.verdict.matching import Matched, overlaps
from graphkit.verdict.report import Finding
from graphkit.verify import Detections

_OVER = 0.1
_HAIR = 1e-3


@dataclass(frozen=True, eq=False)
class _Lost:
    """One image: all that the one model has, which of it the other lacks, and what the other has."""

    had: Detections
    rows: NDArray[np.int64]
    there: Detections

    @property
    def gone(self) -> NDArray[np.float32]:
        """Scores of what is lacking."""
        return self.had.scores[self.rows]


def explain_limits(images: Sequence[Matched], rows: tuple[int, int]) -> list[Finding]:
    """What kept detections out, of each model that lacks some.

    Args:
        images: Matched.
        rows: What each of the two returns at most, as its outputs declare it.
    """
    found = list[Finding]()
    for who, most in (("B", rows[1]), ("A", rows[0])):
        lost = []
        for item in images:
            if item.agreement.problem is None:
                continue
            own, other = (item.left, item.right) if who == "B" else (item.right, item.left)
            used = item.rows if who == "B" else item.columns
            gone = np.setdiff1d(np.arange(len(own)), used)
            if len(gone):
                lost.append(_Lost(own, gone, other))
        if lost:
            total = sum(len(item.rows) for item in lost)
            fits = _cut(lost, who, total, most) or _suppressed(lost, who, total)
            text = f"{who} lacks {total} detection{'s' if total > 1 else ''} of the other"
            found.append(fits or Finding("detections", "missing", text))
    return found


def _cut(lost: Sequence[_Lost], who: str, total: int, most: int) -> Finding | None:
    """All that is lost is fainter than all that is there, in each image: a limit of rows, or a threshold."""
    if any(len(item.there) and item.gone.max() > item.there.scores.min() + _HAIR for item in lost):
        return None
    if all(len(item.there) == most for item in lost):
        text = f"{who} returns {most} detections at most: {total} fainter ones are missing"
        return Finding("detections", "limit", text)
    highest = max(float(item.gone.max()) for item in lost)
    lowest = min((float(item.there.scores.min()) for item in lost if len(item.there)), default=1.0)
    if highest > lowest + _HAIR:
        return None
    least = f", and its faintest one has {number(lowest)}" if lowest < 1 else ""
    text = f"{who} lacks every detection up to a score of {number(highest)}{least}: its confidence threshold is higher"
    return Finding("detections", "confidence", text, evidence=f"{total} missing")


def _suppressed(lost: Sequence[_Lost], who: str, total: int) -> Finding | None:
    """All that is lost overlaps something better that is there, more than anything that is there overlaps another."""
    for kind, across in (("iou", False), ("class-agnostic", True)):
        gone = [value for item in lost for value in _with_better(item, across)]
        kept = max((_among(item.there, across) for item in lost), default=0.0)
        lowest = min(gone)
        if lowest < max(_OVER, kept - _HAIR):
            continue
        span = f"they overlap by IoU {lowest:.2f} to {max(gone):.2f}, and what is left by {kept:.2f} at most"
        each = f"each of {total} missing detections" if total > 1 else "the one missing detection"
        if across:
            text = f"{who} suppresses across classes: {each} overlaps a better one, whatever its class"
        else:
            text = f"{who} suppresses more: {each} overlaps a better one of its class, so its IoU threshold is lower"
        return Finding("detections", kind, text, evidence=span)
    return None


def _with_better(item: _Lost, across: bool) -> list[float]:
    """The largest overlap of each lost detection with a better one that is there."""
    table = overlaps(item.had, item.there)
    if not across:
        table = np.where(item.had.classes[:, None] == item.there.classes[None, :], table, 0.0)
    table = np.where(item.there.scores[None, :] >= item.had.scores[:, None] - _HAIR, table, 0.0)
    return [float(table[row].max(initial=0)) for row in item.rows.tolist()]


def _among(found: Detections, across: bool) -> float:
    """The largest overlap of two detections of one model."""
    if len(found) < 2:
        return 0.0
    table = np.array(overlaps(found, found))
    np.fill_diagonal(table, 0)
    if not across:
        table[found.classes[:, None] != found.classes[None, :]] = 0
    return float(table.max())
