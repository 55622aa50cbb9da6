"""What a whole model says of its tensors, and what onnx infers of them."""

from __future__ import annotations

import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

from graphkit.facts.kinds import tensor_type, type_string
from graphkit.facts.scope import Reader, Scope, shape_of
from graphkit.model import subgraphs, without_weights


def learn_model(model: ModelProto, read: Reader) -> Scope:
    """The scope of a model's graph, and in it those of its subgraphs: what is inferred, else what is declared.

    Args:
        model: The model; not changed.
        read: Gives the values of one of the model's tensors, wherever they lie.
    """
    root = Scope(None, read)
    inferred = _inferred(model)
    _fill(root, model.graph, inferred.graph if inferred is not None else None, read)
    return root


def _inferred(model: ModelProto) -> ModelProto | None:
    """The model with the types and shapes that onnx infers, weights left out; None where it cannot.

    What the model itself declares is left out too: it may be wrong, and is used only where nothing is inferred.
    """
    small = without_weights(model)
    del small.graph.value_info[:]
    # Whoever runs the model may give another value for an initializer that is an input too: it says nothing of shapes.
    inputs = {info.name for info in small.graph.input}
    kept = [tensor for tensor in small.graph.initializer if tensor.name not in inputs]
    del small.graph.initializer[:]
    small.graph.initializer.extend(kept)
    try:
        return onnx.shape_inference.infer_shapes(small, data_prop=True)
    except Exception:  # noqa: BLE001 - InferenceError, and what protobuf raises
        return None


def _fill(scope: Scope, graph: GraphProto, inferred: GraphProto | None, read: Reader) -> None:
    """Fill a scope, and those of all subgraphs, with what was inferred, else with what is declared."""
    if inferred is not None:
        for info in inferred.value_info:
            if type_string(info.type) is not None:
                scope.types[info.name] = info.type
    learn_graph(scope, graph)
    if inferred is not None and len(inferred.node) != len(graph.node):
        inferred = None
    for index, node in enumerate(graph.node):
        for attribute in node.attribute:
            for place, inner in enumerate(subgraphs(attribute)):
                child = scope.inner[index, attribute.name, place] = Scope(scope, read)
                same = None
                if inferred is not None:
                    theirs = next((a for a in inferred.node[index].attribute if a.name == attribute.name), None)
                    same = subgraphs(theirs)[place] if theirs is not None else None
                _fill(child, inner, same, read)


def learn_graph(scope: Scope, graph: GraphProto) -> None:
    """Note what a graph says of its tensors, and which are constants."""
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.WhichOneof("value") is not None:
            scope.types.setdefault(info.name, info.type)
    inputs = {info.name for info in graph.input}
    for tensor in graph.initializer:
        scope.types[tensor.name] = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        if tensor.name not in inputs:
            scope.constants[tensor.name] = tensor
    for sparse in graph.sparse_initializer:
        scope.types[sparse.values.name] = onnx.helper.make_tensor_type_proto(sparse.values.data_type, list(sparse.dims))
    for name in inputs:
        scope.types.setdefault(name, TypeProto())


def learn_inputs(scope: Scope, graph: GraphProto, node: NodeProto, outer: Scope) -> None:
    """Note what the inputs of a Loop's or Scan's body are, which need not say so themselves."""
    kinds = {"Loop": _loop_inputs, "Scan": _scan_inputs}.get(node.op_type, _no_inputs)(node, outer)
    for info, kind in zip(graph.input, kinds, strict=False):
        if kind is not None and not info.type.WhichOneof("value"):
            scope.types[info.name] = kind


def learn_outputs(scope: Scope, graph: GraphProto, node: NodeProto, outer: Scope) -> None:
    """Note of which element type an If's outputs are, where only its branches tell; their shapes may differ."""
    if node.op_type != "If":
        return
    for name, info in zip(node.output, graph.output, strict=False):
        kind = scope.type(info.name)
        if name and outer.type_string(name) is None and kind is not None and type_string(kind) is not None:
            tensor = kind.HasField("tensor_type")
            outer.types[name] = tensor_type(kind.tensor_type.elem_type, None) if tensor else kind


def _no_inputs(node: NodeProto, outer: Scope) -> list[TypeProto | None]:  # noqa: ARG001 - one of three alike
    return []


def _loop_inputs(node: NodeProto, outer: Scope) -> list[TypeProto | None]:
    """Counter, condition, state. A state may change its shape from one iteration to the next, not its type."""
    kinds: list[TypeProto | None] = [tensor_type(TensorProto.INT64, ()), tensor_type(TensorProto.BOOL, ())]
    for name in node.input[2:]:
        kind = outer.type(name)
        known = kind is not None and kind.HasField("tensor_type") and kind.tensor_type.elem_type
        kinds.append(tensor_type(kind.tensor_type.elem_type, None) if kind and known else kind)
    return kinds


def _scan_inputs(node: NodeProto, outer: Scope) -> list[TypeProto | None]:
    """State, which keeps its shape, and slices: the rank of what is sliced, less one (Scan 9 and newer)."""
    values = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute if not item.ref_attr_name}
    states = len(node.input) - int(values.get("num_scan_inputs", len(node.input)))
    axes = list(values.get("scan_input_axes", ())) or [0] * (len(node.input) - states)
    kinds = [outer.type(name) for name in node.input[:states]]
    for name, axis in zip(node.input[states:], axes, strict=False):
        kind = outer.type(name)
        shape = shape_of(kind)
        if kind is None or not kind.tensor_type.elem_type:
            kinds.append(None)
        elif shape is None or not -len(shape) <= axis < len(shape):
            kinds.append(tensor_type(kind.tensor_type.elem_type, None))
        else:
            place = axis % len(shape)
            kinds.append(tensor_type(kind.tensor_type.elem_type, shape[:place] + shape[place + 1 :]))
    return kinds
