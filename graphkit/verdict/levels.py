"""Which candidates come from which level of a head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ANCHORS_A_CELL = range(1, 10)
_STRIDES = (2, 4, 8, 16, 32, 64, 128)
_USUAL = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))


@dataclass(frozen=True)
class Level:
    """One level's candidates: the rows `start` to `stop`, anchors outside, then rows, then columns.

    Attributes:
        stride: Pixels a cell.
        start: First candidate.
        stop: One past the last.
        height: Rows of cells.
        width: Columns of cells.
        anchors: Candidates a cell.
    """

    stride: int
    start: int
    stop: int
    height: int
    width: int
    anchors: int

    @property
    def rows(self) -> slice:
        """Where its candidates are."""
        return slice(self.start, self.stop)

    def points(self) -> NDArray[np.float64]:
        """Middle of each candidate's cell, x y in cells, [candidates, 2]."""
        y, x = np.divmod(np.arange(self.height * self.width), self.width)
        return np.tile(np.stack([x, y], axis=1) + 0.5, (self.anchors, 1))


def find_levels(strides: Sequence[int], height: int, width: int, candidates: int) -> tuple[Level, ...]:
    """The levels that give so many candidates of a picture of this size; () where none do.

    Args:
        strides: As the head has them; empty where they are computed at run time: then those that fit are looked for.
        height: Of the network's input, pixels.
        width: The same.
        candidates: A.
    """
    choices = [tuple(strides)] if strides else [*_USUAL, *_neighbours()]
    for chosen in choices:
        cells = [(stride, -(-height // stride), -(-width // stride)) for stride in chosen]
        total = sum(rows * columns for _, rows, columns in cells)
        for anchors in _ANCHORS_A_CELL:
            if total * anchors == candidates:
                return _laid(cells, anchors)
    return ()


def _neighbours() -> list[tuple[int, ...]]:
    """Every run of neighbouring strides, the longest first."""
    count = len(_STRIDES)
    return [_STRIDES[first : first + size] for size in range(count, 0, -1) for first in range(count - size + 1)]


def _laid(cells: Sequence[tuple[int, int, int]], anchors: int) -> tuple[Level, ...]:
    found, start = list[Level](), 0
    for stride, rows, columns in cells:
        stop = start + rows * columns * anchors
        found.append(Level(stride, start, stop, rows, columns, anchors))
        start = stop
    return tuple(found)
