"""Decoding each family's raw convolution outputs, as the papers and ultralytics define it, in plain NumPy.

Everything here is float64 and looks at one level after the other, as the definitions do and exported graphs do not:
this is what recognised heads and cut models are held against, not how they are decoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Level = NDArray[Any]
"""The output of one level's last convolution, [B, channels, H, W]."""
Decoded = NDArray[np.float64]


def sigmoid(values: NDArray[Any]) -> Decoded:
    """1 / (1 + exp(-x)), any shape."""
    with np.errstate(over="ignore"):
        result: Decoded = 1 / (1 + np.exp(-values.astype(np.float64)))
    return result


def grid(levels: Sequence[Level], strides: Sequence[int], offset: float = 0.5) -> tuple[Decoded, Decoded]:
    """Anchor points [A, 2] (x y, in cells) and strides [A, 1] of all levels, row by row; cell centres are at + 0.5."""
    points, steps = [], []
    for level, stride in zip(levels, strides, strict=True):
        height, width = level.shape[2:]
        y, x = np.mgrid[:height, :width].astype(np.float64) + offset
        points.append(np.stack([x.ravel(), y.ravel()], axis=1))
        steps.append(np.full((height * width, 1), float(stride)))
    return np.concatenate(points), np.concatenate(steps)


def flat(levels: Sequence[Level]) -> Decoded:
    """The levels' channels for each candidate, [B, A, channels]."""
    return np.concatenate(
        [level.reshape(*level.shape[:2], -1).transpose(0, 2, 1).astype(np.float64) for level in levels], axis=1
    )


def distances(levels: Sequence[Level]) -> Decoded:
    """Left, top, right and bottom distances of each candidate, [B, A, 4], in cells.

    Four channels are the distances themselves (YOLO26). More are 4 x bins logits: the distance is the expectation of
    the bin number under their softmax (Distribution Focal Loss, arXiv:2006.04388).
    """
    values = flat(levels)
    if values.shape[2] == 4:
        return values
    bins = values.shape[2] // 4
    logits = values.reshape(*values.shape[:2], 4, bins)
    weights = np.exp(logits - logits.max(axis=3, keepdims=True))
    weights /= weights.sum(axis=3, keepdims=True)
    result: Decoded = weights @ np.arange(bins, dtype=np.float64)
    return result


def boxes(
    levels: Sequence[Level], strides: Sequence[int], coding: Literal["center-size", "corners"] = "center-size"
) -> Decoded:
    """Boxes [B, A, 4] in pixels, from distances to the four sides (FCOS, arXiv:1904.01355; ultralytics dist2bbox)."""
    points, steps = grid(levels, strides)
    sides = distances(levels)
    first, second = points - sides[..., :2], points + sides[..., 2:]
    if coding == "corners":
        return np.concatenate([first, second], axis=2) * steps
    return np.concatenate([(first + second) / 2, second - first], axis=2) * steps


def scores(levels: Sequence[Level]) -> Decoded:
    """Activated class scores [B, A, C]."""
    return sigmoid(flat(levels))


def angles(levels: Sequence[Level], activated: bool = True) -> Decoded:
    """Angles [B, A, 1] in radians: (sigmoid(x) - 1/4) pi, in -pi/4..3pi/4; YOLO26 takes x itself."""
    values = flat(levels)
    return (sigmoid(values) - 0.25) * np.pi if activated else values


def rotated_boxes(levels: Sequence[Level], angle: Decoded, strides: Sequence[int]) -> Decoded:
    """Rotated boxes [B, A, 5], cx cy w h in pixels and the angle (ultralytics dist2rbox).

    The distances are measured along the box's own axes, so half their difference, which moves the centre off the
    anchor point, is turned by the angle.
    """
    points, steps = grid(levels, strides)
    sides = distances(levels)
    shift = (sides[..., 2:] - sides[..., :2]) / 2
    cos, sin = np.cos(angle[..., 0]), np.sin(angle[..., 0])
    x = shift[..., 0] * cos - shift[..., 1] * sin
    y = shift[..., 0] * sin + shift[..., 1] * cos
    center = (np.stack([x, y], axis=-1) + points) * steps
    return np.concatenate([center, (sides[..., :2] + sides[..., 2:]) * steps, angle], axis=2)


def keypoints(levels: Sequence[Level], strides: Sequence[int], width: Literal[2, 3], plain: bool = False) -> Decoded:
    """Keypoints [B, A, K · width]: x y in pixels, and the visibility 0..1 where `width` is 3.

    x = (2 v + cell) · stride with the cell's corner (YOLOv8-pose); `plain` is (v + cell centre) · stride (YOLO26).
    """
    points, steps = grid(levels, strides)
    values = flat(levels)
    parts = values.reshape(*values.shape[:2], -1, width)
    scaled = parts[..., :2] + points[:, None] if plain else parts[..., :2] * 2 + points[:, None] - 0.5
    found = scaled * steps[:, None]
    if width == 3:
        found = np.concatenate([found, sigmoid(parts[..., 2:])], axis=-1)
    return found.reshape(*values.shape[:2], -1)


def anchored(
    levels: Sequence[Level], strides: Sequence[int], anchors: Sequence[Sequence[tuple[float, float]]]
) -> tuple[Decoded, Decoded, Decoded]:
    """YOLOv5 and YOLOv7: boxes [B, A, 4] (cx cy w h, pixels), objectness [B, A, 1], class scores [B, A, C].

    Each level [B, n · (5 + C), H, W] has n anchor boxes; candidates are ordered by level, anchor, row, column. With
    s = sigmoid(x): centre = (2 s - 0.5 + cell) · stride, size = (2 s)² · anchor.

    Args:
        levels: Of the last convolutions.
        strides: Pixels a cell.
        anchors: Width and height in pixels, for each level.
    """
    parts = []
    for level, stride, sizes in zip(levels, strides, anchors, strict=True):
        batch, _, height, width = level.shape
        found = sigmoid(level).reshape(batch, len(sizes), -1, height, width).transpose(0, 1, 3, 4, 2)
        y, x = np.mgrid[:height, :width].astype(np.float64)
        center = (found[..., :2] * 2 - 0.5 + np.stack([x, y], axis=-1)) * stride
        size = (found[..., 2:4] * 2) ** 2 * np.asarray(sizes, np.float64)[None, :, None, None]
        parts.append(np.concatenate([center, size, found[..., 4:]], axis=-1).reshape(batch, -1, found.shape[-1]))
    joined = np.concatenate(parts, axis=1)
    return joined[..., :4], joined[..., 4:5], joined[..., 5:]
