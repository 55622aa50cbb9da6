"""Operators written out with older ones, by the function body that onnx.defs has for them."""

from __future__ import annotations

from collections.abc import Callable

from onnx import AttributeProto, FunctionProto, GraphProto, NodeProto, TypeProto

from graphkit.model import standard_domain
from graphkit.passes.opset import schemas
from graphkit.passes.opset.registry import why_impossible
from graphkit.passes.opset.site import Site


def expand(site: Site) -> None:
    """Put the nodes of the operator's function body in the node's place.

    Raises:
        Blocked: The operator has no body, or none for this node.
    """
    body = _body(site)
    if body is None:
        reason = why_impossible(site.op) or "graphkit knows no way to say it with older ones"
        site.block(f"the operator is new in opset {site.old}, and {reason}")
    opset = next((item.version for item in body.opset_import if standard_domain(item.domain)), site.old)
    names = {"": ""}
    names |= {name: site.input(index) for index, name in enumerate(body.input)}
    names |= {name: site.outputs[index] for index, name in enumerate(body.output) if site.wants(index)}

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = site.fresh(name)
        return names[name]

    values = _values(site, body)
    for inner in body.node:
        node = NodeProto()
        node.CopyFrom(inner)
        _resolve(node, values)
        _rename(node, renamed)
        node.name = site.home.node_name(site.node.name, node.op_type) if site.node.name else ""
        site.add(node, opset)


def _body(site: Site) -> FunctionProto | None:
    """The body for this node, in the oldest operators there is one for."""
    schema = schemas.schema(site.op, site.old)
    if schema.has_function:
        text = schema.get_function_with_opset_version(min(schema.function_opset_versions))
    elif schema.has_context_dependent_function:
        kinds = [site.scope.type(name) or TypeProto() if name else TypeProto() for name in site.inputs]
        text = schema.get_context_dependent_function_with_opset_version(
            min(schema.context_dependent_function_opset_versions),
            site.node.SerializeToString(),
            [kind.SerializeToString() for kind in kinds],
        )
    else:
        return None
    if not text:
        return None
    body = FunctionProto()
    body.ParseFromString(text)
    return body if body.node else None


def _values(site: Site, body: FunctionProto) -> dict[str, AttributeProto]:
    """What the body's parameters are: as the node says, else as the operator's definition does."""
    values = {item.name: item for item in body.attribute_proto}
    for name, attribute in schemas.schema(site.op, site.old).attributes.items():
        if attribute.default_value.name:
            values.setdefault(name, attribute.default_value)
    return values | {item.name: item for item in site.node.attribute}


def _resolve(node: NodeProto, values: dict[str, AttributeProto]) -> None:
    attributes = []
    for item in node.attribute:
        if item.ref_attr_name:
            if item.ref_attr_name not in values:
                continue
            given = AttributeProto()
            given.CopyFrom(values[item.ref_attr_name])
            given.name = item.name
            attributes.append(given)
            continue
        if item.HasField("g"):
            for inner in item.g.node:
                _resolve(inner, values)
        attributes.append(item)
    made = NodeProto()
    made.attribute.extend(attributes)
    del node.attribute[:]
    node.attribute.extend(made.attribute)


def _rename(node: NodeProto, renamed: Callable[[str], str]) -> None:
    """Give every tensor of a node, and of its subgraphs, the name that `renamed` says."""
    for names in (node.input, node.output):
        new = [renamed(name) for name in names]
        del names[:]
        names.extend(new)
    for attribute in node.attribute:
        if attribute.HasField("g"):
            _rename_graph(attribute.g, renamed)


def _rename_graph(graph: GraphProto, renamed: Callable[[str], str]) -> None:
    for info in (*graph.input, *graph.output, *graph.value_info):
        info.name = renamed(info.name)
    for tensor in graph.initializer:
        tensor.name = renamed(tensor.name)
    for node in graph.node:
        _rename(node, renamed)
