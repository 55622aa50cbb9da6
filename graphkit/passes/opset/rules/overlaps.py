"""Col2Im: an image from blocks that overlap, by Gather and a sum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.site import Site

_MOST = 1 << 22
"""Elements of the largest table of places."""


@rule("Col2Im", 18, None)
def col2im(site: Site) -> None:
    """Each pixel gets, for each place b in a block, what the one block l that has it there says, if there is one.

    Along a dimension it has it there where  l · stride + b · dilation - padding = pixel.
    """
    x = site.input(0)
    image, block = _constant(site, 1, "image_shape"), _constant(site, 2, "block_shape")
    count, pixels = math.prod(block), math.prod(image)
    if count * pixels > _MOST:
        site.block(
            "the operator is new in opset 18, and a table of places for an image of that size would be too large"
        )
    places, known = _places(site, image, block)
    rows = site.emit("Reshape", x, site.const([0, -1, count * _blocks(site, image, block)]), hint="rows")
    found = site.emit("Gather", rows, site.const(places.reshape(-1), hint="places"), axis=2, hint="found")
    found = site.emit("Reshape", found, site.const([0, 0, count, pixels]), hint="found")
    zero = site.like(0, site.need_element(x), "zero")
    added = site.emit("Where", site.const(known, bool, hint="known"), found, zero, hint="parts")
    total = site.emit("ReduceSum", added, site.const([2]), keepdims=0)
    site.emit("Reshape", total, site.const([0, 0, *image]), to=site.outputs[0])


def _constant(site: Site, index: int, what: str) -> list[int]:
    value = site.value(site.input(index))
    if value is None:
        site.block(f"its {what} ({site.input(index)}) is computed at run time", "static shapes may make it a constant")
    return [int(item) for item in value.reshape(-1)]


def _settings(site: Site, rank: int) -> list[tuple[int, int, int, int]]:
    """Stride, dilation and padding in front and behind, along each dimension."""
    strides, dilations = site.attr("strides") or [1] * rank, site.attr("dilations") or [1] * rank
    pads = site.attr("pads") or [0] * (2 * rank)
    return list(zip(strides, dilations, pads[:rank], pads[rank:], strict=True))


def _steps(site: Site, image: list[int], block: list[int]) -> list[int]:
    """How many blocks there are along each dimension."""
    return [
        (size + front + behind - dilation * (width - 1) - 1) // stride + 1
        for size, width, (stride, dilation, front, behind) in zip(
            image, block, _settings(site, len(image)), strict=True
        )
    ]


def _blocks(site: Site, image: list[int], block: list[int]) -> int:
    return math.prod(_steps(site, image, block))


def _places(site: Site, image: list[int], block: list[int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each place in a block and each pixel, where [place, block] it is, and whether it is anywhere."""
    number, known = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
    steps = _steps(site, image, block)
    for size, width, count, (stride, dilation, front, _) in zip(
        image, block, steps, _settings(site, len(image)), strict=True
    ):
        start = np.arange(size) + front - np.arange(width)[:, None] * dilation
        step, inside = start // stride, (start % stride == 0) & (start >= 0) & (start < count * stride)
        number = (number[:, None, :, None] * count + step[None, :, None, :]).reshape(number.shape[0] * width, -1)
        known = (known[:, None, :, None] & inside[None, :, None, :]).reshape(number.shape)
    first = np.arange(len(number))[:, None] * math.prod(steps)
    return np.where(known, first + number, 0), known
