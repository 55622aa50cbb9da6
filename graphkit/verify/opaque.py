"""Nodes that cannot be run here, and models in which made-up values stand in for what they return.

Whatever such a node computes, as long as it depends on nothing but its inputs: where two models give it the same, and
make the same of the same values put in the place of its results, they are the same models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import onnx
from onnx import FunctionProto, GraphProto, ModelProto, NodeProto, TypeProto

from graphkit.errors import NotProven
from graphkit.facts import schemas
from graphkit.model import Model, reads, standard_domain, subgraphs, without_weights

Operator = tuple[str, str]
"""Domain and type."""


@dataclass(frozen=True)
class Opaque:
    """A node of the main graph that is an operator which cannot be run, or has one in its body or its function.

    Attributes:
        label: How it is told; each another.
        operator: The operator that cannot be run.
        name: Of the node, or of what it makes first.
        signature: All that decides what it computes but for its inputs: operator, attributes, bodies, functions.
        inputs: Every tensor that it reads, those that its bodies read among them.
        outputs: What it makes; "" where an optional one is left out.
        types: Of the outputs, where they are known.
    """

    label: str
    operator: Operator
    name: str
    signature: bytes
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    types: tuple[TypeProto | None, ...]

    def given(self, index: int) -> str:
        """The output of a stand-in that hands out what the node reads."""
        return f"input {index} of {self.label}"

    def made(self, index: int) -> str:
        """The input of a stand-in that is put in the place of what the node makes."""
        return f"output {index} of {self.label}"


def told(operator: Operator) -> str:
    """An operator as "my::Op"."""
    domain, op = operator
    return f"{domain}::{op}" if domain else op


def opaque_nodes(model: ModelProto, operators: Collection[Operator]) -> list[Opaque]:
    """The nodes of the main graph that are, or hold, one of `operators`, in the order of the graph."""
    functions = {(item.domain, item.name): item for item in model.functions}
    types = _types(model)
    imports = {item.domain: item.version for item in model.opset_import}
    found = []
    seen: Counter[str] = Counter()
    for node in model.graph.node:
        operator = next(_within(node, frozenset(operators), functions, ()), None)
        if operator is None:
            continue
        name = node.name or next((item for item in node.output if item), "")
        label = f"{told((node.domain, node.op_type))} ({name})"
        seen[label] += 1
        captured = sorted(reads(node).difference(node.input))
        found.append(
            Opaque(
                label=label if seen[label] == 1 else f"{label} {seen[label]}",
                operator=operator,
                name=name,
                signature=_signature(node, functions, imports),
                inputs=(*(item for item in node.input if item), *captured),
                outputs=tuple(node.output),
                types=tuple(types.get(item) for item in node.output),
            )
        )
    return found


def match(before: Sequence[Opaque], after: Sequence[Opaque], fixed: Mapping[str, int]) -> list[Opaque]:
    """The nodes `after`, each under the label of the one `before` that it is; with its shapes where it declares none.

    They belong together by what they compute and by the names of what they make, else by their order. A wrong match
    shows as a difference and never hides one: each node must be given what the one it is matched with is given.

    Args:
        before: Of the model before.
        after: Of the rewritten model.
        fixed: Dimensions that had a name before and have a size now.

    Raises:
        NotProven: One was not there before.
    """
    left = list(before)
    partners: dict[int, Opaque] = {}
    for same in (_same_outputs, _same_name, _same_work):
        for index, node in enumerate(after):
            if index not in partners:
                partner = next((item for item in left if same(item, node)), None)
                if partner is not None:
                    left.remove(partner)
                    partners[index] = partner
    for index, node in enumerate(after):
        if index not in partners:
            raise NotProven(
                f"{node.label} was not there before, or it, its attributes or its body were changed, so there is "
                "nothing to hold it against"
            )
    matched = []
    for index, node in enumerate(after):
        partner = partners[index]
        types = tuple(
            own if _is_shaped(own) else _sized(old, fixed) for own, old in zip(node.types, partner.types, strict=True)
        )
        for own, old in zip(node.types, partner.types, strict=True):
            if own is not None and old is not None and own.tensor_type.elem_type != old.tensor_type.elem_type:
                raise NotProven(f"{node.label} is said to return another element type than before")
        matched.append(replace(node, label=partner.label, types=types))
    order = {item.label: place for place, item in enumerate(before)}
    return sorted(matched, key=lambda item: order[item.label])


def stand_in(model: Model, nodes: Sequence[Opaque]) -> Model:
    """A copy without these nodes: what they make are inputs of it, and what they read are outputs, behind the others.

    Raises:
        NotProven: Nothing says of which type and shape something is that such a node makes and others read.
    """
    proto = ModelProto()
    proto.CopyFrom(model.proto())
    graph = proto.graph
    gone = {item.outputs for item in nodes}
    rest = [node for node in graph.node if tuple(node.output) not in gone]
    wanted = {info.name for info in graph.output}.union(*(reads(node) for node in rest), *(i.inputs for i in nodes))
    front, back = list[NodeProto](), list[NodeProto]()
    for item in nodes:
        for index, (name, kind) in enumerate(zip(item.outputs, item.types, strict=True)):
            if name and name in wanted:
                graph.input.append(onnx.ValueInfoProto(name=item.made(index), type=_usable(name, kind)))
                front.append(onnx.helper.make_node("Identity", [item.made(index)], [name]))
        for index, name in enumerate(item.inputs):
            # onnxruntime infers the type of an output that declares none.
            graph.output.add(name=item.given(index))
            back.append(onnx.helper.make_node("Identity", [name], [item.given(index)]))
    del graph.node[:]
    graph.node.extend([*front, *rest, *back])
    return Model(proto, model.source)


def _same_outputs(one: Opaque, other: Opaque) -> bool:
    return _same_work(one, other) and one.outputs == other.outputs


def _same_name(one: Opaque, other: Opaque) -> bool:
    return _same_work(one, other) and one.name == other.name


def _same_work(one: Opaque, other: Opaque) -> bool:
    return (
        one.signature == other.signature
        and len(one.inputs) == len(other.inputs)
        and list(map(bool, one.outputs)) == list(map(bool, other.outputs))
    )


def _usable(name: str, kind: TypeProto | None) -> TypeProto:
    if kind is None or not _is_shaped(kind):
        raise NotProven(f'nothing says of which type and shape "{name}" is, which it returns')
    return kind


def _is_shaped(kind: TypeProto | None) -> bool:
    return kind is not None and kind.HasField("tensor_type") and kind.tensor_type.HasField("shape")


def _sized(kind: TypeProto | None, fixed: Mapping[str, int]) -> TypeProto | None:
    if kind is None or not fixed:
        return kind
    sized = TypeProto()
    sized.CopyFrom(kind)
    for dim in sized.tensor_type.shape.dim:
        if dim.dim_param in fixed:
            dim.dim_value = fixed[dim.dim_param]
    return sized


def _within(
    node: NodeProto,
    operators: frozenset[Operator],
    functions: dict[Operator, FunctionProto],
    inside: tuple[Operator, ...],
) -> Iterator[Operator]:
    """Those of `operators` that a node is, or that are in its bodies or in the function that it calls."""
    own = (node.domain, node.op_type)
    function = functions.get(own)
    if own in operators and function is None:
        yield own
    bodies: list[GraphProto | FunctionProto] = [body for item in node.attribute for body in subgraphs(item)]
    if function is not None and own not in inside:
        bodies.append(function)
        inside = (*inside, own)
    for body in bodies:
        for inner in body.node:
            yield from _within(inner, operators, functions, inside)


def _signature(node: NodeProto, functions: dict[Operator, FunctionProto], imports: Mapping[str, int]) -> bytes:
    bare = NodeProto()
    bare.CopyFrom(node)
    bare.ClearField("output")
    # Which optional inputs are there decides, and not what they are called.
    bare.input[:] = ["given" if item else "" for item in node.input]
    versions = list[int]()
    called: dict[Operator, FunctionProto] = {}
    _collect(node, functions, imports, called, versions)
    parts = [_plain(bare), *(_plain(called[key]) for key in sorted(called)), repr(versions).encode()]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _collect(
    node: NodeProto,
    functions: dict[Operator, FunctionProto],
    imports: Mapping[str, int],
    called: dict[Operator, FunctionProto],
    versions: list[int],
) -> None:
    """The functions that a node calls, and the versions of every operator in it: they decide what one computes."""
    own = functions.get((node.domain, node.op_type))
    version = imports.get(node.domain, 0)
    versions.append((schemas.since(node.op_type, version) or 0) if standard_domain(node.domain) else version)
    for item in node.attribute:
        for body in subgraphs(item):
            for inner in body.node:
                _collect(inner, functions, imports, called, versions)
    if own is not None and (own.domain, own.name) not in called:
        called[own.domain, own.name] = own
        inside = {item.domain: item.version for item in own.opset_import}
        for inner in own.node:
            _collect(inner, functions, inside, called, versions)


def _plain(item: NodeProto | FunctionProto) -> bytes:
    """Its bytes, without what does not decide what it computes: names of nodes, docs, declared types inside."""
    copied = type(item)()
    copied.CopyFrom(item)
    _strip(copied)
    return bytes(copied.SerializeToString(deterministic=True))


def _strip(item: NodeProto | FunctionProto | GraphProto) -> None:
    item.ClearField("doc_string")
    item.ClearField("metadata_props")
    item.ClearField("name")
    if isinstance(item, NodeProto):
        ordered = sorted(item.attribute, key=lambda attribute: attribute.name)
        copies = [onnx.AttributeProto.FromString(attribute.SerializeToString()) for attribute in ordered]
        del item.attribute[:]
        item.attribute.extend(copies)
        for attribute in item.attribute:
            attribute.ClearField("doc_string")
            for body in subgraphs(attribute):
                _strip(body)
        return
    item.ClearField("value_info")
    if isinstance(item, FunctionProto):
        item.ClearField("opset_import")  # the versions of the operators say what of it counts
    for node in item.node:
        _strip(node)


def _types(model: ModelProto) -> dict[str, TypeProto]:
    """What is declared of tensors of the main graph, and what follows from it."""
    small = without_weights(model)
    try:
        graph = onnx.shape_inference.infer_shapes(small).graph
    except Exception:  # noqa: BLE001 - hostile models; what is declared is all there is then
        graph = small.graph
    return {
        info.name: info.type
        for info in (*graph.value_info, *graph.input, *graph.output)
        if info.type.WhichOneof("value") is not None
    }
