"""Whether two exports are the same graph with other numbers in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import onnx

_FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE})


def same_graph(one: onnx.ModelProto, other: onnx.ModelProto, *, other_weights: bool) -> bool:
    """Compare node by node: operators, attributes, wiring and whole numbers; names do not count.

    torch keeps equal weights once and hands them on by Identity, so those are looked through.

    Args:
        one: An export.
        other: Another one, made with the same versions.
        other_weights: Whether all floats may differ; otherwise only those that are single numbers.
    """
    return list(_told(one.graph, other_weights)) == list(_told(other.graph, other_weights))


def _told(graph: onnx.GraphProto, other_weights: bool) -> Iterator[tuple[Any, ...]]:
    known: dict[str, Any] = {tensor.name: _content(tensor, other_weights) for tensor in graph.initializer}
    weights = set(known)
    for info in graph.input:
        yield ("input", info.name, info.type.SerializeToString(deterministic=True))
        known.setdefault(info.name, ("input", info.name))
    for position, node in enumerate(node for node in graph.node if not _hands_on(node, weights, known)):
        for index, name in enumerate(node.output):
            known[name] = (position, index)
        # What a subgraph reads from outside keeps its name, which only makes the comparison stricter.
        reads = tuple(known.get(name, name) for name in node.input)
        yield (node.op_type, node.domain, reads, len(node.output), tuple(_attributes(node, other_weights)))
    yield ("outputs", *((info.name, known.get(info.name)) for info in graph.output))


def _hands_on(node: onnx.NodeProto, weights: set[str], known: dict[str, Any]) -> bool:
    """Whether a node is an Identity of a weight; it then gets the weight's own content."""
    if node.op_type != "Identity" or node.domain or node.input[0] not in weights:
        return False
    known[node.output[0]] = known[node.input[0]]
    weights.add(node.output[0])
    return True


def _attributes(node: onnx.NodeProto, other_weights: bool) -> Iterator[Any]:
    for item in sorted(node.attribute, key=lambda item: item.name):
        if item.type == onnx.AttributeProto.TENSOR:
            yield (item.name, _content(item.t, other_weights))
        elif node.op_type == "Constant" and item.type == onnx.AttributeProto.FLOAT:
            yield (item.name, "number")
        elif item.type == onnx.AttributeProto.GRAPH:
            yield (item.name, tuple(_told(item.g, other_weights)))
        else:
            yield (item.name, item.SerializeToString(deterministic=True))


def _content(tensor: onnx.TensorProto, other_weights: bool) -> tuple[Any, ...]:
    """Type and shape, and the values where they may not differ."""
    shape = (tensor.data_type, tuple(tensor.dims))
    single = all(size == 1 for size in tensor.dims)
    if tensor.data_type in _FLOATS and (other_weights or single):
        return shape
    values = onnx.TensorProto()
    values.CopyFrom(tensor)
    values.ClearField("name")
    return (*shape, hashlib.sha256(values.SerializeToString(deterministic=True)).hexdigest())
