"""Models that round to float16 where a device would.

onnxruntime's CPU provider computes most float16 operators in float32 and takes out the casts between them, so what it
returns of a float16 model is better than what a device returns: an overflow is not seen. A model that computes in
float32 and is made to round after each node shows it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from graphkit.model import Model

_FLOAT, _HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
_TYPED = {"Cast": "to", "EyeLike": "dtype", "RandomNormalLike": "dtype", "RandomUniformLike": "dtype"}


def rounded_to_half(model: Model) -> Model:
    """A copy of a float32 model that rounds each weight and the output of each node to float16.

    Only tensors that shape inference knows to be float32 are rounded, and only in the main graph.
    """
    proto = _copied(model)
    floats = _of_type(proto, _FLOAT)
    for tensor in proto.graph.initializer:
        if tensor.data_type == _FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(_narrowed(numpy_helper.to_array(tensor)), tensor.name))
    _round(proto, floats)
    return Model(proto, None)


def strictly_half(model: Model) -> Model:
    """A copy of a float16 model that computes each node in float32 and rounds what it returns to float16.

    Its inputs and outputs keep their types. A model with subgraphs or functions is returned as it is: their types are
    not followed.
    """
    nested = any(item.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for item in _attributes(model))
    if nested or model.proto().functions:
        return model
    proto = _copied(model)
    halves = _of_type(proto, _HALF)
    for tensor in proto.graph.initializer:
        if tensor.data_type == _HALF:
            tensor.CopyFrom(_widened(tensor))
    for node in proto.graph.node:
        for item in node.attribute:
            if item.type == onnx.AttributeProto.TENSOR and item.t.data_type == _HALF:
                item.t.CopyFrom(_widened(item.t))
            elif _TYPED.get(node.op_type) == item.name and item.i == _HALF:
                item.i = _FLOAT
    _round(proto, halves)
    _narrow_ends(proto)
    return Model(proto, None)


def _attributes(model: Model) -> list[onnx.AttributeProto]:
    return [item for node in model.proto().graph.node for item in node.attribute]


def _copied(model: Model) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    if model.has_external_data and model.folder is not None:
        from onnx.external_data_helper import load_external_data_for_model

        load_external_data_for_model(proto, str(model.folder))
    return proto


def _of_type(proto: onnx.ModelProto, elem_type: int) -> set[str]:
    """Names of the tensors that nodes make of this type."""
    known = onnx.shape_inference.infer_shapes(proto).graph
    return {i.name for i in (*known.value_info, *known.output) if i.type.tensor_type.elem_type == elem_type}


def _round(proto: onnx.ModelProto, names: Collection[str]) -> None:
    """Put casts to float16 and back behind every node that makes one of these."""
    kept = list[onnx.NodeProto]()
    for node in proto.graph.node:
        copied = onnx.NodeProto.FromString(node.SerializeToString())
        kept.append(copied)
        if node.op_type in ("Constant", "ConstantOfShape"):
            continue
        for index, name in enumerate(node.output):
            if name in names:
                copied.output[index] = f"{name}::exact"
                kept.append(helper.make_node("Cast", [f"{name}::exact"], [f"{name}::half"], to=_HALF))
                kept.append(helper.make_node("Cast", [f"{name}::half"], [name], to=_FLOAT))
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
    del proto.graph.value_info[:]


def _narrow_ends(proto: onnx.ModelProto) -> None:
    """Casts behind float16 inputs and in front of float16 outputs, of a graph that computes in float32."""
    graph = proto.graph
    fixed = {tensor.name for tensor in graph.initializer}
    inputs = {i.name for i in graph.input if i.type.tensor_type.elem_type == _HALF and i.name not in fixed}
    outputs = {i.name for i in graph.output if i.type.tensor_type.elem_type == _HALF}
    for info in graph.input:
        if info.name in fixed and info.type.tensor_type.elem_type == _HALF:
            info.type.tensor_type.elem_type = _FLOAT
    ends = inputs | outputs
    for node in graph.node:
        node.input[:] = [f"{name}::float" if name in ends else name for name in node.input]
        node.output[:] = [f"{name}::float" if name in outputs else name for name in node.output]
    first = [helper.make_node("Cast", [name], [f"{name}::float"], to=_FLOAT) for name in sorted(inputs)]
    last = [helper.make_node("Cast", [f"{name}::float"], [name], to=_HALF) for name in sorted(outputs)]
    nodes = [*first, *(onnx.NodeProto.FromString(node.SerializeToString()) for node in graph.node), *last]
    del graph.node[:]
    graph.node.extend(nodes)


def _widened(tensor: onnx.TensorProto) -> onnx.TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


def _narrowed(values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float32)
