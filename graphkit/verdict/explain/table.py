"""One thing that each candidate has, from both models, and where the two differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.verdict.levels import Level
from graphkit.verdict.measures import relative_l2

Array = NDArray[Any]
_ALIKE = 0.1
"""What is explained must be gone for nine tenths at least."""


@dataclass(frozen=True)
class Table:
    """Boxes, scores or an extra of every candidate.

    Attributes:
        holds: "boxes", "scores", "keypoints" and so on.
        left: [B, A, X], of the first model.
        right: [B, A, X], of the second.
        levels: Which rows are of which stride; () where that is not known.
        size: Height and width of the network's input, pixels.
        names: Class names by index.
        enough: Relative L2 up to which two arrays are the same.
        bins: Of the DFL, where boxes have one.
        floors: Relative L2 by column up to which that column is the same, where it is more than `enough`.
        ignore: Absolute differences that are none.
        by_stride: As `enough`, for one level alone, where it is another.
    """

    holds: str
    left: Array
    right: Array
    levels: tuple[Level, ...]
    size: tuple[int, int]
    names: Mapping[int, str] = field(default_factory=dict)
    enough: float = 1e-4
    bins: int | None = None
    floors: Array | None = None
    ignore: float = 0.0
    by_stride: Mapping[int, float] = field(default_factory=dict)

    @property
    def settled(self) -> Array:
        """The second model's, with what is no difference taken away: what is judged. What is explained is not."""
        if not self.ignore:
            return self.right
        with np.errstate(invalid="ignore"):
            result: Array = np.where(np.abs(self.left - self.right) <= self.ignore, self.left, self.right)
        return result

    def of(self, level: Level) -> Table:
        """The rows of one level, as if there were no others."""
        own = replace(level, start=0, stop=level.stop - level.start)
        enough = self.by_stride.get(level.stride, self.enough)
        return replace(
            self, left=self.left[:, level.rows], right=self.right[:, level.rows], levels=(own,), enough=enough
        )

    def images(self, chosen: Sequence[int]) -> Table:
        """Some images of the batch."""
        return replace(self, left=self.left[list(chosen)], right=self.right[list(chosen)])

    @property
    def apart(self) -> float:
        """Relative L2 of the whole."""
        return relative_l2(self.left, self.settled)

    def explained(self, guess: Array) -> float | None:
        """The relative L2 that is left where `guess` stands for the first model; None where that is too much."""
        left = relative_l2(guess, self.right)
        before = relative_l2(self.left, self.right)
        known = max(self.enough, 1e-3) if self.enough < 1e-3 else 2 * self.enough
        return left if left <= known and left <= _ALIKE * before else None

    def name(self, label: int) -> str:
        """A class, for a reader: "5 (bus)"."""
        return f"{label} ({self.names[label]})" if label in self.names else str(label)


def ratio(table: Table) -> tuple[float, float] | None:
    """The factor k of right = k · left, and what is left over; None where that is not it."""
    a, b = table.left.astype(np.float64).reshape(-1), table.right.astype(np.float64).reshape(-1)
    good = np.isfinite(a) & np.isfinite(b)
    if not good.all():
        return None
    norm = float(a @ a)
    factor = float(a @ b) / norm if norm else 0.0
    if not np.isfinite(factor) or factor == 0:
        return None
    rest = table.explained(table.left.astype(np.float64) * factor)
    return (factor, rest) if rest is not None else None


def number(value: float) -> str:
    """Without false digits: 0.5, 2, 0.333."""
    return f"{value:.4g}"


def left_over(rest: float) -> str:
    """What remains when it is undone."""
    return f"undone, a relative L2 of {rest:.1e} remains"
