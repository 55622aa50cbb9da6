"""gs.Graph to ModelProto: what no edit touched is written as the proto it was read from.

The protos that the graph was read from serve as templates. A node, tensor or declaration that still says what its
template says is copied from it, encoding, docs, metadata and unknown fields included; what changed is built anew and
keeps the docs and metadata. Nothing that gs cannot show is dropped. Linear in the nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import onnx
import onnx_graphsurgeon as gs
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto

from graphkit.errors import ModelError
from graphkit.model import declarations, tensors
from graphkit.model.attributes import write_attributes
from graphkit.model.protos import copy_fields, standard_domain
from graphkit.model.traced import Scope, home_of, scope_of

_REWRITTEN = ("node", "initializer", "sparse_initializer", "input", "output", "value_info", "quantization_annotation")


def export_model(graph: Any, template: ModelProto) -> ModelProto:
    """Write `graph`, opened from `template`, as a new proto; `template` is not changed and shares nothing with it.

    Raises:
        ModelError: The graph holds something that ONNX cannot say, or two different constants of one name.
    """
    model = ModelProto()
    copy_fields(template, model, ("graph", "functions", "opset_import"))
    if graph.ir_version is not None and graph.ir_version != template.ir_version:
        model.ir_version = graph.ir_version
    for name in ("producer_name", "producer_version"):
        if getattr(graph, name) != getattr(template, name):
            setattr(model, name, getattr(graph, name))
    if template.HasField("graph") or graph.nodes or graph.outputs:
        model.graph.SetInParent()
    writer = _Writer(graph, model.ir_version)
    writer.graph(graph, model.graph, _Around())
    model.opset_import.extend(opset_imports(graph))
    for function in graph.functions:
        _Writer(function, model.ir_version).function(function, model.functions.add())
    return model


def opset_imports(graph: Any) -> list[OperatorSetIdProto]:
    """The operator sets of a graph or function: as it imports them, graph.opset where a pass set it, new domains."""
    scope = scope_of(graph)
    imports = [OperatorSetIdProto(**_set_fields(item)) for item in graph.import_domains or ()]
    standard = next((item for item in imports if standard_domain(item.domain)), None)
    if standard is not None:
        # Where a node spells ONNX's own domain the long way, gs adds that as another one, of another version.
        version = standard.version
        imports = [item for item in imports if not standard_domain(item.domain) or item.version == version]
    before: set[str] = set() if scope is None else scope.domains
    new = {node.domain or "" for part in _parts(graph) for node in part.nodes} - before
    if standard is not None:
        if scope is None or graph.opset != scope.opset:
            for item in imports:
                if standard_domain(item.domain):
                    item.version = graph.opset
    elif (
        graph.import_domains is None
        or any(standard_domain(domain) for domain in new)
        or (scope is not None and scope.opset != graph.opset)
    ):
        imports.append(OperatorSetIdProto(domain="", version=graph.opset))
    present = {item.domain for item in imports}
    imports += [
        OperatorSetIdProto(domain=domain, version=_version_of(domain))
        for domain in sorted(new)
        if domain not in present and not standard_domain(domain)
    ]
    return imports


@dataclass
class _Around:
    """What a subgraph sees around it: the scopes it lies in, and the constants that they write."""

    scopes: frozenset[Scope] = frozenset()
    constants: frozenset[int] = frozenset()


@dataclass
class _Uses:
    """The tensors that a graph's own nodes, inputs and outputs hold, and those that its subgraphs hold, by id."""

    own: dict[int, Any] = field(default_factory=dict)
    nested: dict[int, Any] = field(default_factory=dict)


class _Writer:
    """Writes one graph, or one function, with everything in it."""

    def __init__(self, root: Any, ir_version: int) -> None:
        self._opset: int = root.opset
        self._imports = {item.domain: item.version for item in root.import_domains or ()}
        self._ir_version = ir_version
        self._uses: dict[int, _Uses] = {}
        self._collect(root)

    def graph(self, graph: Any, target: GraphProto, around: _Around) -> None:
        """Fill `target`, an empty GraphProto."""
        scope = scope_of(graph) or Scope(GraphProto())
        base = scope.proto
        assert isinstance(base, GraphProto)
        copy_fields(base, target, _REWRITTEN)
        for name in ("name", "doc_string"):
            if getattr(graph, name) != getattr(base, name):
                setattr(target, name, getattr(graph, name) or "")
        live = self._live(graph, scope, around)
        constants = self._constants(graph, scope, around)
        inside = _Around(around.scopes | {scope}, around.constants | {id(constant) for constant in constants})
        for node in graph.nodes:
            self._node(node, target.node.add(), scope, inside)
        written = _write_constants(target, scope, live, constants)
        declarations.write_inputs(target, graph, scope, live, written, self._ir_version)
        declarations.write_outputs(target, graph, scope)
        declarations.write_value_info(target.value_info, graph, scope, live)
        declarations.write_annotations(target, base, scope, live)

    def function(self, function: Any, target: FunctionProto) -> None:
        """Fill `target`, an empty FunctionProto. A function has no initializers: constants become Constant nodes."""
        scope = scope_of(function) or Scope(FunctionProto())
        base = scope.proto
        assert isinstance(base, FunctionProto)
        skip = ("node", "input", "output", "attribute", "attribute_proto", "value_info", "opset_import")
        copy_fields(base, target, skip)
        for name in ("name", "domain", "doc_string"):
            if (getattr(function, name) or "") != getattr(base, name):
                setattr(target, name, getattr(function, name) or "")
        target.input.extend(tensor.name for tensor in function.inputs)
        target.output.extend(tensor.name for tensor in function.outputs)
        target.attribute.extend(name for name, default in function.attrs.items() if default is None)
        around = _Around()
        live = self._live(function, scope, around)
        constants = self._constants(function, scope, around)
        for constant in _once(constants).values():
            node = target.node.add(op_type="Constant", output=[constant.name])
            value = node.attribute.add(name="value", type=onnx.AttributeProto.TENSOR)
            value.t.CopyFrom(tensors.write_tensor(constant, None))
        inside = _Around(frozenset({scope}), frozenset(map(id, constants)))
        defaults = {name: default for name, default in function.attrs.items() if default is not None}
        written = write_attributes(defaults, base.attribute_proto, self._subgraph(inside), lambda _: 0)
        target.attribute_proto.extend(base.attribute_proto if written is None else written)
        for node in function.nodes:
            self._node(node, target.node.add(), scope, inside)
        declarations.write_value_info(target.value_info, function, scope, live)
        target.opset_import.extend(opset_imports(function))

    def _node(self, node: Any, target: NodeProto, scope: Scope, inside: _Around) -> None:
        base = _template(node, scope)
        same_operator = base is not None and node.op == base.op_type and (node.domain or "") == base.domain
        inputs = [tensor.name for tensor in node.inputs]
        outputs = [tensor.name for tensor in node.outputs]
        if base is None:
            base = NodeProto()
        attributes = None
        if node.attrs or base.attribute:
            attributes = write_attributes(
                node.attrs, base.attribute, self._subgraph(inside), lambda name: self._attribute_kind(node, name)
            )
        if attributes is None:
            target.CopyFrom(base)
        else:
            copy_fields(base, target, ("attribute",))
            target.attribute.extend(attributes)
        if base.input != inputs:
            del target.input[:]
            target.input.extend(inputs)
        if base.output != outputs:
            del target.output[:]
            target.output.extend(outputs)
        if node.name != base.name:
            target.name = node.name or ""
        if not same_operator:
            target.op_type = node.op
            if node.domain is not None or base.HasField("domain"):
                target.domain = node.domain or ""
            target.ClearField("overload")
            target.ClearField("device_configurations")

    def _subgraph(self, inside: _Around) -> Any:
        return lambda graph, target: self.graph(graph, target, inside)

    def _attribute_kind(self, node: Any, name: str) -> int:
        """The type that the operator's schema gives to an attribute, 0 where there is no schema."""
        domain = "" if standard_domain(node.domain or "") else node.domain
        version = self._opset if not domain else self._imports.get(domain, 1)
        try:
            attribute = onnx.defs.get_schema(node.op, version, domain).attributes.get(name)
        except onnx.defs.SchemaError:
            return 0
        return 0 if attribute is None else int(cast("Any", attribute.type).value)

    def _collect(self, graph: Any) -> _Uses:
        """Find what a graph and its subgraphs hold; once for each, so that nesting costs its depth and no more."""
        uses = self._uses[id(graph)] = _Uses()
        own, nested = uses.own, uses.nested
        for tensor in graph.inputs:
            own[id(tensor)] = tensor
        for node in graph.nodes:
            for tensor in node.inputs:
                own[id(tensor)] = tensor
            for tensor in node.outputs:
                own[id(tensor)] = tensor
            for value in node.attrs.values():
                if isinstance(value, gs.Graph) and id(value) not in self._uses:
                    inner = self._collect(value)
                    nested |= inner.own
                    nested |= inner.nested
        for tensor in graph.outputs:
            own[id(tensor)] = tensor
        return uses

    def _live(self, graph: Any, scope: Scope, around: _Around) -> dict[str, Any]:
        """The tensors that stand for a name of the file, by that name; a copy under another name gives way."""
        uses = self._uses[id(graph)]
        live: dict[str, Any] = {}
        renamed: list[tuple[str, Any]] = []
        for tensor in _both(uses, scope):
            home, origin = home_of(tensor)
            if not tensor.name:
                continue
            if origin != tensor.name and (home is scope or home in around.scopes):
                renamed.append((origin, tensor))
            else:
                live.setdefault(tensor.name, tensor)
        for origin, tensor in renamed:
            live.setdefault(origin, tensor)
        return live

    def _constants(self, graph: Any, scope: Scope, around: _Around) -> list[Any]:
        """The constants that this graph has to write: its own, and those its subgraphs read of it."""
        return [
            tensor
            for tensor in _both(self._uses[id(graph)], scope)
            if isinstance(tensor, gs.Constant) and tensor.name and id(tensor) not in around.constants
        ]


def _both(uses: _Uses, scope: Scope) -> Iterator[Any]:
    """What a graph holds itself, then what only its subgraphs hold though it was read as this graph's."""
    yield from uses.own.values()
    for key, tensor in uses.nested.items():
        if key not in uses.own and home_of(tensor)[0] is scope:
            yield tensor


def _write_constants(target: GraphProto, scope: Scope, live: dict[str, Any], constants: list[Any]) -> set[str]:
    """Write initializers: in the file's order, unused ones included, new ones behind. Returns their names."""
    waiting = _once(constants)
    base = scope.proto
    assert isinstance(base, GraphProto)
    for template in (*base.initializer, *base.sparse_initializer):
        name = template.name if isinstance(template, onnx.TensorProto) else template.values.name
        constant = live.get(name)
        if isinstance(constant, gs.Constant):
            if waiting.pop(constant.name, None) is not None:
                _add_constant(target, tensors.write_tensor(constant, template))
        elif name not in scope.attached:
            _add_constant(target, template)
    for constant in waiting.values():
        home, origin = home_of(constant)
        template_of = None if home is None else home.initializers.get(origin)
        _add_constant(target, tensors.write_tensor(constant, template_of))
    dense = {tensor.name for tensor in target.initializer}
    return dense | {tensor.values.name for tensor in target.sparse_initializer}


def _add_constant(target: GraphProto, proto: onnx.TensorProto | onnx.SparseTensorProto) -> None:
    if isinstance(proto, onnx.SparseTensorProto):
        target.sparse_initializer.add().CopyFrom(proto)
    else:
        target.initializer.add().CopyFrom(proto)


def _once(constants: list[Any]) -> dict[str, Any]:
    """Constants by name.

    Raises:
        ModelError: Two that differ have one name.
    """
    result: dict[str, Any] = {}
    for constant in constants:
        other = result.setdefault(constant.name, constant)
        if other is not constant and not _same_constant(other, constant):
            raise ModelError(f'two different constants are called "{constant.name}"; give one of them another name')
    return result


def _same_constant(one: Any, two: Any) -> bool:
    if tensors.values_of(one) is tensors.values_of(two):
        return True
    return tensors.identical(one.values, two.values)


def _template(node: Any, scope: Scope) -> NodeProto | None:
    """What a node was read from. A new node takes the place of the one that wrote its first output, same operator."""
    origin: NodeProto | None = node.__dict__.get("origin")
    if origin is not None:
        return origin
    first = next((tensor.name for tensor in node.outputs if tensor.name), None)
    old = None if first is None else scope.writers.get(first)
    if old is not None and old.op_type == node.op and old.domain == (node.domain or ""):
        return old
    return None


def _parts(graph: Any) -> Iterator[Any]:
    yield graph
    yield from graph.subgraphs(recursive=True)


def _set_fields(item: OperatorSetIdProto) -> dict[str, Any]:
    return {descriptor.name: value for descriptor, value in item.ListFields()}


def _version_of(domain: str) -> int:
    """The newest known version of a domain; 1 for a custom one."""
    return max((schema.since_version for schema in onnx.defs.get_all_schemas() if schema.domain == domain), default=1)
