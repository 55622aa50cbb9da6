"""The feature maps that a head's tensors are joined from: one a level, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dims
from graphkit.heads.head import Extra, Head
from graphkit.heads.keypoints import match_keypoints
from graphkit.heads.trace import LONGEST_CHAIN, constant, operand, peel, producer, scalar


@dataclass(frozen=True, eq=False)
class RawExtra:
    """An extra before its decode.

    Attributes:
        kind: As in `Extra`.
        tensors: One a level, [B, width, H, W].
        width: Channels.
        values: Of each keypoint, 2 or 3; 0 for other kinds.
        scale: Of keypoints: 2 is (2 · raw - 0.5 + anchor) · stride, 1 is (raw + anchor) · stride.
        sigmoid: Of an angle: whether it is (sigmoid(raw) - 0.25) · π; it is raw otherwise.
    """

    kind: Literal["masks", "keypoints", "angle"]
    tensors: tuple[gs.Tensor, ...]
    width: int
    values: int = 0
    scale: int = 1
    sigmoid: bool = False


@dataclass(frozen=True, eq=False)
class RawHead:
    """What the last convolutions of a head predict, levels in the order of the candidates, ascending strides.

    Attributes:
        boxes: One a level, [B, 4 · bins, H, W], logits of the bins of l t r b, or [B, 4, H, W], l t r b in cells. Of
            a head with anchor boxes everything, [B, anchors · (5 + C), H, W].
        logits: One a level, [B, C, H, W]; none for anchor boxes.
        extras: The rest.
        strides: Pixels a cell of each level.
    """

    boxes: tuple[gs.Tensor, ...]
    logits: tuple[gs.Tensor, ...]
    extras: tuple[RawExtra, ...]
    strides: tuple[int, ...]


def raw_head(head: Head) -> RawHead | None:
    """Find the feature maps behind a head; None where some are not there, as they must be for a cut before them."""
    dims, decode = Dims(), head.decode
    if decode is None or head.state == "final":
        return None
    if head.levels:
        found = [level.raw for level in head.levels]
        maps = tuple(tensor for tensor in found if tensor is not None)
        known = len(maps) == len(found) and all(level.anchors for level in head.levels) and not head.extras
        return RawHead(maps, (), (), tuple(level.stride for level in head.levels)) if known else None
    sigmoid = producer(peel(head.scores).tensor, "Sigmoid")
    if decode.distances is None or sigmoid is None:
        return None
    source = _before_dfl(decode.distances) if head.bins else decode.distances
    boxes = _maps(source, 4 * (head.bins or 1), dims) if source is not None else None
    logits = _maps(sigmoid.inputs[0], head.classes, dims)
    extras = [_raw_extra(extra, dims) for extra in head.extras]
    known_extras = tuple(extra for extra in extras if extra is not None)
    if boxes is None or logits is None or len(known_extras) != len(extras):
        return None
    counts = {len(boxes), len(logits), len(head.strides), *(len(extra.tensors) for extra in known_extras)}
    return RawHead(boxes, logits, known_extras, head.strides) if len(counts) == 1 else None


def _raw_extra(extra: Extra, dims: Dims) -> RawExtra | None:
    tensor = peel(extra.tensor).tensor
    if extra.kind == "keypoints":
        points = match_keypoints(tensor, dims)
        maps = _maps(points.source, extra.width, dims) if points is not None else None
        if points is None or maps is None:
            return None
        return RawExtra("keypoints", maps, extra.width, values=points.values, scale=points.scale)
    sigmoid = False
    if extra.kind == "angle":
        before = _before_angle(tensor)
        sigmoid, tensor = before is not None, before if before is not None else tensor
    maps = _maps(tensor, extra.width, dims)
    return None if maps is None else RawExtra(extra.kind, maps, extra.width, sigmoid=sigmoid)


def _before_angle(tensor: gs.Tensor) -> gs.Tensor | None:
    """X of (sigmoid(x) - 0.25) · π."""
    scaled = producer(tensor, "Mul")
    if scaled is None or not np.isclose(scalar(scaled.inputs[1]) or 0.0, np.pi, rtol=1e-3):
        return None
    moved = producer(peel(scaled.inputs[0]).tensor, "Sub")
    sigmoid = producer(peel(moved.inputs[0]).tensor, "Sigmoid") if moved is not None else None
    if moved is None or sigmoid is None or scalar(moved.inputs[1]) != 0.25:
        return None
    return peel(sigmoid.inputs[0]).tensor


def _before_dfl(distances: gs.Tensor) -> gs.Tensor | None:
    """[B, 4 · bins, A] in front of the Softmax: what is folded to [B, 4, bins, A] or to a permutation of that."""
    tensor, softmax = distances, False
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, "Reshape", "Transpose", "Identity", "Cast", "Conv", "MatMul", "Softmax", "Mul")
        source = operand(node, 0) if node is not None else None
        if node is None or source is None:
            return None
        softmax |= node.op == "Softmax"
        if softmax and node.op == "Reshape":
            return peel(source).tensor
        tensor = source
    return None


def _maps(tensor: gs.Tensor, width: int, dims: Dims) -> tuple[gs.Tensor, ...] | None:
    """The maps [B, width, H, W] that are flattened and joined to [B, width, A]."""
    offset = 0
    peeled = peel(tensor)
    tensor = peeled.tensor
    if peeled.transposed:
        return None
    cut = producer(tensor, "Split", "Slice")
    if cut is not None:
        start = _start(cut, tensor)
        if start is None:
            return None
        offset, tensor = start, cut.inputs[0]
    joined = producer(tensor, "Concat")
    parts = list(joined.inputs) if joined is not None else [tensor]
    if joined is not None and (int(joined.attrs.get("axis", 0)) not in (2, -1) or len(parts) > 16):
        return None
    found = [_map(part, offset, width, dims) for part in parts]
    maps = tuple(item for item in found if item is not None)
    return maps if len(maps) == len(found) else None


def _map(part: gs.Tensor, offset: int, width: int, dims: Dims) -> gs.Tensor | None:
    flat = producer(peel(part).tensor, "Reshape")
    source = operand(flat, 0) if flat is not None else None
    if flat is None or source is None:
        return None
    source = peel(source).tensor
    flat_shape = dims.shape(flat.outputs[0])
    if flat_shape is None or len(flat_shape) != 3 or flat_shape[1] != dims.dim(source, 1):
        return None
    conv, joined = producer(source, "Conv"), producer(source, "Concat")
    if conv is not None:
        return source if offset == 0 and dims.dim(source, 1) == width else None
    if joined is None or int(joined.attrs.get("axis", 0)) not in (1, -3):
        return None
    place = 0
    for item in joined.inputs:
        channels = dims.dim(item, 1)
        if place == offset and channels == width and producer(peel(item).tensor, "Conv") is not None:
            return peel(item).tensor
        if channels is None:
            return None
        place += channels
    return None


def _start(cut: gs.Node, tensor: gs.Tensor) -> int | None:
    """The first channel that a Split or Slice on axis 1 takes."""
    if cut.op == "Split":
        sizes = cut.attrs.get("split", constant(operand(cut, 1)))
        index = next(i for i, output in enumerate(cut.outputs) if output is tensor)
        if int(cut.attrs.get("axis", 0)) not in (1, -2) or sizes is None or np.size(sizes) != len(cut.outputs):
            return None
        return int(np.sum(np.asarray(sizes).reshape(-1)[:index]))
    starts, axes = (cut.attrs.get(name, constant(operand(cut, place))) for name, place in (("starts", 1), ("axes", 3)))
    if starts is None or axes is None or np.size(axes) != 1 or int(np.asarray(axes).reshape(-1)[0]) not in (1, -2):
        return None
    return int(np.asarray(starts).reshape(-1)[0])
