"""Recognising heads with anchor boxes and objectness: YOLOv5 and YOLOv7, as their repositories export them.

Each level predicts for each of its anchor boxes, in each cell, x y w h, objectness and classes, through a Sigmoid s:

    xy = (2 · s - 0.5 + cell) · stride      (YOLOv7: s · 2 stride + (cell - 0.5) · stride)
    wh = (2 · s)² · anchor                  (YOLOv7: s² · 4 anchor)
    score = s(objectness) · s(class)

They are joined along the last axis of [B, anchors, H, W, 5 + C], and the levels along the candidates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit.heads.trace import constant, operand, peel, producer, scalar

_DEEPEST = 12


@dataclass(frozen=True)
class AnchoredLevel:
    """One level of such a head; tensors are [B, anchors, H, W, n].

    Attributes:
        parts: What is joined: centres (2), sizes (2), objectness and classes (1 + C, behind their Sigmoid), and mask
            coefficients where there are some. After split-head the first two only.
        stride: Pixels a cell.
        anchors: Width and height of each anchor box, pixels; empty where they are not constant.
        raw: The output of the level's convolution, [B, anchors · (5 + C), H, W]; None where it is not there.
    """

    parts: tuple[gs.Tensor, ...]
    stride: int
    anchors: tuple[tuple[float, float], ...]
    raw: gs.Tensor | None


@dataclass(frozen=True)
class _Chain:
    """What scales a prediction on its way: scale · prediction ** power + anything."""

    source: gs.Tensor
    power: int
    scale: NDArray[np.float64] | None


def match_anchored_boxes(tensor: gs.Tensor) -> tuple[AnchoredLevel, ...] | None:
    """Boxes alone, [B, A, 4], as split-head leaves them."""
    return _levels(tensor, (2,))


def match_anchored_joined(tensor: gs.Tensor) -> tuple[AnchoredLevel, ...] | None:
    """Boxes, objectness and classes (and mask coefficients) in one tensor [B, A, 5 + C (+ E)]."""
    return _levels(tensor, (3, 4))


def _levels(tensor: gs.Tensor, widths: tuple[int, ...]) -> tuple[AnchoredLevel, ...] | None:
    joined = producer(tensor, "Concat")
    if joined is not None and (int(joined.attrs.get("axis", 0)) not in (1, -2) or not 0 < len(joined.inputs) <= 16):
        return None
    found = [_level(part, widths) for part in (joined.inputs if joined is not None else [tensor])]
    levels = tuple(level for level in found if level is not None)
    return levels if levels and len(levels) == len(found) and len({len(level.parts) for level in levels}) == 1 else None


def _level(tensor: gs.Tensor, widths: tuple[int, ...]) -> AnchoredLevel | None:
    flat = producer(peel(tensor).tensor, "Reshape")
    source = operand(flat, 0) if flat is not None else None
    joined = producer(peel(source).tensor, "Concat") if source is not None else None
    if joined is None or len(joined.inputs) not in widths or int(joined.attrs.get("axis", 0)) not in (4, -1):
        return None
    center, size = (_chain(part) for part in joined.inputs[:2])
    if center is None or size is None or (center.power, size.power) != (1, 2) or center.source is not size.source:
        return None
    if len(joined.inputs) > 2 and not _same_sigmoid(joined.inputs[2], center.source):
        return None
    stride = _stride(center.scale)
    if stride is None:
        return None
    return AnchoredLevel(tuple(joined.inputs), stride, _anchors(size.scale), _convolution(center.source))


def _base(tensor: gs.Tensor) -> gs.Tensor | None:
    """What a part is predicted as: x of cut(Sigmoid(x)) or of Sigmoid(cut(x))."""
    node = producer(tensor, "Split", "Slice", "Sigmoid")
    source = operand(node, 0) if node is not None else None
    if node is None or source is None:
        return None
    inner = producer(peel(source).tensor, *(("Split", "Slice") if node.op == "Sigmoid" else ("Sigmoid",)))
    return peel(inner.inputs[0]).tensor if inner is not None else None


def _same_sigmoid(tensor: gs.Tensor, source: gs.Tensor) -> bool:
    return _base(peel(tensor).tensor) is source


def _chain(tensor: gs.Tensor, depth: int = 0) -> _Chain | None:
    tensor = peel(tensor).tensor
    base = _base(tensor)
    if base is not None:
        return _Chain(base, 1, np.ones(()))
    node = producer(tensor, "Mul", "Div", "Add", "Sub", "Pow")
    if node is None or len(node.inputs) != 2 or depth > _DEEPEST:
        return None
    left, right = node.inputs
    if node.op == "Pow" or (node.op == "Mul" and left is right):
        inner = _chain(left, depth + 1)
        if inner is None or inner.power != 1 or (node.op == "Pow" and scalar(right) != 2.0):
            return None
        return _Chain(inner.source, 2, None if inner.scale is None else inner.scale**2)
    for index in (0, 1) if node.op in ("Mul", "Add") else (0,):
        factor = constant(node.inputs[1 - index])
        if constant(node.inputs[index]) is not None:
            continue
        inner = _chain(node.inputs[index], depth + 1)
        if inner is None:
            continue
        if node.op in ("Add", "Sub"):
            return inner
        if factor is None or factor.dtype.kind != "f" or inner.scale is None:
            return _Chain(inner.source, inner.power, None)
        wide = factor.astype(np.float64)
        with np.errstate(all="ignore"):
            return _Chain(inner.source, inner.power, inner.scale * wide if node.op == "Mul" else inner.scale / wide)
    return None


def _stride(scale: NDArray[np.float64] | None) -> int | None:
    """Centres span two cells: the scale is twice the stride."""
    values = np.unique(scale / 2) if scale is not None else np.empty(0)
    if values.size != 1 or not np.isfinite(values[0]) or values[0] < 1 or values[0] != round(values[0]):
        return None
    return int(values[0])


def _anchors(scale: NDArray[np.float64] | None) -> tuple[tuple[float, float], ...]:
    """Sizes are at most four anchor boxes: [1, anchors, 1 or H, 1 or W, 2]."""
    if scale is None or scale.ndim != 5 or scale.shape[-1] != 2 or scale.shape[0] != 1 or not np.isfinite(scale).all():
        return ()
    corner = scale[:, :, :1, :1, :]
    if not (scale == corner).all():
        return ()
    return tuple((float(w), float(h)) for w, h in corner.reshape(-1, 2) / 4)


def _convolution(tensor: gs.Tensor) -> gs.Tensor | None:
    """Conv, Reshape to [B, anchors, 5 + C, H, W], Transpose to [B, anchors, H, W, 5 + C]: the Conv's output."""
    moved = producer(tensor, "Transpose")
    if moved is None or list(moved.attrs.get("perm", ())) != [0, 1, 3, 4, 2]:
        return None
    folded = producer(moved.inputs[0], "Reshape")
    source = peel(folded.inputs[0]).tensor if folded is not None and folded.inputs else None
    return source if source is not None and producer(source, "Conv") is not None else None
