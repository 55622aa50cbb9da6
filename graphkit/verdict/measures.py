"""How far two arrays are apart: as a whole, and slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Distance:
    """Two arrays of one shape.

    Attributes:
        relative_l2: ‖a - b‖ / ‖a‖; 0 where nothing differs, infinity where a is zero and b is not.
        max_error: Largest |a - b|.
        max_relative_error: Largest |a - b| / |a|, over the values of which |a| is more than float32's epsilon times
            the largest |a|: a value that is nothing beside the others has no relative error.
        cosine: a · b / (‖a‖ ‖b‖); 1 where both are zero.
        odd: Values that are NaN or infinite on one side, or another of the two on the other.
    """

    relative_l2: float
    max_error: float
    max_relative_error: float
    cosine: float
    odd: int = 0


def distance(left: Array, right: Array) -> Distance:
    """Measure two arrays of one shape; values that are not finite are counted and left out."""
    a, b, odd = _finite(left, right)
    difference = np.abs(a - b)
    size = np.abs(a)
    largest = float(size.max(initial=0))
    counted = size > largest * float(np.finfo(np.float32).eps)
    relative = float((difference[counted] / size[counted]).max(initial=0))
    scale = max(largest, float(np.abs(b).max(initial=0))) or 1.0
    a, b = a / scale, b / scale
    norms = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    product = norms[0] * norms[1]
    cosine = float(np.vdot(a, b)) / product if product else 1.0 if norms[0] == norms[1] else 0.0
    apart = float(np.linalg.norm(a - b))
    return Distance(_quotient(apart, norms[0]), float(difference.max(initial=0)), relative, cosine, odd)


def relative_l2(left: Array, right: Array) -> float:
    """‖a - b‖ / ‖a‖; infinity where a value is finite on one side only."""
    a, b, odd = _finite(left, right)
    return float("inf") if odd else _quotient(float(np.linalg.norm(a - b)), float(np.linalg.norm(a)))


def by_slice(left: Array, right: Array, axis: int) -> NDArray[np.float64]:
    """‖a - b‖ / ‖a‖ of each slice along `axis`.

    A slice that is zero, to the precision of the whole, on both sides is not judged alone: its norm is at most
    float32's epsilon times that of the whole.
    """
    a, b, _ = _finite(left, right)
    others = tuple(other for other in range(a.ndim) if other != axis)
    scale = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0))) or 1.0
    a, b = a / scale, b / scale
    norm, other, apart = (np.sqrt(np.square(item).sum(axis=others)) for item in (a, b, a - b))
    floor = float(np.finfo(np.float32).eps) * float(np.linalg.norm(a))
    judged = np.maximum(norm, other) > floor
    parts = np.where(judged, apart / np.maximum(np.maximum(norm, floor), np.finfo(np.float64).tiny), 0.0)
    result: NDArray[np.float64] = np.where(_odd(left, right).any(axis=others), np.inf, parts)
    return result


def _odd(left: Array, right: Array) -> NDArray[np.bool_]:
    """Where one is NaN or infinite and the other is not the same."""
    with np.errstate(invalid="ignore"):
        strange = ~np.isfinite(left) | ~np.isfinite(right)
        result: NDArray[np.bool_] = strange & ~((left == right) | (np.isnan(left) & np.isnan(right)))
    return result


def _finite(left: Array, right: Array) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    a, b = left.astype(np.float64), right.astype(np.float64)
    strange = ~np.isfinite(a) | ~np.isfinite(b)
    if not strange.any():
        return a, b, 0
    odd = int(_odd(a, b).sum())
    return np.where(strange, 0.0, a), np.where(strange, 0.0, b), odd


def _quotient(error: float, norm: float) -> float:
    return 0.0 if error == 0 else error / norm if norm > 0 else float("inf")
