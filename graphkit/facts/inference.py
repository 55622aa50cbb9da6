"""The types of one node's outputs, from what is known of its inputs."""

from __future__ import annotations

import onnx
from onnx import NodeProto, OperatorSetIdProto, TypeProto

from graphkit.facts import schemas
from graphkit.facts.kinds import tensor_type, type_string
from graphkit.facts.scope import Scope, shape_of
from graphkit.model import standard_domain


def learn(node: NodeProto, opset: int, scope: Scope) -> None:
    """Note what a node makes, and of which type, as far as shape inference can tell."""
    for name in node.output:
        if name:
            scope.note(name, node, opset)
    if any(name and _vague(scope.type(name)) for name in node.output):
        for name, kind in infer(node, opset, scope).items():
            known = scope.type_string(name)
            if known is None or (known == type_string(kind) and _told(kind) > _told(scope.type(name))):
                scope.types[name] = kind


def _vague(kind: TypeProto | None) -> bool:
    """Whether more could be known: inference of the whole model folds less than Scope does, least in subgraphs."""
    known = type_string(kind)
    if known is None or not known.startswith("tensor"):
        return known is None
    shape = shape_of(kind)
    return shape is None or not all(isinstance(size, int) for size in shape)


def _told(kind: TypeProto | None) -> int:
    """How much a type says of the shape: -1 for nothing, else how many dimensions it has numbers for."""
    shape = shape_of(kind)
    return -1 if shape is None else sum(isinstance(size, int) for size in shape)


_MOST_DIMS = 64
"""More than NumPy and any runtime take; a file may say that a shape has billions of numbers."""


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
    _add_rank(node, found, scope)
    return found


def _add_rank(node: NodeProto, found: dict[str, TypeProto], scope: Scope) -> None:
    """Of a shape that is computed at run time, its length tells how many dimensions the output has."""
    kind = found.get(node.output[0])
    if node.op_type not in ("ConstantOfShape", "Reshape") or kind is None or kind.tensor_type.HasField("shape"):
        return
    length = scope.shape(node.input[-1])
    if length is None or len(length) != 1 or not isinstance(length[0], int) or not kind.tensor_type.elem_type:
        return
    if length[0] <= _MOST_DIMS:
        found[node.output[0]] = tensor_type(kind.tensor_type.elem_type, (None,) * length[0])
