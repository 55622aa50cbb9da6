"""ValueInfo: inputs, outputs, value_info and what is annotated about tensors, restored where it still holds."""

from __future__ import annotations

from typing import Any

import onnx_graphsurgeon as gs
from onnx import FunctionProto, GraphProto, SparseTensorProto, TensorProto, ValueInfoProto

from graphkit.model.traced import Scope, home_of
from graphkit.model.types import TENSOR, UNKNOWN, Signature, make_type, signature


def write_inputs(
    target: GraphProto, graph: Any, scope: Scope, live: dict[str, Any], written: set[str], ir_version: int
) -> None:
    """The graph's inputs, and between them, where they stood, those that have an initializer (`written`) as default.

    Before IR version 4 every initializer has to be an input, so new ones are declared behind.
    """
    base = scope.proto
    assert isinstance(base, GraphProto)
    current = {id(tensor) for tensor in graph.inputs}
    names = {tensor.name for tensor in graph.inputs}
    leading: list[ValueInfoProto] = []
    behind: dict[int, list[ValueInfoProto]] = {}
    followers = leading
    for info in base.input:
        tensor = live.get(info.name)
        if info.name in scope.initializers:
            name = info.name if tensor is None else tensor.name
            if name in written and name not in names:
                followers.append(_initializer_input(info, tensor, scope))
        elif tensor is not None and id(tensor) in current:
            followers = behind.setdefault(id(tensor), [])
    target.input.extend(leading)
    for tensor in graph.inputs:
        target.input.append(_declaration(tensor, _lookup(scope.inputs, tensor, scope), scope))
        target.input.extend(behind.get(id(tensor), ()))
    if 0 < ir_version < 4 and base.input:
        declared = {info.name for info in target.input}
        for initializer in target.initializer:
            if initializer.name not in declared and initializer.name not in scope.initializers:
                target.input.append(_for_initializer(initializer))


def write_outputs(target: GraphProto, graph: Any, scope: Scope) -> None:
    """The graph's outputs; one that is listed twice is declared twice, as it was."""
    base = scope.proto
    assert isinstance(base, GraphProto)
    for index, tensor in enumerate(graph.outputs):
        _, origin = home_of(tensor)
        at_index = base.output[index] if index < len(base.output) else None
        template = at_index if at_index is not None and at_index.name in (origin, tensor.name) else None
        target.output.append(_declaration(tensor, template or _lookup(scope.outputs, tensor, scope), scope))


def write_value_info(target: Any, graph: Any, scope: Scope, live: dict[str, Any]) -> None:
    """value_info in the file's order; what is about no tensor of the graph stays, what lost its tensor goes."""
    described: set[str] = set()
    for info in scope.proto.value_info:
        tensor = live.get(info.name)
        if tensor is not None:
            described.add(tensor.name)
            if _dtype_or_shape(tensor) or signature(tensor) == scope.signatures.get(info.name, UNKNOWN):
                target.append(_declaration(tensor, info, scope))
        elif info.name not in scope.attached:
            target.append(info)
    described.update(tensor.name for tensor in (*graph.inputs, *graph.outputs))
    function = isinstance(scope.proto, FunctionProto)
    for node in graph.nodes:
        for tensor in node.outputs:
            if tensor.name and tensor.name not in described and isinstance(tensor, gs.Variable):
                described.add(tensor.name)
                if tensor.dtype is not None and not (function and not scope.proto.value_info):
                    target.append(_declaration(tensor, None, scope))


def write_annotations(target: GraphProto, base: GraphProto, scope: Scope, live: dict[str, Any]) -> None:
    """quantization_annotation, following renamed tensors; one whose tensor is gone goes with it."""
    for annotation in base.quantization_annotation:
        tensor = live.get(annotation.tensor_name)
        if tensor is None and annotation.tensor_name in scope.attached:
            continue
        added = target.quantization_annotation.add()
        added.CopyFrom(annotation)
        if tensor is not None and tensor.name != annotation.tensor_name:
            added.tensor_name = tensor.name
        for entry in added.quant_parameter_tensor_names:
            parameter = live.get(entry.value)
            if parameter is not None and parameter.name != entry.value:
                entry.value = parameter.name


def _declaration(tensor: Any, template: ValueInfoProto | None, scope: Scope) -> ValueInfoProto:
    """A declaration of `tensor` as it stands; the template's own words where they still hold."""
    info = ValueInfoProto()
    current = signature(tensor)
    if template is None:
        info.name = tensor.name
        if current != UNKNOWN:
            info.type.CopyFrom(make_type(current))
        return info
    info.CopyFrom(template)
    if tensor.name != template.name:
        info.name = tensor.name
    if current != scope.signatures.get(template.name, UNKNOWN):
        info.type.CopyFrom(make_type(current, template.type))
    return info


def _lookup(infos: dict[str, ValueInfoProto], tensor: Any, scope: Scope) -> ValueInfoProto | None:
    home, origin = home_of(tensor)
    if home is scope and origin in infos:
        return infos[origin]
    return infos.get(tensor.name)


def _initializer_input(info: ValueInfoProto, tensor: Any, scope: Scope) -> ValueInfoProto:
    return info if tensor is None else _declaration(tensor, info, scope)


def _for_initializer(initializer: TensorProto | SparseTensorProto) -> ValueInfoProto:
    assert isinstance(initializer, TensorProto)
    seen: Signature = (initializer.data_type, tuple(initializer.dims), TENSOR)
    return ValueInfoProto(name=initializer.name, type=make_type(seen))


def _dtype_or_shape(tensor: Any) -> bool:
    return tensor.dtype is not None or tensor.shape is not None
