"""Random models in which every kind of constant, wire and subgraph occurs."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from graphkit.model import reads

UNARY = ("Relu", "Exp", "Neg", "Sigmoid", "Identity", "Tanh")
BINARY = ("Add", "Sub", "Mul", "Max")
SHAPE = [2, 4]


def random_model(seed: int, size: int) -> ModelProto:
    """A valid model of `size` steps, whose tensors are float [2,4]."""
    chance = random.Random(seed)
    graph = GraphProto(name="g")
    names = [f"in{number}" for number in range(chance.randint(1, 3))]
    graph.input.extend(_info(name) for name in names)
    made = _fill(graph, chance, list(names), size, "t", depth=0)
    outputs = chance.sample(made, min(len(made), chance.randint(1, 3)))
    graph.output.extend(_info(name) for name in outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def _info(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, SHAPE)


def _fill(graph: GraphProto, chance: random.Random, seen: list[str], size: int, prefix: str, depth: int) -> list[str]:
    """Add steps that read what is seen; the tensors that they make."""
    made: list[str] = []

    def add(op: str, reads: list[str], outputs: int = 1, **attributes: Any) -> list[str]:
        names = [f"{prefix}{len(graph.node)}_{place}" for place in range(outputs)]
        name = chance.choice(("", f"{prefix}/{op}/{len(graph.node)}"))
        graph.node.append(helper.make_node(op, reads, names, name, **attributes))
        return names

    def some() -> str:
        return chance.choice([*seen, *made[-6:]])

    def constant(*shape: int) -> str:
        # Few values, so that equal constants occur.
        array = np.full(shape, chance.choice((0.5, 1.0, 2.0)), np.float32)
        if chance.random() < 0.5:
            return add("Constant", [], value=numpy_helper.from_array(array))[0]
        name = f"{prefix}w{len(graph.initializer)}"
        graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    for _ in range(size):
        kind = chance.randrange(7 if depth < 2 else 6)
        if kind < 2:
            made += add(chance.choice(UNARY), [some()])
        elif kind == 2:
            made += add(chance.choice(BINARY), [some(), some()])
        elif kind == 3:
            made += add("MatMul", [some(), constant(4, 4)])
        elif kind == 4:
            made += add("Softmax", [some()], **chance.choice(({}, {"axis": -1}, {"axis": 0})))
        elif kind == 5:
            halves = add("Split", [some()], 2, axis=1)
            made += add("Concat", [*halves, ""][:2], axis=1)
        else:
            flag = add("Constant", [], value=numpy_helper.from_array(np.array(chance.random() < 0.5)))
            branches = {key: _branch(chance, [*seen, *made], f"{prefix}{len(graph.node)}{key[0]}", depth + 1)
                        for key in ("then_branch", "else_branch")}  # fmt: skip
            made += add("If", flag, **branches)
    return made


def _branch(chance: random.Random, seen: list[str], prefix: str, depth: int) -> GraphProto:
    graph = GraphProto(name=prefix)
    made = _fill(graph, chance, list(seen), chance.randint(1, 4), prefix, depth)
    # All of it is used: which tensor from outside is which cannot be told of two that unused nodes treat alike.
    read = {name for node in graph.node for name in reads(node)}
    graph.node.append(helper.make_node("Sum", [name for name in made if name not in read], [f"{prefix}sum"]))
    graph.output.append(_info(f"{prefix}sum"))
    return graph


def every_node(graph: GraphProto) -> list[NodeProto]:
    """The nodes of a graph and of its subgraphs."""
    found = []
    for node in graph.node:
        found.append(node)
        for item in node.attribute:
            found += every_node(item.g) if item.HasField("g") else []
    return found
