"""Walking and copying protos."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from google.protobuf.message import DecodeError as DecodeError  # type: ignore[import-untyped]
from google.protobuf.message import EncodeError as EncodeError
from google.protobuf.message import Message
from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto


def copy_fields(source: Message, target: Message, skip: Collection[str]) -> None:
    """Copy every field that is set, but for those in `skip`; presence is kept."""
    for descriptor, value in source.ListFields():
        name = descriptor.name
        if name in skip:
            continue
        field: Any = getattr(target, name)
        if hasattr(field, "MergeFrom"):  # a message, or a repeated field of either sort
            field.MergeFrom(value)
            if isinstance(field, Message):
                field.SetInParent()
        else:
            setattr(target, name, value)


def holders(model: ModelProto) -> Iterator[GraphProto | FunctionProto]:
    """Everything that holds nodes: the graph, functions, training graphs and every subgraph of them."""
    waiting: list[GraphProto | FunctionProto] = [model.graph, *model.functions]
    for training in model.training_info:
        waiting += [training.initialization, training.algorithm]
    while waiting:
        holder = waiting.pop()
        yield holder
        for node in holder.node:
            for attribute in node.attribute:
                waiting += subgraphs(attribute)


def subgraphs(attribute: AttributeProto) -> list[GraphProto]:
    """The graphs that an attribute holds."""
    if attribute.HasField("g"):
        return [attribute.g, *attribute.graphs]
    return list(attribute.graphs)


def tensors(model: ModelProto) -> Iterator[TensorProto]:
    """Every tensor stored in the model: initializers and attributes, dense and the halves of sparse, at any depth."""
    for holder in holders(model):
        if isinstance(holder, GraphProto):
            yield from holder.initializer
            for sparse in holder.sparse_initializer:
                yield from _halves(sparse)
        else:
            for attribute in holder.attribute_proto:
                yield from _of_attribute(attribute)
        for node in holder.node:
            for attribute in node.attribute:
                yield from _of_attribute(attribute)


def standard_domain(domain: str) -> bool:
    """Whether a domain is ONNX's own; it has two spellings."""
    return domain in ("", "ai.onnx")


def uses_standard(node: NodeProto) -> bool:
    """Whether a node is of ONNX's own domain."""
    return standard_domain(node.domain)


def _of_attribute(attribute: AttributeProto) -> Iterator[TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    if attribute.HasField("sparse_tensor"):
        yield from _halves(attribute.sparse_tensor)
    for sparse in attribute.sparse_tensors:
        yield from _halves(sparse)


def _halves(sparse: SparseTensorProto) -> Iterator[TensorProto]:
    yield sparse.values
    yield sparse.indices
