"""A closer look at single nodes and tensors: what they are, what is around them, what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import onnx

from graphkit.analysis.statistics.macs import macs
from graphkit.analysis.statistics.values import Element, ValueStatistics, element, elements, value_statistics
from graphkit.analysis.statistics.weights import Weight, constant_values, initializers
from graphkit.errors import UsageError
from graphkit.facts import NodeFacts, TensorFacts, survey
from graphkit.model import Model

Shape = tuple[int | str | None, ...]


@dataclass(frozen=True)
class Port:
    """One input or output of a node.

    Attributes:
        role: What the operator's definition calls it, "" where that is not known.
        name: The tensor's name.
        type: Its element type; None where it is not known.
        shape: Its shape; None where not even the rank is known.
        origin: "node", "initializer", "input", "constant" (computed from constants), or "unknown".
        neighbours: The nodes that make it (of an input) or read it (of an output).
        values: Its elements where it is constant and small.
    """

    role: str
    name: str
    type: str | None
    shape: Shape | None
    origin: str
    neighbours: tuple[str, ...]
    values: tuple[Element, ...] | None


@dataclass(frozen=True)
class NodeLook:
    """A node, looked at closely.

    Attributes:
        label: Its name, or the operator and its first output.
        operator: The operator, with its domain where that is not ONNX's own.
        since: The version of the definition that holds; 0 where none is known.
        place: Where it is: "" for the main graph.
        attributes: Those that it sets, as plain values; tensors and graphs in words.
        defaults: Those that hold because it does not set them.
        inputs: What it reads; None for one that is left out.
        outputs: What it computes; None for one that is not wanted.
        parameters: Elements of the initializers that it reads.
        macs: Multiply-accumulates; None where they are not known.
    """

    label: str
    operator: str
    since: int
    place: str
    attributes: dict[str, Any]
    defaults: dict[str, Any]
    inputs: tuple[Port | None, ...]
    outputs: tuple[Port | None, ...]
    parameters: int
    macs: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class TensorLook:
    """A tensor, looked at closely: its type and shape, where it is from, who reads it, what is in it if constant.

    Attributes:
        name: Its name.
        type: Its element type; None where it is not known.
        shape: Its shape; None where not even the rank is known.
        origin: As of a `Port`.
        is_output: Whether the model returns it.
        maker: The node that computes it.
        readers: The nodes that read it.
        values: What is in it; None where it is not constant, or not numbers.
    """

    name: str
    type: str | None
    shape: Shape | None
    origin: str
    is_output: bool
    maker: str | None
    readers: tuple[str, ...]
    values: ValueStatistics | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Seen:
    """What is known of a model: its nodes, its weights, who makes and who reads what, and its inputs."""

    model: Model
    nodes: Sequence[NodeFacts]
    weights: dict[str, Weight]
    makers: dict[str, str]
    readers: dict[str, list[str]]
    inputs: frozenset[str]


def look_at_node(model: Model, name: str) -> tuple[NodeLook, ...]:
    """The nodes of a name; an unnamed one has its operator and first output for a name ("Relu → y").

    Raises:
        UsageError: There is none.
    """
    seen = _see(model)
    found = [node for node in seen.nodes if node.label == name]
    if not found:
        raise UsageError(_unknown(model, "node", name, [node.label for node in seen.nodes]))
    return tuple(_look(node, seen) for node in found)


def look_at_nodes(model: Model) -> tuple[NodeLook, ...]:
    """Every node of the main graph, in the order of the file."""
    seen = _see(model)
    return tuple(_look(node, seen) for node in seen.nodes if not node.place)


def look_at_operator(model: Model, operator: str) -> tuple[NodeLook, ...]:
    """The nodes of an operator: "Conv", "com.microsoft::FusedConv".

    Raises:
        UsageError: There is none.
    """
    seen = _see(model)
    found = [node for node in seen.nodes if _operator(node) == operator]
    if not found:
        raise UsageError(_unknown(model, "operator", operator, [_operator(node) for node in seen.nodes]))
    return tuple(_look(node, seen) for node in found)


def look_at_tensor(model: Model, name: str) -> TensorLook:
    """The tensor of a name.

    Raises:
        UsageError: There is none.
        ModelError: Its values cannot be read.
    """
    seen = _see(model)
    facts = {item.name: item for node in seen.nodes for item in (*node.inputs, *node.outputs) if item is not None}
    graph = model.proto().graph
    declared = {info.name: info for info in (*graph.input, *graph.output)}
    item = facts.get(name)
    if item is None and name not in declared and name not in seen.weights:
        raise UsageError(_unknown(model, "tensor", name, [*facts, *declared, *seen.weights]))
    found = constant_values(model, name)
    if found is None and item is not None:
        found = item.value
    shape: Shape | None = item.shape if item is not None else None
    if shape is None and found is not None:
        shape = tuple(found.shape)
    spelt = item.type if item is not None else seen.weights[name].type if name in seen.weights else None
    return TensorLook(
        name=name,
        type=spelt,
        shape=shape,
        origin=_origin(name, item, seen),
        is_output=name in {info.name for info in graph.output},
        maker=seen.makers.get(name),
        readers=tuple(seen.readers.get(name, ())),
        values=None if found is None else value_statistics(found),
    )


def _see(model: Model) -> _Seen:
    proto = model.proto()
    nodes = survey(proto, model.values)
    makers: dict[str, str] = {}
    readers: dict[str, list[str]] = {}
    for node in nodes:
        makers |= dict.fromkeys((item.name for item in node.outputs if item is not None), node.label)
        for name in dict.fromkeys(item.name for item in node.inputs if item is not None):
            readers.setdefault(name, []).append(node.label)
    weights = initializers(proto)
    inputs = frozenset(info.name for info in proto.graph.input)
    return _Seen(model, nodes, weights, makers, readers, inputs)


def _look(node: NodeFacts, seen: _Seen) -> NodeLook:
    own = {item.name for item in node.proto.attribute}
    roles = _roles(node)
    return NodeLook(
        label=node.label,
        operator=_operator(node),
        since=node.since,
        place=node.place,
        attributes={name: _plain(value) for name, value in node.attributes.items() if name in own},
        defaults={name: _plain(value) for name, value in node.attributes.items() if name not in own},
        inputs=_ports(node.inputs, roles[0], seen, reading=True),
        outputs=_ports(node.outputs, roles[1], seen, reading=False),
        parameters=sum(seen.weights[name].elements for name in set(node.proto.input) if name in seen.weights),
        macs=macs(node),
    )


def _roles(node: NodeFacts) -> tuple[list[str], list[str]]:
    """What the definition calls inputs and outputs; the last one of a variadic operator stands for all behind it."""
    if not node.since:
        return [], []
    schema = onnx.defs.get_schema(node.op, node.since, node.domain)
    return _names(schema.inputs, len(node.inputs)), _names(schema.outputs, len(node.outputs))


def _names(formal: Sequence[Any], count: int) -> list[str]:
    return [formal[min(index, len(formal) - 1)].name for index in range(count)] if formal else []


def _ports(
    items: Sequence[TensorFacts | None], roles: Sequence[str], seen: _Seen, *, reading: bool
) -> tuple[Port | None, ...]:
    ports: list[Port | None] = []
    for index, item in enumerate(items):
        if item is None:
            ports.append(None)
            continue
        made = seen.makers.get(item.name)
        around = ([made] if made is not None else []) if reading else seen.readers.get(item.name, [])
        values = None if item.value is None else elements(item.value)
        role = roles[index] if index < len(roles) else ""
        origin = _origin(item.name, item, seen)
        ports.append(Port(role, item.name, item.type, item.shape, origin, tuple(around), values))
    return tuple(ports)


def _origin(name: str, item: TensorFacts | None, seen: _Seen) -> str:
    if name in seen.weights:
        return "initializer"
    if item is not None and item.folded:
        return "constant"
    if name in seen.makers:
        return "node"
    return "input" if name in seen.inputs else "unknown"


def _plain(value: Any) -> Any:
    """An attribute's value for a report: protos in words."""
    if isinstance(value, onnx.TensorProto):
        return f"tensor {onnx.TensorProto.DataType.Name(value.data_type).lower()} {list(value.dims)}"
    if isinstance(value, onnx.GraphProto):
        return f"graph of {len(value.node)} nodes"
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return element(value)
    if isinstance(value, str | int):
        return value
    return type(value).__name__


def _operator(node: NodeFacts) -> str:
    return f"{node.domain}::{node.op}" if node.domain else node.op


def _unknown(model: Model, kind: str, name: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    lower = {item.lower(): item for item in reversed(names)}
    near = get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    if near:
        return f'{model.name} has no {kind} "{name}"; did you mean "{lower[near[0]]}"?'
    within = next((item for item in names if name.lower() in item.lower()), None) if name else None
    if within is not None:
        return f'{model.name} has no {kind} "{name}"; did you mean "{within}"?'
    where = {"node": "graphkit inspect MODEL --op TYPE lists nodes", "tensor": "--node NAME lists those around a node"}
    hint = where.get(kind, f"it has {', '.join(sorted(names)[:8])}" + (" and others" if len(names) > 8 else ""))
    return f'{model.name} has no {kind} "{name}", nor one of a similar name; {hint}.'
