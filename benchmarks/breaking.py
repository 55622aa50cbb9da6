"""Ways in which an exported detector goes wrong, each done to a real export on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Proto = onnx.ModelProto
Array = NDArray[Any]
Change = Callable[[Proto], None]


def node(proto: Proto, name: str) -> onnx.NodeProto:
    """The node of that name, or whose name ends so."""
    found: onnx.NodeProto
    found = next(item for item in proto.graph.node if item.name == name or item.name.endswith(f"/{name}"))
    return found


def change_constant(proto: Proto, name: str, change: Callable[[Array], Array]) -> None:
    """Replace the value of an initializer, or of a Constant node's output."""
    for tensor in proto.graph.initializer:
        if tensor.name == name:
            values = numpy_helper.to_array(tensor)
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(change(values)).astype(values.dtype), name))
            return
    for item in proto.graph.node:
        if item.op_type == "Constant" and item.output[0] == name:
            values = numpy_helper.to_array(item.attribute[0].t)
            made = np.ascontiguousarray(change(values)).astype(values.dtype)
            item.attribute[0].t.CopyFrom(numpy_helper.from_array(made))
            return
    raise KeyError(name)


def insert(
    proto: Proto, tensor: str, make: Callable[[str, str], Iterable[onnx.NodeProto]], readers: bool = True
) -> None:
    """Put nodes behind a tensor: everything that read it, the graph's outputs too, reads their result.

    Args:
        proto: Changed in place.
        tensor: Made by a node, or an input of the graph.
        make: From the names of what goes in and what comes out to the nodes; others they need get names of their own.
        readers: False puts them in front of the graph output of that name only.
    """
    graph = proto.graph
    before = f"{tensor}/before"
    place = 0
    if any(info.name == tensor for info in graph.input):
        before = tensor
        after = f"{tensor}/changed"
        for item in graph.node:
            item.input[:] = [after if name == tensor else name for name in item.input]
        nodes = list(make(before, after))
    else:
        for index, item in enumerate(graph.node):
            if tensor in item.output:
                item.output[:] = [before if name == tensor else name for name in item.output]
                place = index + 1
        if not readers:
            for item in graph.node:
                item.input[:] = [before if name == tensor else name for name in item.input]
        nodes = list(make(before, tensor))
    kept = [onnx.NodeProto.FromString(item.SerializeToString()) for item in graph.node]
    del graph.node[:]
    graph.node.extend([*kept[:place], *nodes, *kept[place:]])


def constant(value: Array, name: str) -> onnx.NodeProto:
    """A Constant node."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(value)))


def times(tensor: str, factor: float, dtype: type = np.float32) -> Change:
    """A tensor times a number."""

    def change(proto: Proto) -> None:
        held = f"{tensor}/factor"
        insert(
            proto,
            tensor,
            lambda a, b: [constant(np.array(factor, dtype), held), helper.make_node("Mul", [a, held], [b])],
        )

    return change


def map_rows(tensor: str, rows: NDArray[np.int64], axis: int) -> Change:
    """Rows of a tensor taken from other rows."""

    def change(proto: Proto) -> None:
        held = f"{tensor}/rows"
        insert(
            proto,
            tensor,
            lambda a, b: [constant(rows, held), helper.make_node("Gather", [a, held], [b], axis=axis)],
        )

    return change


def weights(name: str, change: Callable[[Array], Array]) -> Change:
    """Weights, or any constant, changed."""
    return lambda proto: change_constant(proto, name, change)


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(proto: Proto) -> None:
        for one in changes:
            one(proto)

    return change


def noise(part: float, seed: int = 0) -> Callable[[Array], Array]:
    """Every value off by a normal deviation of a part of itself."""
    return lambda values: values * (1 + part * np.random.default_rng(seed).standard_normal(values.shape))


def swapped(first: int, second: int, axis: int = 0) -> Callable[[Array], Array]:
    """Two slices exchanged."""

    def change(values: Array) -> Array:
        order = np.arange(values.shape[axis])
        order[[first, second]] = order[[second, first]]
        return np.take(values, order, axis=axis)

    return change


def skip(name: str) -> Change:
    """A node with one input and one output left out."""

    def change(proto: Proto) -> None:
        gone = node(proto, name)
        for item in proto.graph.node:
            item.input[:] = [gone.input[0] if tensor == gone.output[0] else tensor for tensor in item.input]
        proto.graph.node.remove(gone)

    return change


def attribute(name: str, key: str, value: object) -> Change:
    """An attribute of a node."""

    def change(proto: Proto) -> None:
        target = node(proto, name)
        kept = [item for item in target.attribute if item.name != key]
        del target.attribute[:]
        target.attribute.extend([*kept, helper.make_attribute(key, value)])

    return change


def corners(tensor: str) -> Change:
    """Boxes of a joined output [B, 4 + C, A], cx cy w h, written as x1 y1 x2 y2."""

    def make(a: str, b: str) -> list[onnx.NodeProto]:
        cut, parts = f"{b}/cut", [f"{b}/{name}" for name in ("middle", "size", "rest")]
        return [
            helper.make_node("Shape", [a], [f"{b}/shape"]),
            constant(np.array([1], np.int64), f"{b}/one"),
            helper.make_node("Gather", [f"{b}/shape", f"{b}/one"], [f"{b}/width"], axis=0),
            constant(np.array([4], np.int64), f"{b}/four"),
            helper.make_node("Sub", [f"{b}/width", f"{b}/four"], [f"{b}/others"]),
            constant(np.array([2, 2], np.int64), f"{b}/twos"),
            helper.make_node("Concat", [f"{b}/twos", f"{b}/others"], [cut], axis=0),
            helper.make_node("Split", [a, cut], parts, axis=1),
            constant(np.array(0.5, np.float32), f"{b}/half"),
            helper.make_node("Mul", [parts[1], f"{b}/half"], [f"{b}/reach"]),
            helper.make_node("Sub", [parts[0], f"{b}/reach"], [f"{b}/low"]),
            helper.make_node("Add", [parts[0], f"{b}/reach"], [f"{b}/high"]),
            helper.make_node("Concat", [f"{b}/low", f"{b}/high", parts[2]], [b], axis=1),
        ]

    return lambda proto: insert(proto, tensor, make)


def clipped(tensor: str, low: float, high: float) -> Change:
    """Values held between two numbers."""

    def make(a: str, b: str) -> list[onnx.NodeProto]:
        held = [f"{b}/low", f"{b}/high"]
        return [
            *(constant(np.array(value, np.float32), name) for value, name in zip((low, high), held, strict=True)),
            helper.make_node("Clip", [a, *held], [b]),
        ]

    return lambda proto: insert(proto, tensor, make)


def free_dims(proto: Proto) -> None:
    """Height and width declared dynamic, and nothing in the graph made to follow."""
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    dims[2].dim_param, dims[3].dim_param = "height", "width"
    for info in proto.graph.output:
        info.type.tensor_type.shape.dim[-1].dim_param = "anchors"
    del proto.graph.value_info[:]
