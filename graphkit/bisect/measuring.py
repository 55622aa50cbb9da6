"""How far apart two tensors are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Distance:
    """Of a right tensor from a left one.

    Attributes:
        relative_l2: ‖right - left‖ / ‖left‖; infinite where they cannot be subtracted, or only one has NaN somewhere.
        max_error: Largest absolute difference; NaN where there is none.
        problem: Why they cannot be compared number by number; "" where they can.
    """

    relative_l2: float
    max_error: float
    problem: str = ""


def unlike(problem: str) -> Distance:
    """Of two tensors that cannot be subtracted."""
    return Distance(math.inf, math.nan, problem)


def distance(left: NDArray[Any], right: NDArray[Any]) -> Distance:
    """Measure, in float64 and a piece at a time; NaN and infinities in the same places count as equal."""
    if left.shape != right.shape:
        return unlike(f"shapes {list(left.shape)} and {list(right.shape)}")
    if "O" in (left.dtype.kind, right.dtype.kind):
        return Distance(0.0, 0.0) if np.array_equal(left, right) else unlike("other strings")
    ones, others = left.reshape(-1), right.reshape(-1)
    norm = apart = largest = 0.0
    for start in range(0, ones.size, _CHUNK):
        a = ones[start : start + _CHUNK].astype(np.float64)
        b = others[start : start + _CHUNK].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            difference = b - a
        finite = np.isfinite(a) & np.isfinite(b)
        if not finite.all():
            same = (a == b) | (np.isnan(a) & np.isnan(b))
            if not (same | finite).all():
                return unlike("NaN or infinity in other places")
            difference, a = difference[finite], a[finite]
        norm += float(np.dot(a, a))
        apart += float(np.dot(difference, difference))
        largest = max(largest, float(np.abs(difference).max(initial=0.0)))
    if not apart:
        return Distance(0.0, largest)
    return Distance(math.sqrt(apart / norm) if norm else math.inf, largest)
