"""Where the new names and constants of one graph or function come from."""

from __future__ import annotations

import onnx
from onnx import FunctionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto

from graphkit.model import standard_domain
from graphkit.passes.opset import schemas
from graphkit.passes.opset.kinds import type_string
from graphkit.passes.opset.scope import Scope


class Home:
    """The graph or function that a node, however deep in subgraphs, belongs to.

    Constants go to its front: a graph gets initializers, a function, which has none, Constant nodes. Equal ones are
    shared.

    Attributes:
        constants: The tensors made so far, to be put at the front.
        root: The scope of the graph or function itself.
    """

    def __init__(self, holder: GraphProto | FunctionProto, root: Scope) -> None:
        self.root = root
        self.constants: list[TensorProto] = []
        self._taken = _names(holder)
        self._nodes = {node.name for node in holder.node}
        self._shared: dict[bytes, str] = {}

    def name(self, base: str, hint: str) -> str:
        """A tensor name that nothing in the holder has."""
        return _free(self._taken, f"{base}/{hint}")

    def node_name(self, base: str, op: str) -> str:
        """A node name that nothing in the holder has."""
        return _free(self._nodes, f"{base}/{op}")

    def constant(self, tensor: TensorProto, hint: str) -> str:
        """The name of a constant of this value."""
        made = TensorProto()
        made.CopyFrom(tensor)
        made.ClearField("name")
        key = made.SerializeToString(deterministic=True)
        name = self._shared.get(key)
        if name is None:
            name = self._shared[key] = made.name = _free(self._taken, f"opset/{hint}")
            self.constants.append(made)
            self.root.constants[name] = made
            self.root.types[name] = onnx.helper.make_tensor_type_proto(made.data_type, list(made.dims))
        return name

    def learn(self, node: NodeProto, opset: int, scope: Scope) -> None:
        """Note what a node makes, and of which type, as far as shape inference can tell."""
        for name in node.output:
            if name:
                scope.made[name] = (node, opset)
        if any(name and type_string(scope.type(name)) is None for name in node.output):
            for name, kind in infer(node, opset, scope).items():
                known = scope.type(name)
                if known is None or type_string(known) is None:
                    scope.types[name] = kind


def infer(node: NodeProto, opset: int, scope: Scope) -> dict[str, TypeProto]:
    """The types of a node's outputs, from those of its inputs; empty where they cannot be told."""
    if not standard_domain(node.domain):
        return {}
    version = schemas.since(node.op_type, opset)
    if version is None:
        return {}
    types = {}
    for name in node.input:
        kind = scope.type(name) if name else None
        if name and kind is None:
            return {}
        if kind is not None:
            types[name] = kind
    data = {}
    for name in types:
        value = scope.value(name)
        if value is not None and value.dtype.kind in "iufb":
            data[name] = onnx.numpy_helper.from_array(value, name)
    try:
        found: dict[str, TypeProto] = onnx.shape_inference.infer_node_outputs(
            schemas.schema(node.op_type, version),
            node,
            types,
            data,
            opset_imports=[OperatorSetIdProto(domain="", version=opset)],
        )
    except Exception:  # noqa: BLE001 - InferenceError and what the bindings raise; then nothing is known
        return {}
    return found


def _names(holder: GraphProto | FunctionProto) -> set[str]:
    """Every tensor name in a graph or function, its subgraphs included."""
    taken: set[str] = set()
    waiting: list[GraphProto | FunctionProto] = [holder]
    while waiting:
        item = waiting.pop()
        if isinstance(item, GraphProto):
            taken |= {info.name for info in (*item.input, *item.output)}
            taken |= {tensor.name for tensor in item.initializer}
            taken |= {sparse.values.name for sparse in item.sparse_initializer}
        else:
            taken |= {*item.input, *item.output}
        for node in item.node:
            taken.update(node.input)
            taken.update(node.output)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)
    return taken


def _free(taken: set[str], wanted: str) -> str:
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    taken.add(name)
    return name
