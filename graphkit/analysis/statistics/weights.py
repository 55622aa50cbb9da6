"""Where the weights of a model are, what they are called and how many bytes they take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.facts import kinds
from graphkit.model import Model, holders
from graphkit.model.external import bits_of


@dataclass(frozen=True)
class Weight:
    """One stored tensor: its name, element type, elements and bytes (those of what is stored, where it is sparse)."""

    name: str
    type: str
    elements: int
    bytes: int


def initializers(proto: onnx.ModelProto) -> dict[str, Weight]:
    """The initializers of the graph and of every subgraph, by name; of two with one name the outer one."""
    found: dict[str, Weight] = {}
    for holder in holders(proto):
        if isinstance(holder, onnx.GraphProto):
            for tensor in holder.initializer:
                found.setdefault(tensor.name, _weight(tensor.name, tensor))
            for sparse in holder.sparse_initializer:
                found.setdefault(sparse.values.name, _weight(sparse.values.name, sparse.values))
    return found


def constant_weight(node: onnx.NodeProto) -> Weight | None:
    """What a Constant node holds; None for another node, or where its value is an attribute of a function."""
    if node.op_type != "Constant":
        return None
    for item in node.attribute:
        if item.name == "value":
            return _weight(node.output[0], item.t)
        if item.name == "sparse_value":
            return _weight(node.output[0], item.sparse_tensor.values)
        if item.name in ("value_float", "value_floats"):
            count = len(item.floats) if item.name.endswith("s") else 1
            return Weight(node.output[0], "float", count, 4 * count)
        if item.name in ("value_int", "value_ints"):
            count = len(item.ints) if item.name.endswith("s") else 1
            return Weight(node.output[0], "int64", count, 8 * count)
    return None


def _weight(name: str, tensor: onnx.TensorProto) -> Weight:
    elements = math.prod(tensor.dims)
    spelt = kinds.element_name(tensor.data_type) or "unknown"
    bits = bits_of(tensor.data_type)
    stored = sum(map(len, tensor.string_data)) if bits is None else -(-elements * bits // 8)
    return Weight(name, spelt, elements, stored)


def constant_values(model: Model, name: str) -> NDArray[Any] | None:
    """The values of an initializer, or of what a Constant node makes, by name; None where there is no dense one."""
    for holder in holders(model.proto()):
        if isinstance(holder, onnx.GraphProto):
            for tensor in holder.initializer:
                if tensor.name == name:
                    return model.values(tensor)
        for node in holder.node:
            if node.op_type == "Constant" and name in node.output:
                return _node_values(model, node)
    return None


def _node_values(model: Model, node: onnx.NodeProto) -> NDArray[Any] | None:
    for item in node.attribute:
        if item.name == "value":
            return model.values(item.t)
        if item.name in ("value_float", "value_floats"):
            return np.array(onnx.helper.get_attribute_value(item), np.float32)
        if item.name in ("value_int", "value_ints"):
            return np.array(onnx.helper.get_attribute_value(item), np.int64)
    return None
