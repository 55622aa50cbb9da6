"""Small detectors with a real YOLOv8 head: pooled pixels, random 1x1 convolutions, DFL, anchors, strides, Sigmoid."""

from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


class _Graph:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def const(self, values: NDArray[Any]) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, op: str, *inputs: str, **attrs: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attrs))
        return name


def detector(
    *,
    classes: int = 3,
    strides: tuple[int, ...] = (8, 16, 32),
    size: int = 64,
    batch: int | str = 1,
    opset: int = 17,
    bins: int = 16,
    coding: Literal["center-size", "corners"] = "center-size",
    transposed: bool = False,
    extra_output: bool = False,
    further: int = 0,
    normalised: bool = False,
    sigmoid: bool = True,
    output: str = "output0",
    metadata: dict[str, str] | None = None,
) -> onnx.ModelProto:
    """images [B,3,size,size] -> output [B,4+C(+further),A], or [B,A,4+C] where transposed. Weights are random, seeded.

    `further` appends that many channels (as masks would), `normalised` divides the boxes by the image size,
    `extra_output` gives the pooled features as a second output in front.
    """
    g, rng = _Graph(), np.random.default_rng(7)
    sides, logits, points, scales = list[str](), list[str](), list[NDArray[Any]](), list[NDArray[Any]]()
    pooled = ""
    for stride in strides:
        pooled = g.add("AveragePool", "images", kernel_shape=[stride, stride], strides=[stride, stride])
        for channels, bucket, spread in ((4 * bins, sides, 9.0), (classes, logits, 12.0)):
            weight = g.const(rng.normal(0, spread, (channels, 3, 1, 1)).astype(np.float32))
            bias = g.const(rng.normal(0, 1, channels).astype(np.float32))
            mapped = g.add("Conv", pooled, weight, bias)
            bucket.append(g.add("Reshape", mapped, g.const(np.array([0, channels, -1], np.int64))))
        cells = size // stride
        y, x = np.meshgrid(np.arange(cells) + 0.5, np.arange(cells) + 0.5, indexing="ij")
        points.append(np.stack([x, y]).reshape(2, -1).astype(np.float32))
        scales.append(np.full((1, cells * cells), stride, np.float32))
    anchors = sum(point.shape[1] for point in points)
    raw = g.add("Concat", *sides, axis=2)
    folded = g.add("Reshape", raw, g.const(np.array([0, 4, bins, anchors], np.int64)))
    if opset >= 13:
        spread_out = g.add("Softmax", g.add("Transpose", folded, perm=[0, 2, 1, 3]), axis=1)
    else:
        spread_out = g.add("Softmax", g.add("Transpose", folded, perm=[0, 3, 1, 2]), axis=3)
        spread_out = g.add("Transpose", spread_out, perm=[0, 3, 2, 1])
    weight = g.const(np.arange(bins, dtype=np.float32).reshape(1, bins, 1, 1))
    ltrb = g.add("Reshape", g.add("Conv", spread_out, weight), g.const(np.array([0, 4, anchors], np.int64)))
    axis, point = g.const(np.array([1], np.int64)), g.const(np.concatenate(points, 1)[None])
    zero, two, four = (g.const(np.array([i], np.int64)) for i in (0, 2, 4))
    low = g.add("Sub", point, g.add("Slice", ltrb, zero, two, axis))
    high = g.add("Add", point, g.add("Slice", ltrb, two, four, axis))
    pair = (low, high)
    if coding == "center-size":
        middle = g.add("Div", g.add("Add", low, high), g.const(np.array(2, np.float32)))
        pair = (middle, g.add("Sub", high, low))
    boxes = g.add("Mul", g.add("Concat", *pair, axis=1), g.const(np.concatenate(scales, 1)))
    if normalised:
        boxes = g.add("Div", boxes, g.const(np.array(size, np.float32)))
    scores = g.add("Concat", *logits, axis=2)
    parts = [boxes, g.add("Sigmoid", scores) if sigmoid else scores]
    if further:
        parts.append(
            g.add("Concat", *[g.add("Slice", s, zero, g.const(np.array([further])), axis) for s in sides], axis=2)
        )
    joined = g.add("Concat", *parts, axis=1)
    if transposed:
        joined = g.add("Transpose", joined, perm=[0, 2, 1])
    g.nodes[-1].output[0] = output
    channels = 4 + classes + further
    shape = [batch, anchors, channels] if transposed else [batch, channels, anchors]
    outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)]
    if extra_output:
        cells = size // strides[-1]
        outputs.insert(0, helper.make_tensor_value_info(pooled, TensorProto.FLOAT, [batch, 3, cells, cells]))
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, size, size])
    graph = helper.make_graph(g.nodes, "detector", [images], outputs, g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=min(8, 6 + opset // 13))
    helper.set_model_props(model, metadata or {})
    onnx.checker.check_model(model, full_check=True)
    return model
