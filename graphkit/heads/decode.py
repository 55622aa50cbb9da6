"""Recognising the arithmetic that turns distances to the sides of a box into boxes in pixels.

YOLOv8 and its successors predict, for each anchor point, the distances l t r b to the four sides, in units of the
level's stride (as distributions over bins: DFL, Li et al., "Generalized Focal Loss", 2020). With the anchor point a:

    x1y1 = a - lt,  x2y2 = a + rb
    corners:      (x1y1, x2y2) · stride
    center-size:  ((x1y1 + x2y2) / 2, x2y2 - x1y1) · stride

The two codings differ in their arithmetic alone, so the arithmetic is what is read. Rotated boxes (`heads.rotated`)
turn the middle by an angle; YOLOv5 and v7 (`heads.anchored`) scale anchor boxes instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.anchored import AnchoredLevel, match_anchored_boxes
from graphkit.heads.rotated import match_rotated
from graphkit.heads.trace import LONGEST_CHAIN, constant, cut_from, peel, producer, same, scalar, upstream

Coding = Literal["center-size", "corners"]


@dataclass(frozen=True)
class BoxDecode:
    """Boxes in pixels, recognised.

    Attributes:
        channel_axis: Axis of the four coordinates, 1 or 2, in the tensor that was asked about.
        coding: What the four are.
        strides: Pixels a grid cell of each level, ascending; empty where they are computed at run time.
        bins: Bins a side of the DFL, or None where the distances are predicted directly.
        distances: What l t r b are cut from, [B, 4, A], in cells; None for anchor boxes.
        angle: What turns the boxes, [B, 1, A], radians; None where they are upright.
        levels: The levels of a decode by anchor boxes; empty otherwise.
    """

    channel_axis: int
    coding: Coding
    strides: tuple[int, ...]
    bins: int | None
    distances: gs.Tensor | None = None
    angle: gs.Tensor | None = None
    levels: tuple[AnchoredLevel, ...] = ()

    @property
    def family(self) -> str:
        """The best known models that decode so."""
        if self.levels:
            return "YOLOv5-style"
        return "YOLOv8-style" if self.bins else "YOLO26-style"


def match_boxes(tensor: gs.Tensor) -> BoxDecode | None:
    """Recognise boxes behind layout operators and, if split-head put one there, a conversion to corners."""
    peeled = peel(tensor)
    found = _match_decode(peeled.tensor) or _match_conversion(peeled.tensor)
    if found is None or not peeled.transposed:
        return found
    return replace(found, channel_axis=3 - found.channel_axis)


def _axis(node: gs.Node, default: int = 0) -> int | None:
    """The axis of a Concat or Split of rank-3 tensors, if it is 1 or 2."""
    axis = int(node.attrs.get("axis", default))
    axis = axis + 3 if axis < 0 else axis
    return axis if axis in (1, 2) else None


def _match_decode(tensor: gs.Tensor) -> BoxDecode | None:
    levels = match_anchored_boxes(tensor)
    if levels is not None:
        return BoxDecode(2, "center-size", tuple(sorted(level.stride for level in levels)), None, levels=levels)
    scaled = producer(tensor, "Mul")
    if scaled is None or len(scaled.inputs) != 2:
        return None
    for index in (0, 1):
        joined = producer(peel(scaled.inputs[index]).tensor, "Concat")
        if joined is None or len(joined.inputs) != 2 or peel(scaled.inputs[index]).transposed:
            continue
        axis, strides = _axis(joined), _strides(scaled.inputs[1 - index])
        if axis is None or strides is None:
            continue
        sides = _match_sides(*joined.inputs)
        if sides is not None:
            coding, distances = sides
            return BoxDecode(axis, coding, strides, _bins(distances), distances)
        rotated = match_rotated(*joined.inputs)
        if rotated is not None:
            source, angle = rotated
            return BoxDecode(axis, "center-size", strides, _bins(source), source, angle)
    return None


def _match_sides(first: gs.Tensor, second: gs.Tensor) -> tuple[Coding, gs.Tensor] | None:
    """Read the two halves of the boxes: their coding and the distances they are made from."""
    distances = _match_corner_pair(first, second)
    if distances is not None:
        return "corners", distances
    size, middle = producer(second, "Sub"), producer(first, "Div", "Mul")
    if size is None or middle is None:
        return None
    halved = _halved(middle)
    total = producer(halved, "Add") if halved is not None else None
    if total is None or len(total.inputs) != 2:
        return None
    high, low = size.inputs
    a, b = total.inputs
    if not ((same(a, low) and same(b, high)) or (same(a, high) and same(b, low))):
        return None
    distances = _match_corner_pair(low, high)
    return None if distances is None else ("center-size", distances)


def _halved(node: gs.Node) -> gs.Tensor | None:
    """What is halved by x / 2, x · 0.5 or 0.5 · x."""
    if node.op == "Div":
        return node.inputs[0] if scalar(node.inputs[1]) == 2.0 else None
    for index in (0, 1):
        if scalar(node.inputs[index]) == 0.5:
            return node.inputs[1 - index]
    return None


def _match_corner_pair(low: gs.Tensor, high: gs.Tensor) -> gs.Tensor | None:
    """Low = anchor - lt and high = anchor + rb, lt and rb cut from one tensor: that tensor."""
    minus, plus = producer(low, "Sub"), producer(high, "Add")
    if minus is None or plus is None or len(plus.inputs) != 2:
        return None
    distances = cut_from(minus.inputs[1])
    if distances is None:
        return None
    for index in (0, 1):
        anchor, side = plus.inputs[1 - index], plus.inputs[index]
        if cut_from(side) is distances and side is not minus.inputs[1] and _same_anchor(anchor, minus.inputs[0]):
            return distances
    return None


def _same_anchor(left: gs.Tensor, right: gs.Tensor) -> bool:
    if same(left, right):
        return True
    a, b = constant(left), constant(right)
    return a is not None and b is not None and np.array_equal(a, b)


def _strides(tensor: gs.Tensor) -> tuple[int, ...] | None:
    """The strides a tensor holds: pixels a cell. Empty where computed at run time; None where these are no strides."""
    value = constant(tensor)
    values = set(np.unique(value).tolist()) if value is not None and value.dtype.kind == "f" else set[float]()
    if value is None:
        # Dynamic exports fill one ConstantOfShape a level; other constants on the way are shapes, not strides.
        for node in upstream([tensor]):
            fill = node.attrs.get("value") if node.op == "ConstantOfShape" else None
            if isinstance(fill, gs.Constant) and np.dtype(fill.dtype).kind == "f" and fill.values.size == 1:
                values.add(float(fill.values.reshape(-1)[0]))
    elif not values:
        return None
    if any(not np.isfinite(v) or v < 1 or v != round(v) for v in values) or len(values) > 16:
        return None
    return tuple(sorted(int(v) for v in values))


def _bins(distances: gs.Tensor) -> int | None:
    """Bins of the DFL whose expectation the distances are, or None: Softmax, then a projection, then layout."""
    layout = ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Cast")
    tensor, weights = distances, None
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, *layout, "Conv", "MatMul", "ReduceSum", "Mul", "Softmax")
        if node is None or not node.inputs:
            return None
        if node.op == "Softmax":
            return None if weights is None else int(weights)
        tensor = node.inputs[0]
        if node.op in ("Conv", "MatMul", "Mul"):
            factors = [constant(source) for source in node.inputs[:2]]
            if weights is not None or (factors[0] is None) == (factors[1] is None):
                return None
            weights = next(int(factor.size) for factor in factors if factor is not None)
            tensor = node.inputs[0 if factors[0] is None else 1]
    return None


def _match_conversion(tensor: gs.Tensor) -> BoxDecode | None:
    """Corners computed from recognised centres and sizes: (c - s · 0.5, c + s · 0.5)."""
    joined = producer(tensor, "Concat")
    axis = _axis(joined) if joined is not None else None
    if joined is None or axis is None or len(joined.inputs) != 2:
        return None
    minus, plus = producer(joined.inputs[0], "Sub"), producer(joined.inputs[1], "Add")
    if minus is None or plus is None or not all(same(a, b) for a, b in zip(minus.inputs, plus.inputs, strict=True)):
        return None
    center, half = minus.inputs
    halving = producer(half, "Mul", "Div")
    size = _halved(halving) if halving is not None else None
    if size is None:
        return None
    cut = producer(center, "Split")
    if cut is None or len(cut.outputs) != 2:
        return None
    if cut.outputs[0] is not center or cut.outputs[1] is not size:
        return None
    source = peel(cut.inputs[0])
    inner = _match_decode(source.tensor)
    if inner is None or inner.coding != "center-size":
        return None
    outer_axis = 3 - inner.channel_axis if source.transposed else inner.channel_axis
    if outer_axis != axis or inner.angle is not None:
        return None
    return replace(inner, channel_axis=axis, coding="corners")
