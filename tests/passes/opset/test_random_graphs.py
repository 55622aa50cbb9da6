"""Random small graphs go down to any opset and back up, and return the same numbers to the bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from graphkit.model import Model
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import content
from tests.passes.opset.pinning import assert_same, pin

UNARY = ("Relu", "Neg", "Abs", "Sigmoid", "Exp", "Tanh", "Identity", "Floor", "Sign")
BINARY = ("Add", "Sub", "Mul", "Max", "Min")
OTHERS = (
    "Clip",
    "Reshape",
    "Transpose",
    "Unsqueeze",
    "Squeeze",
    "Split",
    "Concat",
    "Pad",
    "Slice",
    "ReduceMean",
    "Cast",
)

Shape = tuple[int, ...]


@dataclass
class Writer:
    """A graph of opset 18 that grows by one node at a time.

    Attributes:
        shapes: Of every tensor so far.
    """

    shapes: dict[str, Shape] = field(default_factory=lambda: {"x": (2, 6)})
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def constant(self, values: list[int] | float) -> str:
        """The name of a constant."""
        array = np.array(values, np.float32 if isinstance(values, float) else np.int64)
        self.constants.append(numpy_helper.from_array(array, f"c{len(self.constants)}"))
        return self.constants[-1].name

    def add(self, op: str, inputs: list[str], *shapes: Shape, **attributes: Any) -> None:
        """A node, and what it makes."""
        names = [f"t{len(self.nodes)}_{index}" for index in range(len(shapes))]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        self.shapes.update(zip(names, shapes, strict=True))

    def model(self) -> onnx.ModelProto:
        """The model; every tensor that nobody reads is an output."""
        read = {name for node in self.nodes for name in node.input}
        ends = [name for name in self.shapes if name not in read and name != "x"]
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, self.shapes[name]) for name in ["x", *ends]]
        graph = helper.make_graph(self.nodes, "g", infos[:1], infos[1:], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def grow(writer: Writer, draw: st.DrawFn) -> None:
    """Add one node, somewhere."""
    name = draw(st.sampled_from(sorted(writer.shapes)))
    shape = writer.shapes[name]
    op = draw(st.sampled_from(UNARY + BINARY + OTHERS))
    axis = draw(st.integers(0, len(shape) - 1)) if shape else 0
    written = axis - draw(st.sampled_from([0, len(shape)])) if shape else 0
    alike = sorted(other for other, size in writer.shapes.items() if size == shape)
    if op in UNARY:
        writer.add(op, [name], shape)
    elif op in BINARY:
        writer.add(op, [name, draw(st.sampled_from(alike))], shape)
    elif op == "Clip":
        low, high = (writer.constant(value) if draw(st.booleans()) else "" for value in (-1.5, 2.25))
        writer.add(op, [name, low, high], shape)
    elif op == "Cast":
        writer.add(op, [name], shape, to=TensorProto.FLOAT)
    elif op == "Reshape":
        writer.add(
            op, [name, writer.constant([-1, shape[-1] if shape else 1])], (_size(shape[:-1]), (shape or (1,))[-1])
        )
    elif op == "Transpose":
        writer.add(op, [name], shape[::-1], perm=list(range(len(shape)))[::-1])
    elif op == "Unsqueeze" and len(shape) < 5:
        writer.add(op, [name, writer.constant([axis])], (*shape[:axis], 1, *shape[axis:]))
    elif op == "Squeeze" and 1 in shape:
        place = shape.index(1)
        writer.add(op, [name, writer.constant([place - len(shape)])], shape[:place] + shape[place + 1 :])
    elif shape:
        _along(writer, op, name, shape, axis, written, alike)


def _along(writer: Writer, op: str, name: str, shape: Shape, axis: int, written: int, alike: list[str]) -> None:
    """A node that does something along one axis, which is written from the front or from the end."""

    def sized(size: int) -> Shape:
        return (*shape[:axis], size, *shape[axis + 1 :])

    size = shape[axis]
    if op == "Split" and size > 1:
        half = -(-size // 2)
        writer.add(op, [name], sized(half), sized(size - half), axis=written, num_outputs=2)
    elif op == "Concat" and size < 20:
        writer.add(op, [name, alike[0]], sized(2 * size), axis=written)
    elif op == "Pad" and size < 20:
        writer.add(
            op, [name, writer.constant([1, 2]), writer.constant(0.5), writer.constant([written])], sized(size + 3)
        )
    elif op == "Slice":
        ends = [writer.constant([value]) for value in (0, size - 1 or 1, written)]
        writer.add(op, [name, *ends], sized(size - 1 or 1))
    elif op == "ReduceMean":
        writer.add(op, [name, writer.constant([written])], sized(1), keepdims=1)


def _size(shape: Shape) -> int:
    return int(np.prod(shape, dtype=np.int64))


@st.composite
def models(draw: st.DrawFn) -> onnx.ModelProto:
    """Graphs of up to twenty nodes."""
    writer = Writer()
    writer.add("Relu", ["x"], (2, 6))
    for _ in range(draw(st.integers(4, 19))):
        grow(writer, draw)
    return writer.model()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), st.integers(9, 17), st.sampled_from([18, 21, 24]), st.integers(0, 3))
def test_down_and_back_up(proto: onnx.ModelProto, low: int, high: int, seed: int) -> None:
    onnx.checker.check_model(proto, full_check=True)
    down = pin(proto, low)
    assert_same(proto, down, seed=seed)
    up = pin(down, high)
    assert_same(proto, up, seed=seed)
    again = Model(up)
    assert PinOpset(opset=high).run(again).rewrites == 0
    assert content(again.proto()) == content(up)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(models(), st.integers(9, 12), st.integers(13, 17))
def test_a_stop_on_the_way_changes_nothing(proto: onnx.ModelProto, low: int, between: int) -> None:
    straight, stopped = pin(proto, low), pin(pin(proto, between), low)
    assert [node.op_type for node in straight.graph.node] == [node.op_type for node in stopped.graph.node]
