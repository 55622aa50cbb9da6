"""What is in a constant: extremes, mean, zeros, and how its values are spread."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.model.tensors import in_pieces

_BINS = 24
MOST_SHOWN = 16
"""Elements of a constant that are listed; of larger ones there are statistics alone."""

Element = float | int | str


@dataclass(frozen=True)
class ValueStatistics:
    """Numbers about numbers. NaN and infinity are counted and left out of everything else.

    Attributes:
        elements: How many there are.
        zeros: How many are 0.
        nans: How many are NaN.
        infinities: How many are infinite.
        minimum: The least one; None where none is finite.
        maximum: The greatest one.
        mean: Their mean, in float64.
        deviation: Their standard deviation, in float64.
        histogram: How many lie in each of 24 equal parts between the least and the greatest; empty where all are equal.
        first: The elements themselves, in order, where there are at most 16.
    """

    elements: int
    zeros: int
    nans: int
    infinities: int
    minimum: float | int | None
    maximum: float | int | None
    mean: float | None
    deviation: float | None
    histogram: tuple[int, ...]
    first: tuple[Element, ...]


def value_statistics(values: NDArray[Any]) -> ValueStatistics | None:
    """Statistics of a tensor of numbers or booleans; None of complex numbers and strings."""
    if values.dtype.kind in "cOSU":
        return None
    counts = {"elements": values.size, "zeros": 0, "nans": 0, "infinities": 0}
    count, total, low, high = 0, 0.0, np.inf, -np.inf
    for numbers in _numbers(values):
        finite = numbers[np.isfinite(numbers)]
        counts["zeros"] += int((numbers == 0).sum())
        counts["nans"] += int(np.isnan(numbers).sum())
        counts["infinities"] += int(np.isinf(numbers).sum())
        if finite.size:
            count, total = count + finite.size, total + float(finite.sum())
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    first = elements(values) or ()
    if not count:
        return ValueStatistics(
            **counts, minimum=None, maximum=None, mean=None, deviation=None, histogram=(), first=first
        )
    mean, squares = total / count, 0.0
    spread = np.zeros(_BINS, np.int64)
    for numbers in _numbers(values):
        finite = numbers[np.isfinite(numbers)]
        squares += float(np.square(finite - mean).sum())
        if low < high:
            spread += np.histogram(finite, bins=_BINS, range=(low, high))[0]
    # float64 has no room for the largest integers, which exporters write for "to the end".
    exact = (int(values.min()), int(values.max())) if values.dtype.kind in "iub" else (low, high)
    return ValueStatistics(
        **counts,
        minimum=exact[0],
        maximum=exact[1],
        mean=mean,
        deviation=math.sqrt(squares / count),
        histogram=tuple(spread.tolist()) if low < high else (),
        first=first,
    )


def _numbers(values: NDArray[Any]) -> Iterator[NDArray[np.float64]]:
    """The numbers in float64: a million at a time, since all of them may take many times what the tensor takes."""
    return (piece.astype(np.float64) for piece in in_pieces(values))


def elements(values: NDArray[Any]) -> tuple[Element, ...] | None:
    """The elements of a small tensor, in order; None of a large one, and of one that holds no numbers."""
    if values.size > MOST_SHOWN or values.dtype.kind in "cOSU":
        return None
    exact = values if values.dtype.kind in "iub" else values.astype(np.float64)
    return tuple(element(value) for value in exact.reshape(-1).tolist())


def element(value: float | int) -> Element:
    """A number for a report; NaN and infinity, which JSON has no numbers for, as words."""
    return value if np.isfinite(value) else str(value)
