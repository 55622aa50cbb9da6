"""Models without what they say of their own inside."""

from __future__ import annotations

from collections.abc import Iterable

from onnx import GraphProto, ModelProto, ValueInfoProto

from graphkit.model import subgraphs, without_weights


def undeclared(model: ModelProto) -> ModelProto:
    """A copy without weights, and without the shapes that it declares but for those of its inputs.

    A model may declare shapes inside that are not so: its batch was changed, or its exporter erred. A runtime checks
    what is declared of inputs only, so whoever rewrites must not believe more; element types are checked everywhere.
    """
    small = without_weights(model)
    _forget_inside(small.graph)
    return small


def _forget_inside(graph: GraphProto) -> None:
    _forget(graph.value_info)
    _forget(graph.output)
    for node in graph.node:
        for attribute in node.attribute:
            for inner in subgraphs(attribute):
                _forget(inner.input)  # a Loop's state may change its shape
                _forget_inside(inner)


def _forget(infos: Iterable[ValueInfoProto]) -> None:
    for info in infos:
        if info.type.HasField("tensor_type"):
            info.type.tensor_type.ClearField("shape")
