"""The function bodies that onnx.defs has for operators, and how a call fills in a body's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx import AttributeProto, FunctionProto, NodeProto, TypeProto

from graphkit.facts import schemas
from graphkit.facts.kinds import type_string


def has_body(op: str, version: int) -> bool:
    """Whether onnx.defs writes the operator out with others."""
    schema: Any = schemas.schema(op, version)
    return bool(schema.has_function or schema.has_context_dependent_function)


def function_body(
    node: NodeProto, version: int, kinds: Sequence[TypeProto | None], opset: int | None = None
) -> FunctionProto | None:
    """The body for a node, in the oldest operators there is one for; None where there is none for this node.

    A context-dependent body is built from attributes and input types: an attribute that is a function's parameter is
    taken for one that is not set, and a type that is missing crashes it, so neither is let through.

    Args:
        node: The node.
        version: The since-version of its operator.
        kinds: The types of its inputs; None for those left out, an empty type for those not known.
        opset: Give the body that is meant for models at this opset instead: the newest that is not newer.
    """
    schema: Any = schemas.schema(node.op_type, version)
    if schema.has_function:
        made = _body_version(schema.function_opset_versions, opset)
        text = b"" if made is None else schema.get_function_with_opset_version(made)
    elif schema.has_context_dependent_function:
        if any(kind is not None and type_string(kind) is None for kind in kinds):
            return None
        if any(item.ref_attr_name for item in node.attribute):
            return None
        made = _body_version(schema.context_dependent_function_opset_versions, opset)
        types = [(kind or TypeProto()).SerializeToString() for kind in kinds]
        text = (
            b""
            if made is None
            else schema.get_context_dependent_function_with_opset_version(made, node.SerializeToString(), types)
        )
    else:
        return None
    body = FunctionProto()
    body.ParseFromString(text or b"")
    return body if body.node else None


def _body_version(versions: Sequence[int], opset: int | None) -> int | None:
    if opset is None:
        return min(versions)
    return max((version for version in versions if version <= opset), default=None)


def parameters(node: NodeProto, version: int, body: FunctionProto) -> dict[str, AttributeProto]:
    """What a body's parameters are: as the node says, else as the operator's definition does."""
    values = {item.name: item for item in body.attribute_proto}
    for name, attribute in schemas.schema(node.op_type, version).attributes.items():
        if attribute.default_value.name:
            values.setdefault(name, attribute.default_value)
    return values | {item.name: item for item in node.attribute}


def fill_in(node: NodeProto, values: Mapping[str, AttributeProto]) -> None:
    """Give the attributes of a node, and of those in its subgraphs, that are parameters their values; in place."""
    attributes = []
    for item in node.attribute:
        if item.ref_attr_name:
            if item.ref_attr_name not in values:
                continue
            given = AttributeProto()
            given.CopyFrom(values[item.ref_attr_name])
            given.name = item.name
            attributes.append(given)
            continue
        if item.HasField("g"):
            for inner in item.g.node:
                fill_in(inner, values)
        attributes.append(item)
    made = NodeProto()
    made.attribute.extend(attributes)
    del node.attribute[:]
    node.attribute.extend(made.attribute)
