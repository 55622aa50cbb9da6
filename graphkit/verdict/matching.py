"""Detections of two models, image by image: who belongs to whom, and whether they are the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verdict.report import Box, DetectionComparison, WorstPair
from graphkit.verify import Agreement, Detections, agree, detect
from graphkit.verify.detections import Tolerance
from graphkit.verify.references.iou import iou, ordered
from graphkit.verify.references.rotated import probiou

_TOGETHER = 0.5
"""Two detections belong together from this IoU on, as in COCO's loosest measure."""
_MOST_SHOWN = 10
_SAME_SCORE = 1e-3
_MOST_PASSING = 1500
"""Candidates that enter suppression in NumPy, which takes a second from there on."""


@dataclass(frozen=True, eq=False)
class Matched:
    """The detections of one image.

    Attributes:
        image: For a reader.
        left: Of the first model.
        right: Of the second.
        rows: Indices into `left` of the pairs.
        columns: Indices into `right` of the pairs.
        overlap: IoU of all with all, [n, m], whatever their class.
        agreement: Whether they are the same, to the tolerance.
    """

    image: str
    left: Detections
    right: Detections
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    overlap: NDArray[np.float64]
    agreement: Agreement


def match(
    image: str,
    left: Detections,
    right: Detections,
    contract: NmsContract,
    tolerance: Tolerance,
    pool: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> Matched:
    """Pair the detections of one image and judge them.

    Pairs are the assignment with the largest sum of IoU, a wrong class and a far score counting against it, whatever
    the class (scipy's linear_sum_assignment). Whether what has no partner may be missing, because it is within a hair
    of a threshold, is what `verify.agree` says.

    Args:
        image: For a reader.
        left: Of the first model, best first.
        right: Of the second.
        contract: What both were made by.
        tolerance: What counts as the same.
        pool: Every candidate of the second model, as `verify.agree` wants it.
    """
    from scipy.optimize import linear_sum_assignment

    with np.errstate(invalid="ignore", over="ignore"):
        overlap = overlaps(left, right)
    overlap = np.nan_to_num(overlap, nan=0.0)
    gain = overlap.copy()
    gain -= 0.25 * (left.classes[:, None] != right.classes[None, :])
    apart = np.abs(np.nan_to_num(left.scores)[:, None] - np.nan_to_num(right.scores)[None, :])
    gain -= 0.25 * np.minimum(apart, 1)
    gain[overlap < _TOGETHER] = -1
    rows, columns = linear_sum_assignment(gain, maximize=True)
    good = overlap[rows, columns] >= _TOGETHER
    judged = agree(left, right, contract, image, tolerance, pool)
    return Matched(image, left, right, rows[good], columns[good], overlap, judged)


def match_by_score(left: Detections, right: Detections) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of one class and one score: for boxes that are nowhere near each other."""
    from scipy.optimize import linear_sum_assignment

    apart = np.abs(left.scores[:, None].astype(np.float64) - right.scores[None, :])
    apart[left.classes[:, None] != right.classes[None, :]] = 1e3
    rows, columns = linear_sum_assignment(np.nan_to_num(apart, nan=1e3, posinf=1e3))
    good = apart[rows, columns] <= _SAME_SCORE
    return rows[good], columns[good]


def overlaps(left: Detections, right: Detections) -> NDArray[np.float64]:
    """IoU of all with all, [n, m], whatever their class; ProbIoU of rotated boxes."""
    if not len(left) or not len(right):
        return np.zeros((len(left), len(right)))
    if left.boxes.shape[1] == 5:
        return np.asarray(probiou(left.boxes[:, None], right.boxes[None, :]), np.float64)
    found = iou(ordered(left.boxes)[:, None], ordered(right.boxes)[None, :]).astype(np.float64)
    same = np.isclose(left.boxes[:, None], right.boxes[None, :], rtol=0, atol=1e-3).all(axis=-1)
    found[same] = 1  # boxes without area
    return found


@dataclass
class Tally:
    """Sums up images as they come.

    Attributes:
        names: Class names.
        how: How the thresholds were chosen, for a reader.
        confidence: The lowest that was used.
        tolerance: What counts as the same.
        images: What was matched, in order.
        worst: The image on which the two agree least, and its pixels.
    """

    names: Mapping[int, str]
    how: str
    tolerance: Tolerance
    confidence: float = 1.0
    images: list[Matched] = field(default_factory=list)
    worst: tuple[Matched, NDArray[np.float32]] | None = None

    def add(self, item: Matched, pixels: NDArray[np.float32] | None) -> None:
        """Take in an image; the pixels, float32 [3, H, W], are kept of the worst one only."""
        self.images.append(item)
        if pixels is not None and (self.worst is None or _disagreement(item) > _disagreement(self.worst[0])):
            self.worst = item, pixels

    @property
    def compared(self) -> int:
        """Pairs so far."""
        return sum(len(item.rows) for item in self.images)

    def comparison(self) -> DetectionComparison | None:
        """The sum; None where no image was matched or no detection was there on either side."""
        if not any(len(item.left) or len(item.right) for item in self.images):
            return None
        total = Agreement()
        for item in self.images:
            total += item.agreement
        pairs = sum(len(item.rows) for item in self.images)
        overlaps = [float(item.overlap[i, j]) for item in self.images for i, j in _pairs(item)]
        errors = [
            abs(float(item.left.scores[i] - item.right.scores[j])) for item in self.images for i, j in _pairs(item)
        ]
        other = sum(
            int((item.left.classes[item.rows] != item.right.classes[item.columns]).sum()) for item in self.images
        )
        return DetectionComparison(
            images=len(self.images),
            left=sum(len(item.left) for item in self.images),
            right=sum(len(item.right) for item in self.images),
            pairs=pairs,
            agreeing=total.compared,
            other_class=other,
            missing=total.missing,
            extra=total.extra,
            borderline=total.borderline,
            min_iou=min(overlaps, default=1.0),
            max_score_error=max(errors, default=0.0),
            classes=len(total.classes),
            confidence=self.confidence,
            how=self.how,
            problem=total.problem,
            worst=tuple(self._worst()),
        )

    def _worst(self) -> list[WorstPair]:
        """Other classes first, then by the score of what has no partner, and by how far scores and boxes are apart."""
        found = list[tuple[float, WorstPair]]()
        for item in self.images:
            free = item.agreement.problem is None
            if free:
                continue
            for i, j in _pairs(item):
                rank = badness(item, i, j, self.tolerance)
                if rank == 0:
                    continue
                own, other = self._box(item.left, i), self._box(item.right, j)
                overlap = float(item.overlap[i, j])
                far = abs(own.score - other.score) > self.tolerance.score + self.tolerance.relative * own.score
                what: Literal["class", "score", "box"] = (
                    "class" if own.label != other.label else "score" if far else "box"
                )
                found.append((rank, WorstPair(item.image, own, other, overlap, what)))
            for i in sorted(set(range(len(item.left))) - set(item.rows.tolist())):
                own = self._box(item.left, i)
                found.append((own.score, WorstPair(item.image, own, None, None, "missing")))
            for j in sorted(set(range(len(item.right))) - set(item.columns.tolist())):
                own = self._box(item.right, j)
                found.append((own.score, WorstPair(item.image, None, own, None, "extra")))
        found.sort(key=lambda pair: -pair[0] if np.isfinite(pair[0]) else -np.inf)
        return [pair for _, pair in found[:_MOST_SHOWN]]

    def _box(self, found: Detections, index: int) -> Box:
        label = int(found.classes[index])
        corners = tuple(float(value) for value in found.boxes[index])
        return Box(label, self.names.get(label, ""), float(found.scores[index]), corners)


def badness(item: Matched, i: int, j: int, tolerance: Tolerance) -> float:
    """How bad a pair is: 0 where it is the same detection, over 1 where the class is another."""
    score, other = float(item.left.scores[i]), float(item.right.scores[j])
    apart = abs(score - other)
    if item.left.classes[i] != item.right.classes[j]:
        return 1 + score
    if not apart <= tolerance.score + tolerance.relative * score:
        return apart
    overlap = float(item.overlap[i, j])
    return 1 - overlap if not overlap >= tolerance.iou else 0.0


def _disagreement(item: Matched) -> tuple[bool, int, int]:
    lost = item.agreement.missing + item.agreement.extra
    return item.agreement.problem is not None, lost, len(item.left) + len(item.right)


def _pairs(item: Matched) -> list[tuple[int, int]]:
    return list(zip(item.rows.tolist(), item.columns.tolist(), strict=True))


def detect_enough(
    raw: RawDetections, contract: NmsContract, wanted: int, least: float
) -> tuple[NmsContract, list[Detections]]:
    """The detections of a model that leaves the threshold open, at one low enough for `wanted` of them.

    Args:
        raw: Every candidate.
        contract: Its confidence is where to begin.
        wanted: Detections, all images together.
        least: The confidence is never lowered below this.

    Returns:
        The contract that was used, and the detections of each image.
    """
    from graphkit.verify.lowering import passing_threshold

    found = detect(raw, contract)
    for passing in (2 * wanted, 8 * wanted, _MOST_PASSING):
        if sum(map(len, found)) >= wanted:
            break
        threshold = passing_threshold(raw, contract, passing)
        if threshold is None or max(threshold, least) >= contract.confidence:
            continue
        contract = replace(contract, confidence=float(np.float32(max(threshold, least))))
        found = detect(raw, contract)
    return contract, found


def known_noise(tolerance: Tolerance, left: RawDetections, right: RawDetections, allowed: float) -> Tolerance:
    """A tolerance that puts up with what the scores of the candidates are apart anyway, where that is little.

    Those are judged number by number. Below a threshold of 1e-4 their differences are as large as what tells one
    detection from the next, and say nothing new.

    Args:
        tolerance: As it is.
        left: Every candidate of the first model.
        right: Of the second, in the same order.
        allowed: Part of the largest score beyond which it is not little.
    """
    if left.scores.shape != right.scores.shape:
        return tolerance
    apart = float(np.abs(np.nan_to_num(left.scores) - np.nan_to_num(right.scores)).max(initial=0))
    if apart > allowed * float(np.nan_to_num(left.scores).max(initial=0)):
        return tolerance
    return replace(tolerance, score=max(tolerance.score, 2 * apart), hair=max(tolerance.hair, 2 * apart))


def pairs_as_rows(images: Sequence[Matched]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]] | None:
    """Boxes and scores of all pairs, left and right: [n, 4 or 5], [n, 4 or 5], [n], [n]; None where there are none."""
    pairs = [item for item in images if len(item.rows)]
    if not pairs:
        return None
    return (
        np.concatenate([item.left.boxes[item.rows] for item in pairs]),
        np.concatenate([item.right.boxes[item.columns] for item in pairs]),
        np.concatenate([item.left.scores[item.rows] for item in pairs]),
        np.concatenate([item.right.scores[item.columns] for item in pairs]),
    )
