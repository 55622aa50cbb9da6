"""What is to be done to a node: which of its inputs is computed at run time from now on, and from what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.passes.make_dynamic.worlds import Vector

Size = int | Vector
"""A number, or a dimension that moves."""


@dataclass(frozen=True)
class Integers:
    """A list of sizes, int64 [n]."""

    sizes: tuple[Size, ...]

    def value(self, world: int) -> NDArray[np.int64]:
        """The list at one of the sizes."""
        return np.array([size if isinstance(size, int) else size[world] for size in self.sizes], np.int64)


@dataclass(frozen=True)
class Plain:
    """Another constant."""

    array: Any

    def value(self, world: int) -> NDArray[Any]:  # noqa: ARG002 - the same at every size
        """The constant."""
        return np.asarray(self.array)


@dataclass(frozen=True)
class Repeated:
    """A constant, repeated along some axes.

    Attributes:
        array: With 1 along them.
        sizes: Of the whole.
    """

    array: Any
    sizes: tuple[Size, ...]


@dataclass(frozen=True)
class Row:
    """What one row of a grid holds at each cell (i0, i1, …) of a level.

    Attributes:
        axis: The only cell index that it depends on; None where it is the same everywhere.
        start: Value at index 0, or everywhere.
        step: Added from one index to the next.
        scaled: The value is (i + start / step) · step, not start + step · i: the two may round differently.
        table: Values along an axis of fixed size, instead of start and step.
    """

    axis: int | None
    start: float
    step: float = 0.0
    scaled: bool = False
    table: tuple[float, ...] = ()


@dataclass(frozen=True)
class Level:
    """A feature map: the dimensions of its cells, the slowest first, and what each row holds there."""

    cells: tuple[Vector, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Grid:
    """A constant that holds something for each cell of each level, to be computed from their sizes.

    Attributes:
        dtype: Its type.
        shape: Its dimensions.
        axes: Those that move, ascending; one, along which the levels are joined, or one for each cell dimension.
        levels: In order.
    """

    dtype: np.dtype[Any]
    shape: tuple[Size, ...]
    axes: tuple[int, ...]
    levels: tuple[Level, ...]


Recipe = Integers | Plain | Repeated | Grid


@dataclass(frozen=True)
class Edit:
    """One input of a node, to be computed.

    Attributes:
        output: First output of the node.
        index: Of the input.
        recipe: What it is to be.
        drop: Another input that is to be left out.
        attributes: To set.
    """

    output: str
    index: int
    recipe: Recipe
    drop: int | None = None
    attributes: tuple[tuple[str, int], ...] = ()


def shape_of(recipe: Recipe, world: int) -> Sequence[int]:
    """The shape of what a recipe makes, at one of the sizes."""
    if isinstance(recipe, Integers):
        return (len(recipe.sizes),)
    if isinstance(recipe, Plain):
        return tuple(np.shape(recipe.array))
    sizes = recipe.sizes if isinstance(recipe, Repeated) else recipe.shape
    return tuple(size if isinstance(size, int) else size[world] for size in sizes)


def dtype_of(recipe: Recipe) -> np.dtype[Any]:
    """The type of what a recipe makes."""
    if isinstance(recipe, Integers):
        return np.dtype(np.int64)
    return recipe.dtype if isinstance(recipe, Grid) else np.asarray(recipe.array).dtype


def vectors_of(recipe: Recipe) -> list[Vector]:
    """The dimensions that a recipe computes with."""
    if isinstance(recipe, Plain):
        return []
    if isinstance(recipe, Grid):
        return [cell for level in recipe.levels for cell in level.cells]
    return [size for size in recipe.sizes if isinstance(size, tuple)]
