"""Graphs of any number of nodes, each hard on something else: what `benchmarks.scale` measures on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

SQUARE = [1, 4, 4, 4]
"""The shape of what flows through most of them."""


def node(op: str, inputs: Sequence[str], output: str, **attributes: Any) -> NodeProto:
    """A node with one output, called as exporters call them."""
    return helper.make_node(op, list(inputs), [output], f"/{output}/{op}", **attributes)


def model(
    nodes: Sequence[NodeProto],
    constants: dict[str, NDArray[Any]] | None = None,
    outputs: Sequence[str] = (),
    shape: Sequence[int | str] = SQUARE,
    result: Sequence[int] = (),
) -> ModelProto:
    """A model of one input "x" of `shape`; its outputs, the last node's or those named, have the same or `result`."""
    outputs = outputs or [nodes[-1].output[0]]
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(result or shape)) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def blocks(count: int) -> ModelProto:
    """Something for every pass: Identity, a no-op, Transposes, Reshapes in a row, arithmetic on constants, disorder."""
    nodes: list[NodeProto] = []
    constants: dict[str, NDArray[Any]] = {
        "flat": np.array([1, 4, 16], np.int64),
        "square": np.array(SQUARE, np.int64),
        "ones": np.ones(4, np.float32),
    }
    last = "x"
    for index in range(count // 10):
        t = [f"t{index}_{place}" for place in range(10)]
        constants[f"c{index}"] = np.full(4, index % 7, np.float32)
        nodes += [
            node("Identity", [last], t[0]),
            node("Relu", [t[0]], t[1]),
            node("Transpose", [t[1]], t[2], perm=[0, 2, 3, 1]),
            node("Add", [t[2], t[3]], t[4]),
            node("Mul", [f"c{index}", "ones"], t[3]),
            node("Transpose", [t[4]], t[5], perm=[0, 3, 1, 2]),
            node("Reshape", [t[5], "flat"], t[6]),
            node("Reshape", [t[6], "square"], t[7]),
            node("Cast", [t[7]], t[8], to=TensorProto.FLOAT),
            node("Sigmoid", [t[8]], t[9]),
        ]
        last = t[9]
    return model(nodes, constants)


def chain(count: int) -> ModelProto:
    """One behind the other, with one constant that all of them share."""
    nodes, last = [], "x"
    for index in range(count):
        inputs = [last, "bias"] if index % 2 else [last]
        nodes.append(node("Add" if index % 2 else "Relu", inputs, f"t{index}"))
        last = f"t{index}"
    return model(nodes, {"bias": np.ones([4, 1, 1], np.float32)})


def wide(count: int) -> ModelProto:
    """One tensor that half of the nodes read, and one node that reads the other half."""
    nodes = []
    branches = (count - 1) // 2
    for index in range(branches):
        nodes += [node("Relu", ["x"], f"a{index}"), node("Sigmoid", [f"a{index}"], f"b{index}")]
    nodes.append(node("Concat", [f"b{index}" for index in range(branches)], "y", axis=1))
    return model(nodes, result=[1, 4 * branches, 4, 4])


def branching(count: int) -> ModelProto:
    """Each block parts in three and joins again, past a shortcut, as C2f does."""
    nodes, last = [], "x"
    for index in range(count // 8):
        a, b, c, d, e, f, g, h = (f"{letter}{index}" for letter in "abcdefgh")
        nodes += [
            node("Sigmoid", [last], a),
            node("Mul", [last, a], b),
            node("Relu", [b], c),
            node("Tanh", [b], d),
            node("Add", [c, d], e),
            node("Concat", [b, e], f, axis=1),
            node("Slice", [f, "zero", "four", "one"], g),
            node("Add", [g, last], h),
        ]
        last = h
    ends = {name: np.array([value], np.int64) for name, value in (("zero", 0), ("four", 4), ("one", 1))}
    return model(nodes, ends)


def weights(count: int) -> ModelProto:
    """Convolutions, each with weights of its own."""
    rng = np.random.default_rng(0)
    nodes, last = [], "x"
    constants: dict[str, NDArray[Any]] = {}
    for index in range(count // 2):
        constants[f"w{index}"] = rng.standard_normal([4, 4, 1, 1]).astype(np.float32) / 4
        constants[f"b{index}"] = rng.standard_normal([4]).astype(np.float32)
        nodes += [
            node("Conv", [last, f"w{index}", f"b{index}"], f"c{index}", kernel_shape=[1, 1]),
            node("Relu", [f"c{index}"], f"r{index}"),
        ]
        last = f"r{index}"
    return model(nodes, constants)


def copies(count: int) -> ModelProto:
    """Each node reads a constant of its own, and all of these are one of seven."""
    nodes, last = [], "x"
    constants: dict[str, NDArray[Any]] = {}
    for index in range(count):
        constants[f"c{index}"] = np.full([4, 1, 1], index % 7, np.float32)
        nodes.append(node("Add", [last, f"c{index}"], f"t{index}"))
        last = f"t{index}"
    return model(nodes, constants)


def twins(count: int) -> ModelProto:
    """Nodes that do the very same with the very same, so that nothing but their place tells them apart."""
    nodes = [node("Relu", ["x"], f"t{index}") for index in range(count - 1)]
    nodes.append(node("Sum", [item.output[0] for item in nodes], "y"))
    return model(nodes)


def fans(count: int) -> ModelProto:
    """Nodes that do nothing, all of one tensor, and one node that reads them all."""
    ops: list[tuple[str, list[str], dict[str, Any]]] = [
        ("Identity", ["x"], {}),
        ("Cast", ["x"], {"to": TensorProto.FLOAT}),
        ("Reshape", ["x", "square"], {}),
        ("Transpose", ["x"], {"perm": [0, 1, 3, 2]}),
        ("Add", ["one", "one"], {}),
    ]
    nodes = []
    for index in range(count - 1):
        op, inputs, attributes = ops[index % len(ops)]
        nodes.append(node(op, inputs, f"t{index}", **attributes))
    nodes.append(node("Sum", [item.output[0] for item in nodes], "y"))
    return model(nodes, {"square": np.array(SQUARE, np.int64), "one": np.ones([1, 4, 4, 4], np.float32)})


def branches(count: int) -> ModelProto:
    """An If every four nodes, whose two branches read tensors of the graph around them."""
    nodes, last = [], "x"
    for index in range(count // 4):
        inner = [
            helper.make_graph(
                [node(op, [last], f"{op}{index}")],
                f"{op}{index}",
                [],
                [helper.make_tensor_value_info(f"{op}{index}", TensorProto.FLOAT, SQUARE)],
            )
            for op in ("Relu", "Sigmoid")
        ]
        nodes += [
            node("If", ["yes"], f"i{index}", then_branch=inner[0], else_branch=inner[1]),
            node("Add", [f"i{index}", last], f"a{index}"),
        ]
        last = f"a{index}"
    # Whoever calls the model may replace it, so that it is no constant and no branch can be taken for good.
    proto = model(nodes, {"yes": np.array(True)})
    proto.graph.input.append(helper.make_tensor_value_info("yes", TensorProto.BOOL, []))
    return proto


def shapes(count: int) -> ModelProto:
    """Every tensor has a shape of its own."""
    nodes, last = [], "x"
    for index in range(count // 2):
        nodes += [
            node("Flatten" if index % 2 else "Relu", [last], f"a{index}"),
            node("Slice", [f"a{index}", "one", "end", "axis"], f"b{index}"),
        ]
        last = f"b{index}"
    values = {"one": [1], "end": [2**31], "axis": [1]}
    constants = {name: np.array(value, np.int64) for name, value in values.items()}
    return model(nodes, constants, shape=[1, count], result=[1, count - count // 2])


def targets(count: int) -> ModelProto:
    """Shapes computed in the graph, as exporters write them: Shape, Gather, Concat, Reshape."""
    nodes, last = [], "x"
    for index in range(count // 5):
        a, b, c, d, e = (f"{letter}{index}" for letter in "abcde")
        nodes += [
            node("Shape", [last], a),
            node("Gather", [a, "zero"], b),
            node("Concat", [b, "rest"], c, axis=0),
            node("Reshape", [last, c], d),
            node("Relu", [d], e),
        ]
        last = e
    constants = {"zero": np.array([0], np.int64), "rest": np.array([4, 4, 4], np.int64)}
    return model(nodes, constants, shape=["batch", 4, 4, 4])


def constant_chain(count: int) -> ModelProto:
    """All but one node depend on constants alone, one behind the other."""
    nodes, last = [], "seed"
    for index in range(count - 1):
        nodes.append(node("Add", [last, "step"], f"t{index}"))
        last = f"t{index}"
    nodes.append(node("Mul", ["x", last], "y"))
    return model(nodes, {"seed": np.zeros(4, np.float32), "step": np.full(4, 0.5, np.float32)})


def constant_nodes(count: int) -> ModelProto:
    """Every other node is a Constant."""
    nodes, last = [], "x"
    for index in range(count // 2):
        value = numpy_helper.from_array(np.full([4, 1, 1], index, np.float32))
        nodes += [node("Constant", [], f"c{index}", value=value), node("Add", [last, f"c{index}"], f"t{index}")]
        last = f"t{index}"
    return model(nodes)


def identities(count: int) -> ModelProto:
    """Identity behind Identity."""
    return model(_row("Identity", count))


def reshapes(count: int) -> ModelProto:
    """Reshape behind Reshape."""
    nodes, last = [], "x"
    for index in range(count):
        nodes.append(node("Reshape", [last, "square" if index % 2 else "flat"], f"t{index}"))
        last = f"t{index}"
    targets = {"flat": np.array([1, 4, 16], np.int64), "square": np.array(SQUARE, np.int64)}
    return model(nodes, targets, result=SQUARE if count % 2 == 0 else [1, 4, 16])


def transposes(count: int) -> ModelProto:
    """Transposes with something between them, that meet in Adds."""
    nodes, last = [], "x"
    for index in range(count // 5):
        a, b, c, d, e = (f"{letter}{index}" for letter in "abcde")
        nodes += [
            node("Transpose", [last], a, perm=[0, 2, 3, 1]),
            node("Relu", [a], b),
            node("Sigmoid", [a], c),
            node("Add", [b, c], d),
            node("Transpose", [d], e, perm=[0, 3, 1, 2]),
        ]
        last = e
    return model(nodes)


def outputs(count: int) -> ModelProto:
    """Every node makes an output of the model."""
    nodes = _row("Relu", count)
    return model(nodes, outputs=[item.output[0] for item in nodes])


def backwards(count: int) -> ModelProto:
    """A chain whose nodes stand in the wrong order."""
    proto = model(_row("Relu", count))
    nodes = list(proto.graph.node)[::-1]
    proto.graph.ClearField("node")
    proto.graph.node.extend(nodes)
    return proto


def nameless(count: int) -> ModelProto:
    """A chain whose nodes have no names."""
    proto = chain(count)
    for item in proto.graph.node:
        item.name = ""
    return proto


def functions(count: int) -> ModelProto:
    """Calls of one function."""
    proto = model(_row("Twice", count))
    for item in proto.graph.node:
        item.domain = "local"
    body = [node("Add", ["a", "a"], "b"), node("Relu", ["b"], "c")]
    imports = [helper.make_opsetid("", 17)]
    proto.functions.append(helper.make_function("local", "Twice", ["a"], ["c"], body, imports))
    proto.opset_import.append(helper.make_opsetid("local", 1))
    return proto


def declared(count: int) -> ModelProto:
    """Branching, with the shape of every tensor declared, as shape inference leaves it."""
    return onnx.shape_inference.infer_shapes(branching(count))


def detector(count: int) -> ModelProto:
    """The demo detector, with `count` nodes in front of its network."""
    from graphkit.demo import demo_detector

    proto = onnx.load_model_from_string(demo_detector())
    name = proto.graph.input[0].name
    rows = [node("Relu", [name if not index else f"t{index - 1}"], f"t{index}") for index in range(count)]
    for item in proto.graph.node:
        for place, read in enumerate(item.input):
            if read == name:
                item.input[place] = rows[-1].output[0]
    nodes = [*rows, *proto.graph.node]
    nodes = [NodeProto.FromString(item.SerializeToString()) for item in nodes]
    proto.graph.ClearField("node")
    proto.graph.node.extend(nodes)
    return proto


def _row(op: str, count: int) -> list[NodeProto]:
    return [node(op, ["x" if not index else f"t{index - 1}"], f"t{index}") for index in range(count)]


GRAPHS: dict[str, Callable[[int], ModelProto]] = {
    maker.__name__.replace("_", "-"): maker
    for maker in (
        blocks,
        chain,
        wide,
        branching,
        declared,
        weights,
        copies,
        twins,
        fans,
        branches,
        shapes,
        targets,
        constant_chain,
        constant_nodes,
        identities,
        reshapes,
        transposes,
        outputs,
        backwards,
        nameless,
        functions,
        detector,
    )
}
"""What makes a graph of about as many nodes as it is told, by name."""
