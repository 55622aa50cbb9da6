"""ModelProto to gs.Graph, keeping hold of the protos it was read from.

Unlike gs.import_onnx it takes every type and attribute, finds a tensor of an outer graph wherever in the file its node
stands, and refuses two writers of one tensor instead of merging them. Linear in the nodes; nothing is copied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx_graphsurgeon as gs
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto

from graphkit.errors import ModelError
from graphkit.model import traced
from graphkit.model.attributes import read_attributes
from graphkit.model.protos import standard_domain
from graphkit.model.tensors import LazySparse, LazyTensor
from graphkit.model.traced import Scope
from graphkit.model.types import TENSOR, Signature, numpy_type, signature, signature_of


@dataclass
class _Context:
    """What holds for one graph, its names and everything around it."""

    scope: Scope
    imports: list[OperatorSetIdProto]
    outer: _Context | None = None
    names: dict[str, Any] = field(default_factory=dict)

    def find(self, name: str) -> Any:
        """The tensor of that name, made if nothing here or outside has it."""
        context: _Context | None = self
        while context is not None:
            tensor = context.names.get(name)
            if tensor is not None:
                break
            context = context.outer
        if context is None:
            tensor = self.names[name] = traced.variable(name, self.scope, None, None)
        elif context is not self:
            context.scope.attached.add(name)
        self.scope.attached.add(name)
        return tensor


def open_model(model: ModelProto, folder: Path | None) -> traced.Graph:
    """The model as a gs.Graph whose parts know what they were read from.

    Args:
        model: Never changed; the graph refers to it.
        folder: Where external data lies.

    Raises:
        ModelError: A name is given to two different tensors, so that no graph can be made of it.
    """
    functions = [_open_function(function, model, folder) for function in model.functions]
    imports = _copies(model.opset_import)
    graph = _open_graph(model.graph, Scope(model.graph, folder, _opset(imports)), imports, None, functions)
    graph.producer_name, graph.producer_version = model.producer_name, model.producer_version
    graph.ir_version = model.ir_version
    return graph


def _open_graph(
    proto: GraphProto,
    scope: Scope,
    imports: list[OperatorSetIdProto],
    outer: _Context | None,
    functions: list[Any] | None = None,
) -> traced.Graph:
    context = _Context(scope, imports, outer)
    _declare_constants(proto, context)
    known = _known_types(proto)
    inputs = _declare_inputs(proto.input, known, context)
    _declare_results(proto.node, known, context)
    outputs = [_output(info.name, known, context) for info in proto.output]
    for info in (*proto.value_info, *proto.output):
        _note_outer(info, context)
    graph = traced.Graph(
        nodes=[_open_node(node, context) for node in proto.node],
        inputs=inputs,
        outputs=outputs,
        name=proto.name,
        doc_string=proto.doc_string,
        opset=scope.opset or None,
        import_domains=imports,
        functions=functions,
    )
    graph.scope = scope
    scope.opset = graph.opset
    if outer is not None:
        outer.scope.domains |= scope.domains
    return graph


def _open_function(proto: FunctionProto, model: ModelProto, folder: Path | None) -> traced.Function:
    imports = _copies(proto.opset_import)
    scope = Scope(proto, folder, _opset(imports) or _opset(model.opset_import))
    context = _Context(scope, imports)
    known = {info.name: signature_of(info.type) for info in reversed(proto.value_info)}
    inputs = [_declare_input(name, known, context) for name in proto.input]
    _declare_results(proto.node, known, context)
    attrs: dict[str, Any] = dict.fromkeys(proto.attribute)
    attrs |= read_attributes(proto.attribute_proto, _tensor_maker(context), _graph_reader(context))
    function = traced.Function(
        proto.name,
        proto.domain,
        nodes=[_open_node(node, context) for node in proto.node],
        inputs=inputs,
        outputs=[_output(name, known, context) for name in proto.output],
        doc_string=proto.doc_string,
        opset=scope.opset or None,
        import_domains=imports,
        attrs=attrs,
    )
    function.scope = scope
    scope.opset = function.opset
    return function


def _declare_constants(proto: GraphProto, context: _Context) -> None:
    scope = context.scope
    for tensor in proto.initializer:
        if tensor.name:
            location = int(tensor.data_location) if tensor.HasField("data_location") else None
            _declare(traced.constant(tensor.name, scope, LazyTensor(tensor, scope.folder), location), context)
    for sparse in proto.sparse_initializer:
        if sparse.values.name:
            _declare(traced.constant(sparse.values.name, scope, LazySparse(sparse, scope.folder), None), context)
    for name, tensor in context.names.items():
        scope.signatures[name] = (_element(tensor), tuple(tensor.shape), TENSOR)


def _element(constant: Any) -> int:
    proto = constant.__dict__["_values"].tensor
    return int(proto.data_type if isinstance(proto, TensorProto) else proto.values.data_type)


def _declare_inputs(infos: Iterable[ValueInfoProto], known: dict[str, Signature], context: _Context) -> list[Any]:
    """The inputs; one that has an initializer is a constant to gs, and comes back as an input when written."""
    defaults = set(context.names)
    return [_declare_input(info.name, known, context) for info in infos if info.name not in defaults]


def _declare_input(name: str, known: dict[str, Signature], context: _Context) -> Any:
    return _declare(_variable(name, known, context), context)


def _declare_results(nodes: Iterable[NodeProto], known: dict[str, Signature], context: _Context) -> None:
    for node in nodes:
        for name in node.output:
            if name:
                _declare(_variable(name, known, context), context)


def _variable(name: str, known: dict[str, Signature], context: _Context) -> Any:
    seen = known.get(name)
    if seen is not None:
        context.scope.signatures[name] = seen
    return traced.variable(name, context.scope, seen, None if seen is None else numpy_type(seen[0]))


def _declare(tensor: Any, context: _Context) -> Any:
    name = tensor.name
    if name in context.names:
        raise ModelError(
            f'two tensors are called "{name}", so it cannot be told which one is meant; '
            "rename one of them, or export the model again"
        )
    if name:
        context.names[name] = tensor
        if isinstance(tensor, gs.Variable):
            context.scope.attached.add(name)
    return tensor


def _output(name: str, known: dict[str, Signature], context: _Context) -> Any:
    if not name:
        return gs.Variable.empty()
    seen = name in context.names
    tensor = context.find(name)
    if not seen and context.names.get(name) is tensor:  # nothing writes it: keep at least its type
        del context.names[name]
        tensor = context.names[name] = _variable(name, known, context)
    return tensor


def _note_outer(info: ValueInfoProto, context: _Context) -> None:
    """Remember the type of an outer tensor that a subgraph declares too, to see later whether it changed."""
    outer = context.outer
    while outer is not None and info.name not in context.names:
        tensor = outer.names.get(info.name)
        if tensor is not None:
            context.scope.signatures[info.name] = signature(tensor)
            return
        outer = outer.outer


def _known_types(proto: GraphProto) -> dict[str, Signature]:
    """What is said of each tensor: the first element type, shape and kind among input, value_info and output."""
    known: dict[str, Signature] = {}
    for infos in (proto.input, proto.value_info, proto.output):
        for info in infos:
            new = signature_of(info.type)
            old = known.get(info.name)
            if old is None:
                known[info.name] = new
            elif old[2] == new[2] and (not old[0] or old[1] is None):
                known[info.name] = (old[0] or new[0], new[1] if old[1] is None else old[1], old[2])
    return known


def _open_node(proto: NodeProto, context: _Context) -> traced.Node:
    find = context.find
    attrs = read_attributes(proto.attribute, _tensor_maker(context), _graph_reader(context)) if proto.attribute else {}
    domain = proto.domain if proto.HasField("domain") else None
    context.scope.domains.add(domain or "")
    node = traced.Node(
        proto.op_type,
        proto.name,
        attrs,
        [find(name) if name else gs.Variable.empty() for name in proto.input],
        [context.names[name] if name else gs.Variable.empty() for name in proto.output],
        domain,
    )
    node.origin = proto
    return node


def _tensor_maker(context: _Context) -> Any:
    scope = context.scope

    def make(tensor: TensorProto) -> Any:
        location = int(tensor.data_location) if tensor.HasField("data_location") else None
        made = traced.constant(tensor.name, scope, LazyTensor(tensor, scope.folder), location)
        made.origin = ""  # no initializer of the graph, even where a pass makes it one
        return made

    return make


def _graph_reader(context: _Context) -> Any:
    def read(graph: GraphProto) -> Any:
        return _open_graph(graph, Scope(graph, context.scope.folder, context.scope.opset), context.imports, context)

    return read


def _copies(imports: Iterable[OperatorSetIdProto]) -> list[OperatorSetIdProto]:
    return [OperatorSetIdProto.FromString(item.SerializeToString()) for item in imports]


def _opset(imports: Iterable[OperatorSetIdProto]) -> int:
    return next((item.version for item in imports if standard_domain(item.domain)), 0)
