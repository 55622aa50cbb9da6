"""A model made to look different without being different: other names, another order, constants kept elsewhere."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from graphkit.model import reads, subgraphs

_Message = TypeVar("_Message", NodeProto, TensorProto)


def disguised(proto: ModelProto, seed: int = 0, *, ends: bool = False) -> ModelProto:
    """A copy in which nothing but what does not count is changed, at random.

    Args:
        proto: The model; not changed.
        seed: Of the chances.
        ends: Whether the model's inputs and outputs are renamed too.
    """
    chance = random.Random(seed)
    made = ModelProto()
    made.CopyFrom(proto)
    graph = made.graph
    keep = () if ends else [info.name for info in (*graph.input, *graph.output)]
    _disguise(graph, chance, {name: name for name in ("", *keep)}, old=made.ir_version < 4)
    for function in made.functions:
        names = {"": ""}
        inside = GraphProto(node=function.node)
        for names_ in (function.input, function.output):
            names_[:] = [_name(name, chance, names) for name in names_]
        _disguise(inside, chance, names)
        del function.node[:]
        function.node.extend(inside.node)
    return made


def _disguise(graph: GraphProto, chance: random.Random, names: dict[str, str], *, old: bool = False) -> None:
    for node in graph.node:
        for item in node.attribute:
            for inner in subgraphs(item):
                _disguise(inner, chance, names)
    _move_constants(graph, chance, old)
    _rename(graph, chance, names)
    nodes = _shuffled(graph.node, chance)
    del graph.node[:]
    graph.node.extend(nodes)


def _name(name: str, chance: random.Random, names: dict[str, str]) -> str:
    if name not in names:
        names[name] = f"{chance.choice('abc')}{chance.getrandbits(24):x}_{len(names)}"
    return names[name]


def _rename(graph: GraphProto, chance: random.Random, names: dict[str, str]) -> None:
    graph.name = _name(f"graph {graph.name}", chance, names)
    for info in (*graph.input, *graph.output, *graph.value_info, *graph.initializer):
        info.name = _name(info.name, chance, names)
    for sparse in graph.sparse_initializer:
        sparse.values.name = _name(sparse.values.name, chance, names)
    for annotation in graph.quantization_annotation:
        annotation.tensor_name = _name(annotation.tensor_name, chance, names)
    for number, node in enumerate(graph.node):
        node.name = chance.choice(("", f"node {number} {chance.getrandbits(20)}"))
        for part in (node.input, node.output):
            part[:] = [_name(name, chance, names) for name in part]


def _move_constants(graph: GraphProto, chance: random.Random, old: bool) -> None:
    """Some initializers to Constant nodes, some the other way; before IR version 4 no input is an option."""
    given = {info.name for info in graph.input}
    stored, nodes = [], []
    for tensor in graph.initializer:
        outside = tensor.data_location == TensorProto.EXTERNAL
        if chance.random() < 0.5 or outside or (tensor.name in given and not old):
            stored.append(tensor)
            continue
        value = TensorProto()
        value.CopyFrom(tensor)
        value.ClearField("name")
        nodes.append(helper.make_node("Constant", [], [tensor.name], value=value))
        inputs = [info for info in graph.input if info.name != tensor.name]
        if len(inputs) < len(graph.input):
            del graph.input[:]
            graph.input.extend(inputs)
    for node in graph.node:
        held = _value(node)
        if held is None or old or chance.random() < 0.5:
            nodes.append(node)
        else:
            held.name = node.output[0]
            stored.append(held)
    stored, nodes = [_copy(item) for item in stored], [_copy(item) for item in nodes]
    chance.shuffle(stored)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(stored)
    graph.node.extend(nodes)


def _value(node: NodeProto) -> TensorProto | None:
    """What a Constant node holds, as an initializer would; None for other nodes, and for what none can hold."""
    if node.op_type != "Constant" or node.domain or len(node.attribute) != 1 or node.attribute[0].ref_attr_name:
        return None
    item = node.attribute[0]
    if item.type == AttributeProto.TENSOR:
        tensor: TensorProto = item.t
        return _copy(tensor)
    if item.type in (AttributeProto.FLOAT, AttributeProto.FLOATS, AttributeProto.INT, AttributeProto.INTS):
        whole = item.type in (AttributeProto.INT, AttributeProto.INTS)
        values = np.array(helper.get_attribute_value(item), np.int64 if whole else np.float32)
        return numpy_helper.from_array(values)
    return None


def _copy(message: _Message) -> _Message:
    made = type(message)()
    made.CopyFrom(message)
    return made


def _shuffled(nodes: Iterable[NodeProto], chance: random.Random) -> list[NodeProto]:
    """A random one of the orders in which every node stands behind what it reads."""
    waiting = [_copy(node) for node in nodes]
    maker = {name: place for place, node in enumerate(waiting) for name in node.output if name}
    missing = [{maker[name] for name in reads(node) if name in maker} - {place} for place, node in enumerate(waiting)]
    readers: list[list[int]] = [[] for _ in waiting]
    for place, needs in enumerate(missing):
        for need in needs:
            readers[need].append(place)
    ready = [place for place, needs in enumerate(missing) if not needs]
    order = []
    while ready:
        at = chance.randrange(len(ready))
        ready[at], ready[-1] = ready[-1], ready[at]
        place = ready.pop()
        order.append(waiting[place])
        for reader in readers[place]:
            missing[reader].discard(place)
            if not missing[reader]:
                ready.append(reader)
    assert len(order) == len(waiting), "the graph is cyclic"
    return order
