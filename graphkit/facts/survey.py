"""Every node of a model, with what is known of it: the main graph, subgraphs, and functions where they are called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import onnx
from onnx import AttributeProto, FunctionProto, ModelProto, NodeProto

from graphkit.facts import schemas
from graphkit.facts.functions import fill_in, function_body, has_body, parameters
from graphkit.facts.inference import learn
from graphkit.facts.kinds import type_string
from graphkit.facts.labels import label, text
from graphkit.facts.learning import learn_graph, learn_inputs, learn_model, learn_outputs
from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.facts.scope import Reader, Scope
from graphkit.facts.settling import settle
from graphkit.model import standard_domain, subgraphs

_DEEPEST = 16
"""Functions that call each other in a circle end somewhere."""

Key = tuple[str, str, str]


def survey(model: ModelProto, read: Reader) -> list[NodeFacts]:
    """What is known of each node, in the model's order; a call's function body stands in the call's place.

    Never fails: of a broken model little is known.

    Args:
        model: The model; not changed.
        read: Gives the values of one of the model's tensors, wherever they lie.
    """
    root = learn_model(model, read)
    opsets = _opsets(model.opset_import)
    functions = {(item.domain, item.name, item.overload): item for item in model.functions}
    return list(_Surveyor(functions, read).nodes(model.graph.node, root, opsets, "", 0))


def survey_body(node: NodeFacts) -> list[NodeFacts]:
    """The nodes of the function body that onnx.defs has for a node, as much known of them as of it; [] without one.

    A plain body is of the opset that it was written for; one that is built for the node is of the node's own.
    """
    if not node.expandable:
        return []
    kinds = [None if item is None else item.kind for item in node.inputs]
    body = function_body(node.proto, node.since, kinds, node.opset)
    if body is None:
        return []
    schema: Any = schemas.schema(node.op, node.since)
    if not schema.has_function:
        for item in body.opset_import:
            item.version = node.opset if standard_domain(item.domain) else item.version
    outer = Scope(None, onnx.numpy_helper.to_array)
    for item, kind in zip(node.inputs, kinds, strict=True):
        if item is None or kind is None:
            continue
        outer.types[item.name] = kind
        if item.value is not None:
            outer.constants[item.name] = onnx.numpy_helper.from_array(item.value, item.name)
    values = parameters(node.proto, node.since, body)
    return list(_Surveyor({}, outer.read).called(body, node.proto, outer, values, node.place, 0))


class _Surveyor:
    """Walks a model."""

    def __init__(self, functions: Mapping[Key, FunctionProto], read: Reader) -> None:
        self._functions = functions
        self._read = read

    def nodes(self, nodes: Any, scope: Scope, opsets: dict[str, int], place: str, depth: int) -> Iterator[NodeFacts]:
        for index, node in enumerate(nodes):
            domain = "" if standard_domain(node.domain) else text(node.domain)
            function = self._functions.get((node.domain, node.op_type, node.overload))
            learn(node, opsets.get(domain, 1), scope)
            settle(node, scope)
            if function is not None and depth < _DEEPEST:
                values = {item.name: item for item in (*function.attribute_proto, *node.attribute)}
                yield from self.called(function, node, scope, values, place, depth)
                continue
            inside = self._inside(index, node, scope, opsets, place, depth)
            facts = _facts(node, domain, opsets.get(domain, 1), scope, place)
            scope.surveyed |= dict.fromkeys(node.output, facts)
            yield facts
            yield from inside

    def _inside(
        self, index: int, node: NodeProto, scope: Scope, opsets: dict[str, int], place: str, depth: int
    ) -> list[NodeFacts]:
        """The nodes of a node's subgraphs; what they return says what the node does, where nothing else did."""
        found: list[NodeFacts] = []
        for attribute in node.attribute:
            for number, graph in enumerate(subgraphs(attribute)):
                inner = scope.inner.get((index, attribute.name, number))
                if inner is None:
                    inner = Scope(scope, self._read)
                    learn_graph(inner, graph)
                    learn_inputs(inner, graph, node, scope)
                where = f"{text(attribute.name)} of {label(node)}"
                found += self.nodes(graph.node, inner, opsets, f"{where}, {place}" if place else where, depth + 1)
                learn_outputs(inner, graph, node, scope)
        return found

    def called(
        self,
        function: FunctionProto,
        call: NodeProto,
        outer: Scope,
        values: Mapping[str, AttributeProto],
        place: str,
        depth: int,
    ) -> Iterator[NodeFacts]:
        """The nodes of a function, with the types that this call gives it."""
        scope = Scope(None, self._read)
        for name, given in zip(function.input, call.input, strict=False):
            kind = outer.type(given) if given else None
            scope.types[name] = kind if kind is not None else onnx.TypeProto()
            value = outer.value(given) if given else None
            if value is not None:
                scope.constants[name] = onnx.numpy_helper.from_array(value, name)
            elif given and outer.is_settled(given):
                scope.settled.add(name)
            if given and not outer.is_sized(given):
                scope.unsized.add(name)
        for info in function.value_info:
            scope.types.setdefault(info.name, info.type)
        nodes = []
        for inner in function.node:
            node = NodeProto()
            node.CopyFrom(inner)
            fill_in(node, values)
            nodes.append(node)
        where = f"function {text(function.name)}, called by {label(call)}"
        yield from self.nodes(
            nodes, scope, _opsets(function.opset_import), f"{where}, {place}" if place else where, depth + 1
        )
        for name, wanted in zip(function.output, call.output, strict=False):
            made = scope.type(name)
            if wanted and made is not None and outer.type_string(wanted) is None:
                outer.types[wanted] = made


def _opsets(imports: Any) -> dict[str, int]:
    return {"" if standard_domain(item.domain) else item.domain: int(item.version) for item in imports}


def _facts(node: NodeProto, domain: str, opset: int, scope: Scope, place: str) -> NodeFacts:
    op = text(node.op_type)
    since = 0 if domain else (schemas.since(op, opset) or 0)
    inputs = tuple(_tensor(name, scope) for name in node.input)
    outputs = tuple(_tensor(name, scope) for name in node.output)
    schema = schemas.schema(op, since) if since else None
    return NodeFacts(
        label=label(node),
        op=op,
        domain=domain,
        since=since,
        opset=opset,
        inputs=inputs,
        outputs=outputs,
        attributes=_attributes(node, since),
        types={} if schema is None else _bound(schema, inputs, outputs),
        place=place,
        expandable=bool(since) and has_body(op, since),
        proto=node,
    )


def _tensor(name: str, scope: Scope) -> TensorFacts | None:
    if not name:
        return None
    kind = scope.type(name) or onnx.TypeProto()
    spelt = type_string(kind)
    if spelt is not None and spelt.startswith("tensor("):
        spelt = spelt.removeprefix("tensor(").removesuffix(")")
    constant = scope.is_constant(name)
    value = scope.value(name)
    folded = constant or value is not None
    maker, settled = scope.maker_facts(name), folded or scope.is_settled(name)
    return TensorFacts(text(name), spelt, scope.shape(name), constant, folded, value, kind, maker, settled)


def _attributes(node: NodeProto, since: int) -> dict[str, Any]:
    values = _defaults(node.op_type, since) if since else {}
    return values | {text(item.name): _plain(item) for item in node.attribute if not item.ref_attr_name}


@cache
def _defaults(op: str, since: int) -> dict[str, Any]:
    """The defaults of an operator's attributes; not to be changed."""
    return {
        name: _plain(attribute.default_value)
        for name, attribute in schemas.schema(op, since).attributes.items()
        if attribute.default_value.name
    }


def _plain(item: AttributeProto) -> Any:
    """An attribute's value: strings as str, lists as lists, everything else as onnx gives it."""
    try:
        value = onnx.helper.get_attribute_value(item)
    except ValueError:  # an attribute of no known type
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if item.type == AttributeProto.STRINGS:
        return [part.decode("utf-8", "replace") for part in value]
    return list(value) if item.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def _bound(
    schema: onnx.defs.OpSchema, inputs: tuple[TensorFacts | None, ...], outputs: tuple[TensorFacts | None, ...]
) -> dict[str, str]:
    """The type of each type variable; of a variadic parameter of mixed types, that of the first value."""
    bound: dict[str, str] = {}
    for formal, actual in ((schema.inputs, inputs), (schema.outputs, outputs)):
        for index, tensor in enumerate(actual):
            if tensor is None or tensor.type is None or not formal:
                continue
            parameter = formal[min(index, len(formal) - 1)]
            bound.setdefault(parameter.type_str, tensor.type)
    return bound
