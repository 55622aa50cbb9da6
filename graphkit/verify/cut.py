"""Cutting a graph in two at named tensors. Reads protos and makes new ones; nothing is changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import onnx

from graphkit.errors import ModelError
from graphkit.model import reads


def constants(graph: onnx.GraphProto) -> set[str]:
    """Names of the initializers."""
    return {tensor.name for tensor in graph.initializer} | {item.values.name for item in graph.sparse_initializer}


def behind(graph: onnx.GraphProto, seeds: Iterable[int], names: Iterable[str]) -> set[int]:
    """Indices of the nodes `seeds` and of every node that depends on them or on the tensors `names`."""
    readers: dict[str, list[int]] = {}
    for index, node in enumerate(graph.node):
        for name in reads(node):
            readers.setdefault(name, []).append(index)
    found: set[int] = set()
    waiting = [*seeds, *(reader for name in names for reader in readers.get(name, ()))]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting.extend(reader for name in graph.node[index].output if name for reader in readers.get(name, ()))
    return found


def needed(graph: onnx.GraphProto, outputs: Iterable[str], given: Iterable[str]) -> tuple[set[int], set[str]]:
    """What `outputs` are computed from when the tensors `given` are given.

    Returns:
        Indices of the nodes; and the names that no node makes and that are not given: initializers, graph inputs, or
        names that nothing defines.
    """
    stop = set(given)
    producer = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    nodes: set[int] = set()
    sources: set[str] = set()
    waiting, seen = [name for name in outputs if name not in stop], set(stop)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        index = producer.get(name)
        if index is None:
            sources.add(name)
        elif index not in nodes:
            nodes.add(index)
            waiting.extend(reads(graph.node[index]))
    return nodes, sources


def sorted_nodes(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes in topological order, as near to the given order as that allows.

    Raises:
        ModelError: They depend on each other in a circle.
    """
    maker = {name: index for index, node in enumerate(nodes) for name in node.output if name}
    order: list[onnx.NodeProto] = []
    state = [0] * len(nodes)
    for start in range(len(nodes)):
        stack = [(start, False)]
        while stack:
            index, ready = stack.pop()
            if ready:
                state[index] = 2
                order.append(nodes[index])
            elif state[index] == 1:
                raise ModelError("the graph is cyclic: its nodes depend on each other in a circle")
            elif state[index] == 0:
                state[index] = 1
                stack.append((index, True))
                before = {maker[name] for name in reads(nodes[index]) if name in maker}
                stack.extend((item, False) for item in sorted(before, reverse=True) if state[item] != 2)
    return order


def assemble(
    model: onnx.ModelProto,
    nodes: Iterable[int],
    inputs: Mapping[str, int],
    outputs: Sequence[str],
    *,
    in_order: bool = False,
) -> onnx.ModelProto:
    """A model of some of a model's nodes, with the initializers they read.

    Args:
        model: Where it is cut from; not changed.
        nodes: Indices into the graph's nodes.
        inputs: Name -> element type of the new inputs, without a shape.
        outputs: Names of the new outputs; those that were outputs before keep their declared type.
        in_order: Sort the nodes, for a runner that does not.

    Raises:
        ModelError: The nodes are cyclic (with `in_order`).
    """
    graph = model.graph
    part = onnx.ModelProto(ir_version=model.ir_version)
    part.opset_import.extend(model.opset_import)
    part.functions.extend(model.functions)
    part.graph.name = graph.name or "part"
    chosen = [graph.node[index] for index in sorted(nodes)]
    part.graph.node.extend(sorted_nodes(chosen) if in_order else chosen)
    used = {name for node in chosen for name in reads(node)} | set(outputs)
    part.graph.initializer.extend(tensor for tensor in graph.initializer if tensor.name in used - set(inputs))
    part.graph.sparse_initializer.extend(
        item for item in graph.sparse_initializer if item.values.name in used - set(inputs)
    )
    for name, elem_type in inputs.items():
        part.graph.input.add(name=name).type.tensor_type.elem_type = elem_type
    declared = {info.name: info for info in graph.output}
    for name in outputs:
        # onnxruntime infers the type of an output that declares none.
        part.graph.output.append(declared.get(name) or onnx.ValueInfoProto(name=name))
    return part
