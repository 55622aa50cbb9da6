"""Whether two sets of detections are the same detections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract
from graphkit.verify.references.detections import Detections
from graphkit.verify.references.iou import iou, ordered
from graphkit.verify.references.rotated import probiou


@dataclass(frozen=True)
class Tolerance:
    """When two detections of one class are the same.

    Attributes:
        iou: At least this.
        score: Scores at most this far apart.
        hair: A score this near the threshold may fall on either side of it, and of two scores this near each other
            either may be the better.
        near: The same for an IoU.
        relative: `score` and `hair` grow by this part of the score itself, whatever the threshold.
        extra: Extras differ at most by `extra`, in their own unit, and by `extra_relative` of their size.
        extra_relative: See `extra`.
    """

    iou: float
    score: float
    hair: float
    near: float
    relative: float = 0.0
    extra: float = 2e-3
    extra_relative: float = 1e-4

    def around(self, score: float) -> float:
        """The hair at this score."""
        return self.hair + (self.relative * score if np.isfinite(score) else 0.0)

    def at(self, confidence: float) -> Tolerance:
        """The same for a lowered confidence: there scores of 1e-5 are told apart, and 1e-4 is no hair."""
        scale = min(1.0, max(confidence, 1e-12) * 4)
        return replace(self, score=self.score * scale, hair=self.hair * scale)


FLOAT32 = Tolerance(iou=0.99, score=1e-3, hair=1e-4, near=1e-4)
# Pixels beyond 512 are whole or half numbers in float16, which moves the edges of a small box by a tenth of its width.
FLOAT16 = Tolerance(iou=0.9, score=5e-3, hair=2e-2, near=2e-2, relative=4e-3, extra=2e-2, extra_relative=1e-2)


@dataclass(frozen=True)
class Agreement:
    """How two sets of detections agree, summed over images, in plain data.

    Attributes:
        images: How many images were compared.
        expected: Detections of the reference.
        got: Detections of the model.
        compared: Pairs that are the same detection.
        missing: Detections of the reference that the model lacks, borderline ones left out.
        extra: Detections of the model that the reference lacks, borderline ones left out.
        borderline: Detections that only one side has, and either may: within a hair of a threshold, tied at the last
            row, or overlapped by such a one.
        classes: The classes of the compared pairs, ascending.
        min_iou: Smallest IoU of a pair; 1 where there is none.
        max_score_error: Largest difference of the scores of a pair.
        made_up: How many of the compared pairs come from made-up boxes and scores.
        rounds: Rounds of made-up boxes and scores.
        lowered: How many of the compared pairs come from the whole model with its thresholds lowered.
        varied: Rounds, of the above, with other thresholds given as inputs.
        max_extra_error: Largest difference of an extra of a pair, in its own unit.
        problem: The first disagreement, for a reader, or None.
    """

    images: int = 0
    expected: int = 0
    got: int = 0
    compared: int = 0
    missing: int = 0
    extra: int = 0
    borderline: int = 0
    classes: tuple[int, ...] = ()
    min_iou: float = 1.0
    max_score_error: float = 0.0
    made_up: int = 0
    rounds: int = 0
    lowered: int = 0
    varied: int = 0
    max_extra_error: float = 0.0
    problem: str | None = None

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.images + other.images,
            self.expected + other.expected,
            self.got + other.got,
            self.compared + other.compared,
            self.missing + other.missing,
            self.extra + other.extra,
            self.borderline + other.borderline,
            tuple(sorted({*self.classes, *other.classes})),
            min(self.min_iou, other.min_iou),
            max(self.max_score_error, other.max_score_error),
            self.made_up + other.made_up,
            self.rounds + other.rounds,
            self.lowered + other.lowered,
            self.varied + other.varied,
            max(self.max_extra_error, other.max_extra_error),
            self.problem or other.problem,
        )


def agree(
    expected: Detections,
    got: Detections,
    contract: NmsContract,
    where: str,
    tolerance: Tolerance = FLOAT32,
    pool: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
) -> Agreement:
    """Match the detections of one image.

    Pairs of one class are matched greedily, the largest IoU first. That is enough here: the true partner of a
    detection lies at an IoU near 1, while after suppression no other detection of its class overlaps it by more than
    the IoU threshold, so an optimal assignment would choose the same pairs. Boxes whose coordinates differ by less
    than 0.001 pixels count as IoU 1, so that boxes without area can be matched at all.

    Args:
        expected: From the reference.
        got: From the model.
        contract: What both were made by.
        where: The image, for a reader: 'image 0 of "bus.jpg"'.
        tolerance: What counts as the same.
        pool: Boxes [A, 4 or 5] and scores [A, C] of every candidate of the image. With it, of two candidates whose
            scores are within a hair and that overlap either may have suppressed the other.
    """
    pairs, overlaps = _match(expected, got, contract, tolerance)
    errors = [_score_error(float(expected.scores[i]), float(got.scores[j])) for i, j in pairs]
    left_expected = _rest(len(expected), [i for i, _ in pairs])
    left_got = _rest(len(got), [j for _, j in pairs])
    free_expected, free_got = _borderline(expected, left_expected, got, left_got, contract, tolerance, pool)
    missing = [index for index in left_expected if index not in free_expected]
    extra = [index for index in left_got if index not in free_got]
    problem = None
    if missing:
        problem = f"{where} lacks {_describe(expected, missing[0])}"
    elif extra:
        problem = f"{where} has {_describe(got, extra[0])}, which the reference has not"
    if problem is not None:
        problem += f" ({len(expected)} detections expected, {len(got)} returned)"
    extra_error, wrong_extra = _extras(expected, got, pairs, contract, where, tolerance)
    problem = problem or wrong_extra
    return Agreement(
        images=1,
        expected=len(expected),
        got=len(got),
        compared=len(pairs),
        missing=len(missing),
        extra=len(extra),
        borderline=len(free_expected) + len(free_got),
        classes=tuple(sorted({int(expected.classes[i]) for i, _ in pairs})),
        min_iou=min(overlaps, default=1.0),
        max_score_error=max(errors, default=0.0),
        max_extra_error=extra_error,
        problem=problem,
    )


def _extras(
    expected: Detections,
    got: Detections,
    pairs: list[tuple[int, int]],
    contract: NmsContract,
    where: str,
    tolerance: Tolerance,
) -> tuple[float, str | None]:
    """The largest difference of an extra over all pairs, and a sentence about the worst that is too large."""
    left = {**expected.extras, **({"angle": expected.boxes[:, 4:]} if contract.rotated else {})}
    right = {**got.extras, **({"angle": got.boxes[:, 4:]} if contract.rotated else {})}
    rows, columns = [i for i, _ in pairs], [j for _, j in pairs]
    largest, problem = 0.0, None
    for kind, values in left.items():
        if kind not in right:
            return largest, f"{where} has no {kind}, which belong to each candidate"
        if not pairs:
            continue
        have, want = right[kind][columns].astype(np.float64), values[rows].astype(np.float64)
        with np.errstate(invalid="ignore"):
            error = np.where((have == want) | np.isnan(have) & np.isnan(want), 0, np.abs(have - want))
            bad = ~(error <= tolerance.extra + tolerance.extra_relative * np.abs(want))
        largest = max(largest, float(np.nan_to_num(error, nan=np.inf).max(initial=0)))
        if bad.any() and problem is None:
            row, column = (int(part[0]) for part in np.nonzero(bad))
            problem = (
                f"{where} gives {_describe(expected, rows[row])} {kind} of another candidate, or wrong ones: value "
                f"{column} is {have[row, column]:.6g} and must be {want[row, column]:.6g}"
            )
    return largest, problem


def _overlaps(left: Detections, right: Detections, contract: NmsContract, across_classes: bool = False) -> NDArray[Any]:
    """IoU [n, m]; -1 between classes that do not meet."""
    if contract.rotated:
        result = probiou(left.boxes[:, None], right.boxes[None, :])
    else:
        result = iou(ordered(left.boxes)[:, None], ordered(right.boxes)[None, :]).astype(np.float64)
    if not across_classes:
        result[left.classes[:, None] != right.classes[None, :]] = -1
    return result


def _score_error(left: float, right: float) -> float:
    return 0.0 if left == right else abs(left - right)


def _match(
    expected: Detections, got: Detections, contract: NmsContract, tolerance: Tolerance
) -> tuple[list[tuple[int, int]], list[float]]:
    if not len(expected) or not len(got):
        return [], []
    with np.errstate(invalid="ignore"):
        overlap = _overlaps(expected, got, contract)
        same = np.isclose(expected.boxes[:, None], got.boxes[None, :], rtol=0, atol=1e-3, equal_nan=True).all(axis=-1)
        overlap[same & (overlap >= 0) | same & np.isnan(overlap)] = 1
        error = np.abs(expected.scores[:, None] - got.scores[None, :])
        error[expected.scores[:, None] == got.scores[None, :]] = 0
        known = np.where(np.isfinite(expected.scores), expected.scores, 0)[:, None]
        allowed = tolerance.score + tolerance.relative * known
        rows, columns = np.nonzero((overlap >= tolerance.iou) & (error <= allowed))
    # Equal IoU goes by score: copies of one box are told apart by it.
    order = np.lexsort((error[rows, columns], -overlap[rows, columns]))
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    pairs, overlaps = [], []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            pairs.append((row, column))
            overlaps.append(float(overlap[row, column]))
    return pairs, overlaps


def _rest(count: int, used: list[int]) -> list[int]:
    taken = set(used)
    return [index for index in range(count) if index not in taken]


def _borderline(
    expected: Detections,
    left_expected: list[int],
    got: Detections,
    left_got: list[int],
    contract: NmsContract,
    tolerance: Tolerance,
    pool: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
) -> tuple[set[int], set[int]]:
    """Which unmatched detections may be on one side only."""
    sides = [(expected, left_expected, got), (got, left_got, expected)]
    free: list[set[int]] = [set(), set()]
    if not left_expected and not left_got:
        return free[0], free[1]
    # float32 knows ProbIoU less well: a determinant of nearly equal products is in it.
    near = max(tolerance.near, 2e-3) if contract.rotated else tolerance.near
    across_classes = contract.semantics == "class-agnostic"
    across = [_overlaps(own, other, contract, across_classes) for own, _, other in sides]
    for side, (own, left, other) in enumerate(sides):
        rest = [[index for index in left_got if _real(got, index, pool, tolerance)], left_expected][side]
        for index in left:
            score = float(own.scores[index])
            hair = tolerance.around(score)
            near_confidence = abs(score - contract.confidence) <= hair
            near_iou = contract.suppress and bool((np.abs(across[side][index] - contract.iou) <= near).any())
            # A full list may have cut off whatever is not better than its last row; so may the candidate limit.
            full = len(other) >= contract.max_detections and len(other) > 0
            cut = score <= max(expected.cut, got.cut) + hair
            # Equal scores go by an order that rounding decides, and then the other one of two is suppressed.
            rivals = [r for r in rest if abs(float(other.scores[r]) - score) <= hair]
            real = side == 0 or _real(got, index, pool, tolerance)
            swapped = (
                bool(rivals) and real and contract.suppress and across[side][index][rivals].max() >= contract.iou - near
            )
            behind = full and score <= float(other.scores.min()) + hair
            if near_confidence or near_iou or cut or swapped or behind:
                free[side].add(index)
    # What a borderline detection of the other side suppresses there is borderline too.
    grown = True
    while grown:
        grown = False
        for side, (own, left, other) in enumerate(sides):
            for index in left:
                hair = tolerance.around(float(own.scores[index]))
                rivals = [r for r in free[1 - side] if float(other.scores[r]) >= float(own.scores[index]) - hair]
                if index not in free[side] and rivals and across[side][index][rivals].max() >= contract.iou - near:
                    free[side].add(index)
                    grown = True
    return free[0], free[1]


def _real(
    got: Detections, index: int, pool: tuple[NDArray[np.float32], NDArray[np.float32]] | None, tolerance: Tolerance
) -> bool:
    """Whether a detection is one of the candidates at all, and not a moved or a renamed one."""
    if pool is None:
        return False
    boxes, scores = pool
    near = np.isclose(boxes, got.boxes[index], rtol=tolerance.extra_relative, atol=tolerance.extra).all(axis=-1)
    label = int(got.classes[index])
    hair = tolerance.around(float(got.scores[index]))
    return bool((np.abs(scores[near, label] - got.scores[index]) <= hair).any()) if near.any() else False


def _describe(found: Detections, index: int) -> str:
    box = ", ".join(f"{value:.1f}" for value in found.boxes[index])
    return f"class {found.classes[index]} with score {found.scores[index]:.4f} at [{box}]"
