"""What is wrong with boxes that are x1 y1 x2 y2 in pixels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from graphkit.verdict.explain.scores import place
from graphkit.verdict.explain.table import Array, Table, left_over, number, ratio
from graphkit.verdict.levels import Level
from graphkit.verdict.report import Finding

_CORNERS = ("x1", "y1", "x2", "y2")
_CENTER = ("cx", "cy", "w", "h")


def explain_boxes(table: Table, strides: tuple[int, ...]) -> Finding | None:
    """The first explanation that fits boxes [B, A, 4]; None where none does.

    Args:
        table: Of some levels, or of all.
        strides: Which those are; () for all.
    """
    where = place(table, strides, ())
    found = ratio(table)
    if found is not None:
        factor, rest = found
        text = f"boxes{where} are × {number(factor)}{_stride(strides, factor)}"
        return Finding("boxes", "scale", text, strides, (), left_over(rest))
    size = table.size
    limits = np.array([size[1], size[0], size[1], size[0]], np.float64)
    rest_ = table.explained(np.clip(table.left, 0, limits))
    if rest_ is not None:
        text = f"boxes{where} are clipped to the picture's {size[1]} × {size[0]} pixels"
        return Finding("boxes", "clipped", text, strides, (), left_over(rest_))
    for kind, text, guess in (*_codings(table.left), *_orders(table.left)):
        rest_ = table.explained(guess)
        if rest_ is not None:
            return Finding("boxes", kind, f"{text}{where and f',{where}'}", strides, (), left_over(rest_))
    return _offset(table, strides) or (_distances(table, table.levels[0]) if len(table.levels) == 1 else None)


def _stride(strides: tuple[int, ...], factor: float) -> str:
    if len(strides) != 1 or strides[0] * factor < 1:
        return ""
    return f", as if the stride were {number(strides[0] * factor)}"


def to_center(boxes: Array) -> Array:
    """Corners to centre and size."""
    low, high = boxes[..., :2].astype(np.float64), boxes[..., 2:].astype(np.float64)
    return np.concatenate([(low + high) / 2, high - low], axis=-1)


def to_corners(boxes: Array) -> Array:
    """Centre and size to corners."""
    middle, half = boxes[..., :2].astype(np.float64), boxes[..., 2:].astype(np.float64) / 2
    return np.concatenate([middle - half, middle + half], axis=-1)


def _codings(left: Array) -> Iterator[tuple[str, str, Array]]:
    yield "coding", "boxes hold x1 y1 x2 y2 where A's hold cx cy w h", to_corners(left)
    yield "coding", "boxes hold cx cy w h where A's hold x1 y1 x2 y2", to_center(left)


def _orders(left: Array) -> Iterator[tuple[str, str, Array]]:
    """The four numbers in another order, in either coding."""
    center = to_center(left)
    for order in permutations(range(4)):
        if order == (0, 1, 2, 3):
            continue
        told = " ".join(_CORNERS[index] for index in order)
        yield "order", f"boxes hold {told} where A's hold x1 y1 x2 y2", left[..., order]
        told = " ".join(_CENTER[index] for index in order)
        yield "order", f"boxes hold {told} where A's hold cx cy w h", to_corners(center[..., order])


def _offset(table: Table, strides: tuple[int, ...]) -> Finding | None:
    """All boxes moved by the same pixels."""
    moved = table.right.astype(np.float64) - table.left.astype(np.float64)
    if not np.isfinite(moved).all():
        return None
    middle = np.median(moved.reshape(-1, moved.shape[-1]), axis=0)
    rest = table.explained(table.left.astype(np.float64) + middle)
    if rest is None or float(np.abs(moved - middle).max()) > max(0.05, 0.02 * float(np.abs(middle).max())):
        return None
    where = place(table, strides, ())
    x, y, right, bottom = middle.tolist()
    if abs(x - right) < 0.05 and abs(y - bottom) < 0.05:
        cells = f" ({number(x / strides[0])} and {number(y / strides[0])} cells)" if len(strides) == 1 else ""
        text = f"boxes{where} are moved by {number(x)} pixels in x and {number(y)} in y{cells}"
    else:
        told = ", ".join(f"{name} by {number(value)}" for name, value in zip(_CORNERS, middle.tolist(), strict=True))
        text = f"corners of the boxes{where} are moved: {told} pixels"
    return Finding("boxes", "offset", text, strides, (), left_over(rest))


def _distances(table: Table, level: Level) -> Finding | None:
    """The four distances from the middle of the cell, turned round or scaled and moved: right = a · left + b."""
    if level.anchors != 1:
        return None
    left, right = _sides(table.left, level), _sides(table.right, level)
    x, y = left.reshape(-1), right.reshape(-1)
    if not (np.isfinite(x).all() and np.isfinite(y).all()) or float(np.ptp(x)) == 0:
        return None
    factor, moved = (float(value) for value in np.polyfit(x, y, 1))
    rest = float(np.linalg.norm(y - factor * x - moved) / max(float(np.linalg.norm(y)), 1e-30))
    if rest > max(table.enough, 1e-3):
        return None
    where = place(table, (level.stride,), ())
    if table.bins and abs(factor + 1) < 1e-2 and abs(moved - (table.bins - 1)) < 1e-2 * table.bins:
        text = f"the DFL's bins{where} are reversed: each distance is {table.bins - 1} less A's"
        return Finding("boxes", "bins reversed", text, (level.stride,), (), left_over(rest))
    text = f"distances to the sides of the boxes{where} are × {number(factor)} and {moved:+.4g} cells"
    return Finding("boxes", "distances", text, (level.stride,), (), left_over(rest))


def _sides(boxes: Array, level: Level) -> Array:
    """L t r b in cells, [B, A, 4]."""
    points = level.points()
    low, high = boxes[..., :2].astype(np.float64) / level.stride, boxes[..., 2:4].astype(np.float64) / level.stride
    return np.concatenate([points - low, high - points], axis=-1)
