"""A model without its weights, for questions whose answer does not depend on them."""

from __future__ import annotations

from onnx import ModelProto, TensorProto
from onnx.helper import make_tensor_value_info

_SMALL = 1024


def without_weights(proto: ModelProto) -> ModelProto:
    """A copy in which the larger initializers are graph inputs of their type and shape. For checks only."""
    small = ModelProto(ir_version=proto.ir_version)
    small.opset_import.extend(proto.opset_import)
    small.functions.extend(proto.functions)
    graph = proto.graph
    small.graph.name = graph.name
    small.graph.node.extend(graph.node)
    small.graph.input.extend(graph.input)
    small.graph.output.extend(graph.output)
    small.graph.value_info.extend(graph.value_info)
    small.graph.sparse_initializer.extend(graph.sparse_initializer)
    inputs = {info.name for info in graph.input}
    for tensor in graph.initializer:
        if tensor.data_location == TensorProto.EXTERNAL or tensor.ByteSize() > _SMALL + len(tensor.name):
            if tensor.name not in inputs:
                small.graph.input.append(make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
        else:
            small.graph.initializer.append(tensor)
    return small
