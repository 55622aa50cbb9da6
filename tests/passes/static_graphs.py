"""A small detector-like graph with the sizes of one input in its constants, as exporters trace it; for any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

CHANNELS = 4


def traced(batch: int, height: int, width: int, opset: int = 17) -> onnx.ModelProto:
    """Two levels (strides 2 and 4), attention over the smaller, upsampling by sizes, anchor points and strides.

    Sides have to be multiples of 4. Weights do not depend on the size.
    """
    rng = np.random.default_rng(7)
    nodes: list[NodeProto] = []
    constants: dict[str, NDArray[Any]] = {}

    def constant(name: str, values: Any) -> str:
        constants[name] = np.asarray(values)
        return name

    def add(op: str, inputs: Sequence[str], name: str, outputs: Sequence[str] = (), **attributes: Any) -> str:
        nodes.append(helper.make_node(op, inputs, list(outputs) or [name], **attributes))
        return name

    def conv(source: str, name: str, wide: int, stride: int) -> str:
        weights = constant(f"{name}_w", rng.normal(size=(CHANNELS, wide, 3, 3)).astype(np.float32) / 4)
        return add("Conv", [source, weights], name, strides=[stride, stride], pads=[1, 1, 1, 1])

    h2, w2, h4, w4 = height // 2, width // 2, height // 4, width // 4
    first = conv("images", "p2", 3, 2)
    second = conv(first, "p4", CHANNELS, 2)
    # Attention: two heads of two channels over all cells.
    heads = add("Reshape", [second, constant("heads_shape", np.array([batch, 2, 2, h4 * w4]))], "heads")
    turned = add("Transpose", [heads], "turned", perm=[0, 1, 3, 2])
    weights = add("Softmax", [add("MatMul", [turned, heads], "products")], "weights", axis=-1)
    mixed = add("MatMul", [heads, add("Transpose", [weights], "back", perm=[0, 1, 3, 2])], "mixed")
    second = add("Reshape", [mixed, constant("map_shape", np.array([batch, CHANNELS, h4, w4]))], "attended")
    sizes = constant("sizes", np.array([batch, CHANNELS, h2, w2]))
    large = add("Resize", [second, "", "", sizes], "large", mode="nearest", coordinate_transformation_mode="asymmetric")
    first = conv(add("Add", [first, large], "sum"), "p2b", CHANNELS, 1)
    flat = [
        add("Reshape", [one, constant(f"{one}_flat", np.array([batch, CHANNELS, cells]))], f"{one}_cells")
        for one, cells in ((first, h2 * w2), (second, h4 * w4))
    ]
    joined = add("Concat", flat, "joined", axis=2)
    points, strides = [], []
    for rows, columns, stride in ((h2, w2, 2), (h4, w4, 4)):
        y, x = np.divmod(np.arange(rows * columns), columns)
        points.append(np.stack([x, y]) + 0.5)
        strides.append(np.full(rows * columns, stride))
    anchors = constant("anchors", np.concatenate(points, axis=1)[None].astype(np.float32))
    scale = constant("strides", np.concatenate(strides)[None].astype(np.float32))
    add("Split", [joined, constant("halves", np.array([2, 2]))], "", ["xy", "scores"], axis=1)
    moved = add("Mul", [add("Add", ["xy", anchors], "moved"), scale], "pixels")
    whole = add("Concat", [moved, add("Sigmoid", ["scores"], "probabilities")], "whole", axis=1)
    # Apart again, by the number of cells of each level.
    total = h2 * w2 + h4 * w4
    add("Split", [whole, constant("cells", np.array([h2 * w2, h4 * w4]))], "", ["near", "far"], axis=2)
    cut = [constant(f"bound{index}", np.array([value])) for index, value in enumerate((h2 * w2, total, 2))]
    add("Slice", [whole, *cut], "tail")
    add("Sub", ["far", "tail"], "nothing")
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])
    outputs = [
        helper.make_tensor_value_info("whole", TensorProto.FLOAT, [batch, CHANNELS, total]),
        helper.make_tensor_value_info("near", TensorProto.FLOAT, [batch, CHANNELS, h2 * w2]),
        helper.make_tensor_value_info("nothing", TensorProto.FLOAT, [batch, CHANNELS, h4 * w4]),
    ]
    initializers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "traced", [images], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model
