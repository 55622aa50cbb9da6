"""Recognising constants that hold something for each cell of a feature map: anchor points, strides, grids.

Not by where they stand but by what they hold. A row is the same in a whole level, or counts columns or rows of cells
(0, 1, 2 … or 0.5, 1.5 …), in cells or in pixels; anything else might depend on the size in a way that one size
does not show.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.passes.make_dynamic.edits import Grid, Level, Plain, Recipe, Row, Size
from graphkit.passes.make_dynamic.sizes import CannotTell, Sizes
from graphkit.passes.make_dynamic.worlds import Vector, fixed

_MOST_ROWS = 16
_OFFSETS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def recognise(array: NDArray[Any], axes: dict[int, Vector], sizes: Sizes) -> Recipe:
    """Tell how a constant follows from the sizes.

    Args:
        array: The constant.
        axes: Its axes whose size moves, and the dimension that each has to be.
        sizes: What is known of the sizes.

    Raises:
        CannotTell: It does not follow from them.
    """
    for axis in list(axes):
        first = array.take([0], axis)
        if np.array_equal(np.broadcast_to(first, array.shape), array) and not _is_size(first, axes.values(), sizes):
            array = first  # broadcasting makes the rest of it
            del axes[axis]
    if not axes:
        return Plain(np.ascontiguousarray(array))
    order = sorted(axes)
    rest = [axis for axis in range(array.ndim) if axis not in axes]
    count = math.prod(array.shape[axis] for axis in rest)
    if array.dtype.kind not in "fi" or count > _MOST_ROWS or not np.isfinite(array).all():
        raise CannotTell(f"it holds {_shape(array)} numbers that cannot be told from the size of a map")
    rows = array.transpose([*rest, *order]).reshape(count, -1)
    if len(order) == 1:
        parts = sizes.levels(axes[order[0]])
        cells = [sizes.atoms(part) for part in parts]
    else:
        cells = [tuple(atom for axis in order for atom in sizes.atoms(axes[axis]))]
    edges = np.cumsum([0, *(math.prod(atom[0] for atom in level) for level in cells)])
    if edges[-1] != rows.shape[1]:
        raise CannotTell(f"it holds {rows.shape[1]} positions, and the maps that they belong to have {edges[-1]}")
    levels = tuple(
        Level(level, tuple(_row(row[start:end].reshape([atom[0] for atom in level]), level, sizes) for row in rows))
        for level, start, end in zip(cells, edges[:-1], edges[1:], strict=True)
    )
    shape: list[Size] = [axes[axis] if axis in axes else int(array.shape[axis]) for axis in range(array.ndim)]
    return Grid(array.dtype, tuple(shape), tuple(order), levels)


def _row(values: NDArray[Any], level: tuple[Vector, ...], sizes: Sizes) -> Row:
    """What one row of a level holds."""
    if (values == values.flat[0]).all():
        if _is_size(values.reshape(-1)[:1], level, sizes):
            raise CannotTell(f"it holds {values.flat[0]:g}, which may be the size of a map or of the input")
        return Row(None, float(values.flat[0]))
    for axis in range(values.ndim):
        along = np.moveaxis(values, axis, -1)
        first = along.reshape(-1, values.shape[axis])[0]
        if np.array_equal(np.broadcast_to(first, along.shape), along):
            if fixed(level[axis]):
                return Row(axis, 0.0, table=tuple(float(value) for value in first))
            return _count(first, axis, level, sizes)
    raise CannotTell("its values follow neither the rows nor the columns of a map")


def _count(line: NDArray[Any], axis: int, level: tuple[Vector, ...], sizes: Sizes) -> Row:
    """A row that counts cells: start and step, where the size has no part in them."""
    step = float(line[1]) - float(line[0])
    # A whole number of pixels a cell, the same in every level: its stride. A step of 1 counts the cells.
    strides = {size[0] / level[axis][0] for size in sizes.symbols}
    offset = float(line[0]) / step if step else math.inf
    if not (step == 1.0 or (step in strides and step == round(step))) or offset not in _OFFSETS:
        raise CannotTell(
            f"it holds {_some(line)}, which counts neither the cells of a map nor their pixels, and may depend on the "
            "size in another way"
        )
    index = np.arange(line.size).astype(line.dtype)
    start, width = line.dtype.type(line[0]), line.dtype.type(step)
    if np.array_equal(index * width + start, line):
        return Row(axis, float(start), step)
    if np.array_equal((index + line.dtype.type(offset)) * width, line):
        return Row(axis, float(start), step, scaled=True)
    raise CannotTell(f"it holds {_some(line)}, which are not evenly spaced")


def _is_size(values: NDArray[Any], vectors: Any, sizes: Sizes) -> bool:
    """Whether every value may be a size, and none a stride (the pixels of a cell)."""
    if values.dtype.kind not in "fi" or not values.size:
        return False
    dims = [vector[0] for vector in vectors if not fixed(vector) and vector[0] > 1]
    inputs = [vector[0] for vector in sizes.symbols]
    strides = {size / dim for size in inputs for dim in dims}
    return all(may_be_size(float(value), [*dims, *inputs]) and float(value) not in strides for value in values.flat)


def may_be_size(value: float, known: Sequence[int]) -> bool:
    """Whether a number is one of these sizes, one less, or the reciprocal of one of them."""
    if not math.isfinite(value) or value in (0.0, 1.0, -1.0):
        return False
    near = [size - less for size in known for less in (0, 1) if size - less > 1]
    return any(
        abs(value - size) <= 1e-6 * size or abs(value * size - 1) <= 1e-5 or abs(value * size - 2) <= 1e-5
        for size in near
    )


def _shape(array: NDArray[Any]) -> str:
    return " × ".join(str(size) for size in array.shape)


def _some(line: NDArray[Any]) -> str:
    return ", ".join(f"{value:g}" for value in line[:3]) + " …"
