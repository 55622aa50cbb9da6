"""Small graphs to draw."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from graphkit.model import Model


class Net:
    """Convolutions of 8 channels and what joins them; every method gives the name of the tensor it makes."""

    def __init__(self, channels: int = 8) -> None:
        self.channels = channels
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> Any:
        made = [f"t{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), made, name or f"{op}_{len(self.nodes)}", **attributes))
        return made[0] if outputs == 1 else made

    def weight(self, *shape: int) -> str:
        self.weights.append(numpy_helper.from_array(np.ones(shape, np.float32), f"w{len(self.weights)}"))
        return self.weights[-1].name

    def conv(
        self, given: str, kernel: int = 3, read: int | None = None, act: bool = True, made: int | None = None
    ) -> str:
        made = made or self.channels
        pads = [kernel // 2] * 4
        out: str = self.add("Conv", given, self.weight(made, read or self.channels, kernel, kernel), pads=pads)
        return self.add("Mul", out, self.add("Sigmoid", out)) if act else out

    def bottleneck(self, given: str, read: int = 4, shortcut: bool = True) -> str:
        out = self.conv(self.conv(given, 3, read, made=read), 3, read, made=read)
        return self.add("Add", given, out) if shortcut else out

    def c2f(self, given: str, count: int = 2, shortcut: bool = True) -> str:
        halves = self.add("Split", self.conv(given, 1), outputs=2, axis=1, num_outputs=2)
        for _ in range(count):
            halves.append(self.bottleneck(halves[-1], 4, shortcut))
        return self.conv(self.add("Concat", *halves, axis=1), 1, 4 * len(halves))

    def model(self, output: str, **options: Any) -> Model:
        shape = [1, self.channels, 16, 16]
        graph = helper.make_graph(
            self.nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, options.pop("shape", None))],
            self.weights,
        )
        return Model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))
