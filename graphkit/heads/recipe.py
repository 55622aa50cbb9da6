"""Decoding what the last convolutions predict, in NumPy: what the user of a model that is cut there has to do.

Written from the descriptions of the heads (`heads.decode`, `heads.rotated`, `heads.keypoints`, `heads.anchored`), not
from the graphs. Candidates are the levels one after the other, in each level row by row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.heads.candidates import relayout, to_corners
from graphkit.heads.head import Head
from graphkit.heads.levels import RawHead
from graphkit.heads.relation import Arrays

Float = NDArray[np.float32]


@dataclass(frozen=True)
class Names:
    """What the outputs of a cut model are called, by level.

    Attributes:
        boxes: As `RawHead.boxes`.
        scores: As `RawHead.logits`, or after their Sigmoid.
        extras: As `RawHead.extras`.
        sums: Sum over the classes, clipped to 0..1; or none.
        activated: Whether scores (of anchor boxes: everything) are behind their Sigmoid.
    """

    boxes: tuple[str, ...]
    scores: tuple[str, ...]
    extras: tuple[tuple[str, ...], ...]
    sums: tuple[str, ...] = ()
    activated: bool = False


def sigmoid(values: Float) -> Float:
    """1 / (1 + exp(-x)), without overflow."""
    with np.errstate(over="ignore"):
        result: Float = (1 / (1 + np.exp(-values.astype(np.float64)))).astype(np.float32)
    return result


def recover(head: Head, raw: RawHead, names: Names) -> Callable[[Arrays], dict[str, NDArray[np.generic]]]:
    """A function from the outputs of the cut model to the outputs that the head had. Holds on to no graph."""
    bins, classes, coding, strides = head.bins or 1, head.classes, head.coding, raw.strides
    outputs, joined, state = head.outputs, head.output_layout, head.state
    layouts = (head.box_layout, head.score_layout, *(extra.layout for extra in head.extras))
    kinds = tuple((e.kind, e.values, e.scale, e.sigmoid) for e in raw.extras)
    rotated = head.rotated
    anchors = tuple(level.anchors for level in head.levels)
    cast = onnx.helper.tensor_dtype_to_np_dtype(head.casts[-1]) if head.casts else None

    def parts(arrays: Arrays) -> list[Float]:
        """Boxes, scores and extras, [B, channels, A] each."""
        if anchors:
            return _decode_anchored([arrays[n] for n in names.boxes], strides, anchors, names.activated, classes)
        maps = [arrays[name].astype(np.float32) for name in names.boxes]
        points, scales = _grid([m.shape[2:] for m in maps], strides)
        sides = _expectation(_flat(maps), bins)
        scores = _flat([arrays[name].astype(np.float32) for name in names.scores])
        _check_sums(arrays, names)
        extras: list[Float] = []
        angle: Float | None = None
        for (kind, values, scale, activated), level_names in zip(kinds, names.extras, strict=True):
            found = _flat([arrays[name].astype(np.float32) for name in level_names])
            if kind == "keypoints":
                found = _keypoints(found, values, scale, points, scales)
            elif kind == "angle":
                angle = found = (sigmoid(found) - np.float32(0.25)) * np.float32(np.pi) if activated else found
            extras.append(found)
        boxes = _boxes(sides, points, scales, angle)
        if coding == "corners" and not rotated:
            boxes = np.ascontiguousarray(to_corners(boxes, 1), np.float32)
        return [boxes, scores if names.activated else sigmoid(scores), *extras]

    def old(arrays: Arrays) -> dict[str, NDArray[np.generic]]:
        found = parts(arrays)
        dtype = cast or arrays[names.boxes[0]].dtype
        if joined is not None:
            whole = relayout(np.concatenate(found, axis=1), "cn", joined)
            return {outputs[0]: whole.astype(dtype)}
        if anchors:
            found = [found[0], found[1] * found[2]]
        return {
            name: relayout(part, "cn", layout).astype(dtype)
            for name, part, layout in zip(outputs, found, layouts, strict=True)
        }

    assert state != "final"
    return old


def _flat(maps: Sequence[Float]) -> Float:
    return np.concatenate([m.reshape(m.shape[0], m.shape[1], -1) for m in maps], axis=2)


def _grid(sizes: Sequence[tuple[int, ...]], strides: Sequence[int]) -> tuple[Float, Float]:
    """Anchor points [2, A], in cells, at the middle of each; and the stride of each [A]."""
    points, scales = [], []
    for (height, width), stride in zip(sizes, strides, strict=True):
        y, x = np.divmod(np.arange(height * width), width)
        points.append(np.stack([x, y]) + 0.5)
        scales.append(np.full(height * width, stride))
    return np.concatenate(points, axis=1).astype(np.float32), np.concatenate(scales).astype(np.float32)


def _expectation(logits: Float, bins: int) -> Float:
    """L t r b in cells, [B, 4, A]: the mean of each distribution over its bins 0, 1, 2 and so on."""
    if bins == 1:
        return logits
    folded = logits.reshape(logits.shape[0], 4, bins, -1)
    powers = np.exp(folded - folded.max(axis=2, keepdims=True))
    result: Float = np.einsum("bsna,n->bsa", powers / powers.sum(axis=2, keepdims=True), np.arange(bins)).astype(
        np.float32
    )
    return result


def _boxes(sides: Float, points: Float, scales: Float, angle: Float | None) -> Float:
    """Centres and sizes in pixels, [B, 4, A]."""
    lt, rb = sides[:, :2], sides[:, 2:]
    offset = (rb - lt) / 2
    if angle is not None:
        cos, sin, xf, yf = np.cos(angle), np.sin(angle), offset[:, :1], offset[:, 1:]
        offset = np.concatenate([xf * cos - yf * sin, xf * sin + yf * cos], axis=1)
    result: Float = np.concatenate([points + offset, lt + rb], axis=1) * scales
    return result


def _keypoints(raw: Float, values: int, scale: int, points: Float, scales: Float) -> Float:
    folded = raw.reshape(raw.shape[0], -1, values, raw.shape[2])
    center = points - np.float32(0.5) if scale == 2 else points
    parts = [(folded[:, :, :2] * scale + center) * scales]
    if values == 3:
        parts.append(sigmoid(folded[:, :, 2:]))
    return np.concatenate(parts, axis=2).reshape(raw.shape)


def _check_sums(arrays: Arrays, names: Names) -> None:
    for total, scores in zip(names.sums, names.scores, strict=False):
        expected = np.clip(arrays[scores].astype(np.float32).sum(axis=1, keepdims=True), 0, 1)
        if not np.allclose(arrays[total], expected, atol=2e-3):
            raise ValueError(f'"{total}" is not the sum of "{scores}" over the classes, clipped to 0..1')


def _decode_anchored(
    maps: Sequence[NDArray[np.generic]],
    strides: Sequence[int],
    anchors: Sequence[Sequence[tuple[float, float]]],
    activated: bool,
    classes: int,
) -> list[Float]:
    """Boxes, objectness and scores of a head with anchor boxes: anchors outside, then rows, then columns."""
    found = []
    for item, stride, sizes in zip(maps, strides, anchors, strict=True):
        level = item.astype(np.float32)
        batch, _, height, width = level.shape
        level = (level if activated else sigmoid(level)).reshape(batch, len(sizes), 5 + classes, height * width)
        y, x = np.divmod(np.arange(height * width), width)
        cells = np.stack([x, y]).astype(np.float32)
        center = (level[:, :, :2] * 2 - np.float32(0.5) + cells) * np.float32(stride)
        size = (level[:, :, 2:4] * 2) ** 2 * np.asarray(sizes, np.float32)[:, :, None]
        whole = np.concatenate([center, size, level[:, :, 4:]], axis=2)
        found.append(whole.transpose(0, 2, 1, 3).reshape(batch, 5 + classes, -1))
    joined = np.concatenate(found, axis=2)
    return [joined[:, :4], joined[:, 4:5], joined[:, 5:]]
