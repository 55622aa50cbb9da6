"""Small detectors with the heads of YOLOv5 and YOLOv7: anchor boxes and objectness, as their repositories export them.

Built from the published decode, with random weights: pooled pixels, a 1x1 convolution a level, Reshape, Transpose,
Sigmoid, Split, grid and anchor arithmetic, Concat.
"""

from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.heads.build import _Graph

ANCHORS = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
Form = Literal["v5", "v5-slices", "v7"]


def anchored(
    *,
    form: Form = "v5",
    classes: int = 3,
    size: int = 64,
    batch: int | str = 1,
    opset: int = 17,
    masks: int = 0,
) -> onnx.ModelProto:
    """images [B,3,size,size] -> output [B,A,5+classes(+masks)], and prototypes [B,masks,size/4,size/4]."""
    g, rng = _Graph(), np.random.default_rng(11)
    width = 5 + classes + masks
    levels = []
    for stride, anchors in zip((8, 16, 32), ANCHORS, strict=True):
        pooled = g.add("AveragePool", "images", kernel_shape=[stride, stride], strides=[stride, stride])
        weight = g.const(rng.normal(0, 4.0, (3 * width, 3, 1, 1)).astype(np.float32))
        bias = g.const(rng.normal(-1, 1, 3 * width).astype(np.float32))
        cells = size // stride
        folded = g.add("Conv", pooled, weight, bias)
        folded = g.add("Reshape", folded, g.const(np.array([0, 3, width, cells, cells], np.int64)))
        moved = g.add("Transpose", folded, perm=[0, 1, 3, 4, 2])
        parts = _cut(g, moved, classes, masks, form, opset)
        xy, wh = _decode(g, parts[0], parts[1], cells, stride, np.array(anchors, np.float32), form)
        joined = g.add("Concat", xy, wh, *parts[2:], axis=4)
        levels.append(g.add("Reshape", joined, g.const(np.array([0, -1, width], np.int64))))
    g.add("Concat", *levels, axis=1)
    g.nodes[-1].output[0] = "output"
    total = sum(3 * (size // stride) ** 2 for stride in (8, 16, 32))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, total, width])]
    if masks:
        stem = g.add("AveragePool", "images", kernel_shape=[4, 4], strides=[4, 4])
        g.add("Conv", stem, g.const(rng.normal(0, 1, (masks, 3, 1, 1)).astype(np.float32)))
        g.nodes[-1].output[0] = "prototypes"
        shape = [batch, masks, size // 4, size // 4]
        outputs.append(helper.make_tensor_value_info("prototypes", TensorProto.FLOAT, shape))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, size, size])
    graph = helper.make_graph(g.nodes, "anchored", [images], outputs, g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def _cut(g: _Graph, moved: str, classes: int, masks: int, form: Form, opset: int) -> list[str]:
    widths = [2, 2, 1 + classes, *([masks] if masks else [])]
    source = moved if masks else g.add("Sigmoid", moved)
    if form == "v5-slices":
        ends = np.cumsum(widths)
        axis = g.const(np.array([4], np.int64))
        parts = [
            g.add("Slice", source, g.const(np.array([end - w])), g.const(np.array([end])), axis)
            for end, w in zip(ends, widths, strict=True)
        ]
    else:
        parts = [f"cut{len(g.nodes)}_{i}" for i in range(len(widths))]
        sizes: dict[str, Any] = {"split": widths} if opset < 13 else {}
        inputs = [source] if sizes else [source, g.const(np.array(widths, np.int64))]
        g.nodes.append(helper.make_node("Split", inputs, parts, axis=4, **sizes))
    if masks:  # YOLOv5's segment head leaves the mask coefficients as they are
        parts[:3] = [g.add("Sigmoid", part) for part in parts[:3]]
    return parts


def _decode(g: _Graph, xy: str, wh: str, cells: int, stride: int, anchors: NDArray[Any], form: Form) -> tuple[str, str]:
    y, x = np.meshgrid(np.arange(cells), np.arange(cells), indexing="ij")
    grid = (np.stack([x, y], axis=2)[None, None] - 0.5).astype(np.float32)
    sizes = anchors.reshape(1, 3, 1, 1, 2)
    if form == "v7":
        xy = g.add("Mul", xy, g.const(np.array(2.0 * stride, np.float32)))
        xy = g.add("Add", xy, g.const((grid * stride).astype(np.float32)))
        wh = g.add("Pow", wh, g.const(np.array(2.0, np.float32)))
        return xy, g.add("Mul", wh, g.const((4 * sizes).astype(np.float32)))
    two = g.const(np.array(2.0, np.float32))
    xy = g.add("Mul", g.add("Add", g.add("Mul", xy, two), g.const(grid)), g.const(np.array(stride, np.float32)))
    wh = g.add("Pow", g.add("Mul", wh, two), two)
    whole = np.broadcast_to(sizes, (1, 3, cells, cells, 2)) if form == "v5" else sizes
    return xy, g.add("Mul", wh, g.const(np.ascontiguousarray(whole)))
