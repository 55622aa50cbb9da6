"""What is known of a model's nodes before any is converted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.edit import overridable
from graphkit.errors import PassRefused
from graphkit.facts import schemas
from graphkit.facts.inference import learn
from graphkit.facts.learning import learn_model
from graphkit.facts.scope import Scope
from graphkit.model import holders, reads, standard_domain, subgraphs
from graphkit.order import stable_order

Reader = Callable[[onnx.TensorProto], NDArray[Any]]

FLOAT = "tensor(float)"
HALF = "tensor(float16)"

_QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")


@dataclass(frozen=True, eq=False)
class Known:
    """A model and what is known of its main graph.

    Attributes:
        proto: The model; not changed.
        opset: Of the default domain.
        order: Indices of the nodes, each behind what it reads.
        scope: Types and small values of tensors.
        makers: Tensor -> the index of the node that makes it.
        readers: Tensor -> indices of the nodes that read it, in their subgraphs too.
        captured: Tensors that subgraphs read.
        held: Every initializer, and the values of Constant nodes.
        constants: Those of them that nobody can override.
        data: Tensors that depend on the values of inputs, and not only on their shapes.
        returned: The outputs of the graph.
        functions: Domain and name of each function that the model brings along.
    """

    proto: onnx.ModelProto
    opset: int
    order: list[int]
    scope: Scope
    makers: dict[str, int]
    readers: dict[str, list[int]]
    captured: frozenset[str]
    held: dict[str, onnx.TensorProto]
    constants: dict[str, onnx.TensorProto]
    data: frozenset[str]
    returned: frozenset[str]
    functions: frozenset[tuple[str, str]]

    def node(self, index: int) -> onnx.NodeProto:
        """A node of the main graph."""
        node: onnx.NodeProto = self.proto.graph.node[index]
        return node

    def is_float(self, name: str) -> bool:
        """Whether a tensor is float32."""
        return bool(name) and self.scope.type_string(name) == FLOAT

    def computes_in_float(self, index: int) -> bool:
        """Whether a node makes float32."""
        return any(self.is_float(name) for name in self.node(index).output)

    def schema(self, index: int) -> onnx.defs.OpSchema | None:
        """The definition of a node; None for operators of other domains and calls of functions."""
        node = self.node(index)
        called = (node.domain, node.op_type) in self.functions
        since = schemas.since(node.op_type, self.opset) if standard_domain(node.domain) and not called else None
        return schemas.schema(node.op_type, since) if since is not None else None


def quantized(proto: onnx.ModelProto) -> str | None:
    """The operator that shows that a model is quantized, with its node; None where none does."""
    for holder in holders(proto):
        for node in holder.node:
            if node.op_type in _QUANTIZED or node.op_type.startswith("QLinear"):
                return f'{node.op_type} ("{node.name or node.output[0]}")'
    return None


def learn_all(proto: onnx.ModelProto, read: Reader) -> Known:
    """Everything there is to know.

    Raises:
        PassRefused: The nodes depend on each other in a circle.
    """
    graph = proto.graph
    scope = learn_model(proto, read)
    opset = next((int(item.version) for item in proto.opset_import if standard_domain(item.domain)), 1)
    makers = {name: index for index, node in enumerate(graph.node) for name in node.output if name}
    wanted = [reads(node) for node in graph.node]
    order = stable_order([{makers[name] for name in names if name in makers} for names in wanted])
    if len(order) != len(graph.node):
        raise PassRefused("found nodes that depend on each other in a circle. Export the model again.")
    for index in order:
        learn(graph.node[index], opset, scope)
    readers: dict[str, list[int]] = {}
    captured = set[str]()
    for index, names in enumerate(wanted):
        for name in names:
            readers.setdefault(name, []).append(index)
        captured |= names - set(graph.node[index].input)
        if has_subgraph(graph.node[index]):
            captured |= names
    # Before IR version 4 every initializer had to be an input, and none could be replaced.
    fixed = overridable(proto) if proto.ir_version >= 4 else frozenset[str]()
    held = {tensor.name: tensor for tensor in graph.initializer}
    constants = {tensor.name: tensor for tensor in graph.initializer if tensor.name not in fixed}
    for node in graph.node:
        value = _constant_node(node)
        if value is not None:
            held[node.output[0]] = constants[node.output[0]] = value
    data = {info.name for info in graph.input} - held.keys()
    for index in order:
        node = graph.node[index]
        if not (node.op_type in ("Shape", "Size") and standard_domain(node.domain)) and wanted[index] & data:
            data.update(name for name in node.output if name)
    returned = frozenset(info.name for info in graph.output)
    functions = frozenset((item.domain, item.name) for item in proto.functions)
    return Known(
        proto,
        opset,
        order,
        scope,
        makers,
        readers,
        frozenset(captured),
        held,
        constants,
        frozenset(data),
        returned,
        functions,
    )


def has_subgraph(node: onnx.NodeProto) -> bool:
    """Whether a node holds graphs."""
    return any(subgraphs(attribute) for attribute in node.attribute)


def _constant_node(node: onnx.NodeProto) -> onnx.TensorProto | None:
    if node.op_type != "Constant" or not standard_domain(node.domain) or len(node.attribute) != 1:
        return None
    item = node.attribute[0]
    if item.name == "value" and not item.ref_attr_name:
        tensor: onnx.TensorProto = item.t
        return tensor
    if item.name in ("value_float", "value_floats"):
        array = np.array(onnx.helper.get_attribute_value(item), np.float32)
        return onnx.numpy_helper.from_array(array, node.output[0])
    return None
