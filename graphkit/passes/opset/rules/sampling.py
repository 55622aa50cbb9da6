"""Which element a nearest-neighbour Resize takes for each place of its output, along one axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np

_LARGEST_FACTOR = 1024

# Of a position, exactly. See nearest_mode in the spec of Resize.
_ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round_prefer_floor": lambda position: math.ceil(position - Fraction(1, 2)),
    "round_prefer_ceil": lambda position: math.floor(position + Fraction(1, 2)),
}

_HALF = Fraction(1, 2)


def whole_blocks(coordinates: str, rounding: str, factor: int) -> bool:
    """Whether place x of the output takes element floor(x / factor), however large the axis is.

    x = factor · q + r is at q plus an offset that depends on r alone, and rounding adds q to what that is rounded to.
    """
    if rounding not in _ROUNDINGS or not 1 <= factor <= _LARGEST_FACTOR:
        return False
    if coordinates == "align_corners":
        return factor == 1
    offsets = [_offset(coordinates, Fraction(rest), Fraction(factor)) for rest in range(factor)]
    return all(offset is not None and _ROUNDINGS[rounding](offset) == 0 for offset in offsets)


def _offset(coordinates: str, place: Fraction, scale: Fraction) -> Fraction | None:
    """Where a place of the output lies in the input; see coordinate_transformation_mode in the spec of Resize."""
    if coordinates == "asymmetric":
        return place / scale
    if coordinates in ("half_pixel", "pytorch_half_pixel"):
        return (place + _HALF) / scale - _HALF
    if coordinates == "tf_half_pixel_for_nn":
        return (place + _HALF) / scale
    return None


def nearest(coordinates: str, rounding: str, size: int, out: int, scale: Fraction) -> list[int] | None:
    """The element for each place, for an axis of `size` that becomes `out`.

    None where that is not known, or where exact numbers and the 32 bit floats that runtimes compute with disagree.
    """
    if rounding not in _ROUNDINGS:
        return None
    places = []
    for place in range(out):
        if out == 1 and coordinates in ("align_corners", "pytorch_half_pixel"):
            position: Fraction | None = Fraction(0)
        elif coordinates == "align_corners":
            position = Fraction(place * (size - 1), out - 1)
        else:
            position = _offset(coordinates, Fraction(place), scale)
        if position is None:
            return None
        rounded = _clamped(_ROUNDINGS[rounding](position), size)
        single = _clamped(_ROUNDINGS[rounding](_single(coordinates, place, size, out, scale)), size)
        if single != rounded:
            return None
        places.append(rounded)
    return places


def _single(coordinates: str, place: int, size: int, out: int, scale: Fraction) -> Fraction:
    """The position as 32 bit floats have it."""
    x, factor, half = np.float32(place), np.float32(float(scale)), np.float32(0.5)
    if out == 1 and coordinates in ("align_corners", "pytorch_half_pixel"):
        return Fraction(0)
    if coordinates == "align_corners":
        position = x * np.float32(size - 1) / np.float32(out - 1)
    elif coordinates == "asymmetric":
        position = x / factor
    else:
        position = (x + half) / factor
        if coordinates != "tf_half_pixel_for_nn":
            position -= half
    return Fraction(float(position))


def _clamped(place: int, size: int) -> int:
    return min(max(place, 0), size - 1)


def length(size: int, scale: Fraction) -> int | None:
    """floor(size · scale); None where 32 bit floats say something else."""
    exact = math.floor(size * scale)
    return exact if math.floor(float(np.float32(size) * np.float32(float(scale)))) == exact else None


def single_scale(size: int, out: int, *, exact: bool) -> float | None:
    """A 32 bit float that takes an axis of `size` to `out`: out / size itself, or one close to it unless `exact`."""
    if size == 0:
        return None
    first = np.float32(out / size)
    for scale in (first, np.nextafter(first, np.float32(np.inf))):
        if exact and Fraction(float(scale)) != Fraction(out, size):
            continue
        if scale > 0 and length(size, Fraction(float(scale))) == out:
            return float(scale)
    return None
