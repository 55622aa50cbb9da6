"""Operators written out with older ones, by the function body that onnx.defs has for them."""

from __future__ import annotations

from collections.abc import Callable

import onnx
from onnx import FunctionProto, GraphProto, NodeProto, TensorProto

from graphkit.facts.functions import fill_in, function_body, has_body, parameters
from graphkit.facts.inference import learn
from graphkit.model import reads, standard_domain
from graphkit.passes.opset.registry import why_impossible
from graphkit.passes.opset.site import Site

_POINTWISE = frozenset({"Celu", "Gelu", "HardSwish", "Mish", "SwiGLU", "Swish", "ThresholdedRelu"}) | frozenset(
    {"Elu", "HardSigmoid", "LeakyRelu", "PRelu", "Selu", "Softplus", "Softsign"}
)
"""Functions of each element by itself."""


def expand(site: Site) -> None:
    """Put the nodes of the operator's function body in the node's place.

    Raises:
        Blocked: The operator has no body, or none for this node.
    """
    if site.op in _POINTWISE and _through_float(site):
        return
    body = _body(site)
    if body is None:
        reason = why_impossible(site.op) or "graphkit knows no way to say it with older ones"
        site.block(f"the operator is new in opset {site.old}, and {reason}")
    # A rule that gave up may have begun to write.
    site.made.clear()
    opset = next((item.version for item in body.opset_import if standard_domain(item.domain)), site.old)
    names = {"": ""}
    names |= {name: site.input(index) for index, name in enumerate(body.input)}
    names |= {name: site.outputs[index] for index, name in enumerate(body.output) if site.wants(index)}

    def renamed(name: str) -> str:
        if name not in names:
            names[name] = site.fresh(name)
        return names[name]

    values = parameters(site.node, site.old, body)
    parts: list[NodeProto] = []
    constants: dict[str, TensorProto] = {}
    for inner in body.node:
        node = NodeProto()
        node.CopyFrom(inner)
        fill_in(node, values)
        _rename(node, renamed)
        learn(node, opset, site.scope)
        constant = _constant(site, node)
        if constant is None:
            parts.append(node)
        else:
            constants[node.output[0]] = constant

    def known(name: str) -> str:
        return site.tensor(constants[name]) if name in constants else name

    for node in _needed(parts, set(site.outputs)):
        _rename(node, known)
        node.name = site.home.node_name(site.node.name, node.op_type) if site.node.name else ""
        site.add(node, opset)


def _constant(site: Site, node: NodeProto) -> TensorProto | None:
    """What a node makes, where that is the same in every run and no output of the operator."""
    if len(node.output) != 1 or node.output[0] in site.outputs:
        return None
    value = site.value(node.output[0])
    return None if value is None else onnx.numpy_helper.from_array(value)


def _needed(nodes: list[NodeProto], wanted: set[str]) -> list[NodeProto]:
    """Those that something wanted depends on: a body makes the outputs that a node leaves out, too."""
    kept = []
    for node in reversed(nodes):
        if any(name and name in wanted for name in node.output):
            wanted |= reads(node)
            kept.append(node)
    return kept[::-1]


def _through_float(site: Site) -> bool:
    """Compute a function of floats of 16 bits in 32 bits, and round once, as runtimes do; False where it has none such.

    Written out, it would be rounded after each of its parts.
    """
    element = site.element(site.input(0)) or site.element(site.outputs[0])
    if element not in (TensorProto.FLOAT16, TensorProto.BFLOAT16):
        return False
    site.made.clear()
    node = NodeProto()
    node.CopyFrom(site.node)
    wide = site.fresh(site.op.lower())
    del node.input[:], node.output[:]
    node.input.extend(site.cast(name, TensorProto.FLOAT) if name else "" for name in site.inputs)
    node.output.append(wide)
    site.add(node, site.old)
    site.cast(wide, element, site.outputs[0])
    return True


def _body(site: Site) -> FunctionProto | None:
    """The body for this node; None where the operator has none.

    Raises:
        Blocked: There is one, but it cannot be told for this node.
    """
    if not has_body(site.op, site.old):
        return None
    for item in site.node.attribute:
        site.attr(item.name)
    for name in site.inputs:
        if name and site.type_string(name) is None:
            site.block(f'the type of "{name}" is not known', "simplify or a declared value_info tells types")
    body = function_body(site.node, site.old, [site.scope.type(name) if name else None for name in site.inputs])
    if body is None:
        site.block(
            "how it is written out with older operators depends on types and sizes that are not known",
            "simplify, or static shapes, tells them",
        )
    return body


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
