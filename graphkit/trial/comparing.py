"""The outputs of two runtimes: the same numbers, the same rows in another order, or the same detections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract
from graphkit.trial.report import OutputTrial
from graphkit.verify import Agreement, Detections, agree, compare

Values = Mapping[str, NDArray[Any]]

SAME = 1e-2
"""Relative L2 up to which outputs are the same, slice by slice.

Runtimes sum in other orders, with Winograd's products, and approximate Exp: of YOLOv8n's faintest class 5e-3 was seen,
with the scores 1e-5 apart. What computes something else is off by tenths. The less a slice holds, the more of it is
what the sums before left over: that is judged by what slices of its unit hold (`_apart`).
"""
_MOST_ROWS, _MOST_COLUMNS = 3000, 200
"""More than detectors return: such outputs are raw predictions."""


def compare_outputs(expected: Values, got: Values, feed: str, *, ones: bool, types: bool) -> list[OutputTrial]:
    """Compare what two runtimes return.

    Detections, whose order and number depend on a hair, are matched; all else is compared number by number.

    Args:
        expected: Output name -> value, from onnxruntime.
        got: The same, from the other one.
        feed: The input's name.
        ones: Whether dimensions of size 1 may be missing.
        types: Whether element types may be others.
    """
    known = {name: _fitted(value, got[name], ones, types) for name, value in expected.items() if name in got}
    missing = [OutputTrial(feed, name, False, "it is missing") for name in expected if name not in got]
    left, right = read_detections(expected), read_detections(known)
    if left is not None and not missing:
        return [_detections(left, right, expected, feed)]
    return [*missing, *(_numbers(name, expected[name], value, feed) for name, value in known.items())]


def read_detections(values: Values) -> list[Detections] | None:
    """The detections of each image, where outputs look like final detections; None where they do not.

    One output [B, K, 6 or more] with corners, score and class in each row, the best first; or num_dets [B, 1], boxes
    [B, K, 4], scores [B, K] and classes [B, K] in this order.
    """
    arrays = list(values.values())
    if len(arrays) == 1 and arrays[0].ndim == 3 and arrays[0].shape[-1] >= 6 and _is_table(arrays[0]):
        return [_of_rows(rows.astype(np.float32)) for rows in arrays[0]]
    if len(arrays) < 4 or arrays[0].dtype.kind not in "iu" or arrays[0].ndim != 2 or arrays[1].ndim != 3:
        return None
    counts, boxes, scores, classes = arrays[:4]
    if counts.shape != (len(boxes), 1) or boxes.shape[-1] != 4 or scores.shape != boxes.shape[:2] != classes.shape:
        return None
    found = []
    for image, count in enumerate(np.clip(counts[:, 0], 0, boxes.shape[1]).tolist()):
        row = slice(0, int(count))
        labels = classes[image, row].astype(np.int64)
        found.append(Detections(boxes[image, row].astype(np.float32), scores[image, row].astype(np.float32), labels))
    return found


def _is_table(table: NDArray[Any]) -> bool:
    too_large = table.shape[1] > _MOST_ROWS or table.shape[2] > _MOST_COLUMNS
    if too_large or table.dtype.kind != "f" or not np.isfinite(table).all():
        return False
    scores, classes = table[..., 4], table[..., 5]
    falling = (np.diff(scores, axis=1) <= 1e-6).all()
    return bool(falling and (scores >= 0).all() and (scores <= 1).all() and (classes == np.floor(classes)).all())


def _of_rows(rows: NDArray[np.float32]) -> Detections:
    rows = rows[rows[:, 4] > 0]
    return Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))


def _detections(left: list[Detections], right: list[Detections] | None, values: Values, feed: str) -> OutputTrial:
    names = ", ".join(values)
    if right is None or len(left) != len(right):
        return OutputTrial(feed, names, False, "detections on one side, and none that can be read on the other")
    lowest = min((float(item.scores.min()) for item in left if len(item)), default=0.0)
    most = max(1, *(len(item) for item in (*left, *right)))
    contract = NmsContract("class-agnostic", lowest, 1.0, most, suppress=False)
    total = Agreement()
    for image, (mine, theirs) in enumerate(zip(left, right, strict=True)):
        total += agree(mine, theirs, contract, f'image {image} of "{feed}"')
    how = f"{total.compared} of {total.expected} detections the same, IoU ≥ {total.min_iou:.4f}"
    if total.borderline:
        how += f", {total.borderline} within a hair of the threshold"
    return OutputTrial(feed, names, total.problem is None, total.problem or how, max_error=total.max_score_error)


def _numbers(name: str, expected: NDArray[Any], got: NDArray[Any], feed: str) -> OutputTrial:
    found = compare(name, "other", feed, expected, got)
    if found.identical:
        return OutputTrial(feed, name, True, "identical", 0.0, 0.0)
    if expected.dtype.kind in "iub" and expected.ndim == 2 and _same_rows(expected, got):
        return OutputTrial(feed, name, True, f"the same {len(expected)} rows in another order")
    if found.problem is not None or found.max_error is None:
        return OutputTrial(feed, name, False, found.problem or "it differs")
    relative, place = _apart(expected, got) if expected.dtype.kind == "f" else (found.relative_l2, "")
    same = expected.dtype.kind == "f" and relative <= (SAME if expected.dtype.itemsize > 2 else 2 * SAME)
    how = f"relative L2 {relative:.2g}{place}, off by at most {found.max_error:.3g}"
    return OutputTrial(feed, name, same, how, relative, found.max_error)


def _apart(expected: NDArray[Any], got: NDArray[Any]) -> tuple[float, str]:
    """‖a - b‖ / ‖a‖ of the whole or of its worst slice, and which that is; infinities and NaN stand in the same places.

    Slices are those along the shorter of the last two axes, channels as a rule. Boxes in pixels and scores stand beside
    each other, so that a slice is judged by its own unit: its error is set against its norm or, where that is larger,
    the root mean square of the norms of the slices of its unit, those within [-1, 1] and those that leave it. A class
    that nothing is of, and the dark border of a mask, are then not judged by what is left of them.
    """
    left, right = (np.where(np.isfinite(value), value, 0).astype(np.float64) for value in (expected, got))
    scale = float(np.abs(left).max(initial=0.0)) or 1.0
    error = (left - right) / scale
    whole = _ratio(float(np.linalg.norm(error)), float(np.linalg.norm(left / scale)))
    if left.ndim < 3:
        return whole, ""
    axis = left.ndim - 2 if left.shape[-2] <= left.shape[-1] else left.ndim - 1
    others = tuple(other for other in range(left.ndim) if other != axis)
    norms, errors = (np.sqrt(np.square(values).sum(axis=others)) for values in (left / scale, error))
    large = np.abs(left).max(axis=others) > 1
    parts = np.zeros(len(norms))
    for unit in (large, ~large):
        if unit.any():
            typical = float(np.sqrt(np.square(norms[unit]).mean()))
            parts[unit] = [_ratio(e, max(n, typical)) for e, n in zip(errors[unit], norms[unit], strict=True)]
    worst = int(parts.argmax())
    return (whole, "") if parts[worst] <= whole else (float(parts[worst]), f" in slice {worst} of axis {axis}")


def _ratio(error: float, norm: float) -> float:
    return 0.0 if error == 0 else error / norm if norm > 0 else float("inf")


def _same_rows(expected: NDArray[Any], got: NDArray[Any]) -> bool:
    return expected.shape == got.shape and sorted(expected.tolist()) == sorted(got.tolist())


def _fitted(expected: NDArray[Any], got: NDArray[Any], ones: bool, types: bool) -> NDArray[Any]:
    """As the model says it, where the runtime has no such shapes and types."""
    if ones and [s for s in expected.shape if s != 1] == [s for s in got.shape if s != 1]:
        got = got.reshape(expected.shape)
    return got.astype(expected.dtype) if types and got.dtype != expected.dtype else got
