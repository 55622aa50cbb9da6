"""Put back what a tool dropped from a model that it rebuilt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx


def restore_header(before: onnx.ModelProto, after: onnx.ModelProto) -> None:
    """Give `after` the header of `before`: everything that is no part of the computation.

    Metadata, docs, names and versions of producer and model, and of the graph; training info, quantization
    annotations of tensors that are still there; docs and metadata of nodes, inputs, outputs and of value_info that
    are still there. Functions are restored where all of them were dropped.
    """
    for name in ("producer_name", "producer_version", "domain", "doc_string", "model_version"):
        _copy_scalar(before, after, name)
    for name in ("name", "doc_string"):
        _copy_scalar(before.graph, after.graph, name)
    _copy_list(before, after, "metadata_props")
    _copy_list(before, after, "training_info")
    _copy_list(before.graph, after.graph, "metadata_props")
    if before.functions and not after.functions:
        after.functions.extend(before.functions)
    _restore_nodes(before.graph, after.graph)
    _restore_values(before.graph, after.graph)


def _copy_scalar(before: Any, after: Any, name: str) -> None:
    if before.HasField(name):
        setattr(after, name, getattr(before, name))
    else:
        after.ClearField(name)


def _copy_list(before: Any, after: Any, name: str) -> None:
    if hasattr(before, name):
        after.ClearField(name)
        getattr(after, name).extend(getattr(before, name))


def _restore_nodes(before: onnx.GraphProto, after: onnx.GraphProto) -> None:
    """A node is still there if an operator of the same type writes the same tensors."""
    old = {(node.op_type, tuple(node.output)): node for node in before.node}
    for node in after.node:
        match = old.get((node.op_type, tuple(node.output)))
        if match is not None:
            _copy_scalar(match, node, "doc_string")
            _copy_scalar(match, node, "name")
            _copy_list(match, node, "metadata_props")
            inner = {item.name: item.g for item in match.attribute if item.HasField("g")}
            for item in node.attribute:
                if item.HasField("g") and item.name in inner:
                    _restore_nodes(inner[item.name], item.g)


def _restore_values(before: onnx.GraphProto, after: onnx.GraphProto) -> None:
    alive = {name for node in after.node for name in (*node.input, *node.output)}
    alive |= {item.name for item in (*after.input, *after.output)}
    for group in ("input", "output", "value_info", "initializer"):
        old = {item.name: item for item in getattr(before, group)}
        for item in getattr(after, group):
            if item.name in old:
                _copy_scalar(old[item.name], item, "doc_string")
                _copy_list(old[item.name], item, "metadata_props")
    after.ClearField("quantization_annotation")
    after.quantization_annotation.extend(item for item in before.quantization_annotation if item.tensor_name in alive)
