"""The same preprocessing in NumPy, written from what it is to do: the proof holds the graph to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import Arrays

if TYPE_CHECKING:
    from graphkit.passes.embed_preprocess import EmbedPreprocess
    from graphkit.passes.embed_preprocess.graph import Place


def preprocess(place: Place, options: EmbedPreprocess) -> Callable[[Arrays], list[dict[str, NDArray[np.generic]]]]:
    """A function from the inputs of the new model to those of the old."""
    size = (place.height, place.width) if options.resize != "none" else None

    def before(new: Arrays) -> list[dict[str, NDArray[np.generic]]]:
        pixels = np.asarray(new[place.name])
        if options.layout == "nhwc":
            pixels = pixels.transpose(0, 3, 1, 2)
        if options.color == "bgr":
            pixels = pixels[:, ::-1]
        values = pixels.astype(np.float32)
        if size is not None:
            values = _stretch(values, *size)
        values = values / np.float32(options.divisor)
        if options.mean:
            values = values - np.array(options.mean, np.float32)[:, None, None]
        if options.std:
            values = values / np.array(options.std, np.float32)[:, None, None]
        if place.layout == "nhwc":
            values = values.transpose(0, 2, 3, 1)
        made = {name: np.asarray(value) for name, value in new.items()}
        made[place.name] = np.ascontiguousarray(values.astype(place.dtype))
        return [made]

    return before


def _stretch(values: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Bilinear, between the centres of pixels; beyond the outermost centres their value holds. [B, C, H, W].

    Positions and weights are rounded to float32, as runtimes compute them: in float64 a position at column 600 differs
    by 3e-5 pixels, which a network makes 1e-3 of a score near 0.
    """
    rows, columns = _line(height, values.shape[2]), _line(width, values.shape[3])
    result = np.zeros((*values.shape[:2], height, width), np.float32)
    for row, by_row in rows:
        for column, by_column in columns:
            result += by_column * by_row[:, None] * values[:, :, row][:, :, :, column]
    return result


def _line(count: int, have: int) -> list[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """For each of `count` places along an axis of length `have` the two pixels it lies between, and their weights."""
    scale, half = np.float32(count) / np.float32(have), np.float32(0.5)
    at = np.clip((np.arange(count, dtype=np.float32) + half) / scale - half, np.float32(0), np.float32(have - 1))
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, have - 1)
    part = np.where(low == high, half, at - low.astype(np.float32))  # both are the last pixel: half of it twice
    return [(low, np.float32(1) - part), (high, part)]
