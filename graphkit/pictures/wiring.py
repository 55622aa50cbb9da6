"""A model's main graph as boxes and wires: what is drawn, without constants and what computes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphkit.errors import ModelError
from graphkit.facts import NodeFacts, TensorFacts, survey
from graphkit.facts.labels import label, text
from graphkit.model import Model, reads, standard_domain, subgraphs
from graphkit.order import stable_order

SOURCE, TARGET = "Input", "Output"
_RANDOM = frozenset(("Bernoulli", "Dropout", "Multinomial", "RandomNormalLike", "RandomUniformLike"))


@dataclass(frozen=True, eq=False, slots=True)
class Box:
    """A node, or an input or output of the graph.

    Attributes:
        key: The node as `graphkit coverage` and other reports call it; for an input or output its name.
        op: Its operator, with the domain where that is not ONNX's own; "Input" or "Output".
        kind: node, input or output.
        inputs: What the node reads: data, not constants. Names.
        outputs: What it makes. Names.
        attributes: Of the node and its definition's defaults.
        weights: The shapes of the constants that it reads, in order.
        folded: Its subgraphs, each as attribute and number of nodes.
    """

    key: str
    op: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[tuple[int | str | None, ...] | None, ...] = ()
    folded: tuple[tuple[str, int], ...] = ()


class Wire(NamedTuple):
    """A tensor on its way: from one box to another, both by their place in `Wiring.boxes`."""

    source: int
    target: int
    tensor: str


@dataclass(frozen=True, eq=False)
class Wiring:
    """What of a graph is drawn.

    Attributes:
        boxes: In topological order.
        wires: Sorted; each once.
        tensors: What is known of the tensors.
        hidden: How many nodes are not drawn because they compute constants.
    """

    boxes: list[Box]
    wires: list[Wire]
    tensors: Mapping[str, TensorFacts]
    hidden: int

    def shape(self, tensor: str) -> str:
        """A tensor's shape for a reader, "[1,64,80,80]"; "" where it is not known."""
        known = self.tensors.get(tensor)
        if known is None or known.shape is None:
            return ""
        return "[" + ",".join("?" if size is None else str(size) for size in known.shape) + "]"


def wiring(model: Model) -> Wiring:
    """What of a model's main graph is drawn.

    Raises:
        ModelError: The graph is cyclic.
    """
    proto = model.proto()
    known = [item for item in survey(proto, model.values) if not item.place]
    facts = {name: item for item in known for name in item.proto.output if name}
    tensors = {t.name: t for item in known for t in (*item.inputs, *item.outputs) if t is not None}
    defaults = {text(item.name) for item in proto.graph.initializer}
    returned = {text(item.name) for item in proto.graph.output}
    constants = defaults - {text(name) for name in model.overridable}
    boxes = [
        Box(text(item.name), SOURCE, "input", (), (text(item.name),))
        for item in proto.graph.input
        if text(item.name) not in constants
    ]
    fixed, hidden = _fixed(proto.graph.node, constants, tensors), 0
    for node in proto.graph.node:
        outputs = tuple(text(name) for name in node.output if name)
        if outputs and not returned & set(outputs) and fixed.issuperset(outputs):
            hidden += 1
            continue
        boxes.append(_box(node, outputs, facts, tensors, fixed))
    boxes += [Box(name, TARGET, "output", (name,), ()) for name in (text(item.name) for item in proto.graph.output)]
    boxes = _sorted(model, boxes)
    return Wiring(boxes, _wires(boxes), tensors, hidden)


def _fixed(nodes: Iterable[Any], constants: set[str], tensors: Mapping[str, TensorFacts]) -> set[str]:
    """The tensors that are the same in every run: constants, and what is computed from nothing else."""
    fixed = constants | {name for name, item in tensors.items() if item.constant or item.folded}
    for node in nodes:  # of a model that is not sorted fewer are found, which hides less
        read = reads(node)
        if read and standard_domain(node.domain) and node.op_type not in _RANDOM and fixed.issuperset(map(text, read)):
            fixed.update(text(name) for name in node.output if name)
    return fixed


def _box(
    node: Any,
    outputs: tuple[str, ...],
    facts: Mapping[str, NodeFacts],
    tensors: Mapping[str, TensorFacts],
    constants: set[str],
) -> Box:
    found = facts.get(next((name for name in node.output if name), ""))
    read = [text(name) for name in node.input if name]
    read += sorted({text(name) for name in reads(node)} - set(read))
    fixed = [name for name in read if name in constants]
    op = text(node.op_type)
    return Box(
        key=label(node),
        op=op if standard_domain(node.domain) else f"{text(node.domain)}.{op}",
        kind="node",
        inputs=tuple(dict.fromkeys(name for name in read if name not in fixed)),
        outputs=outputs,
        attributes=found.attributes if found is not None else {},
        weights=tuple(tensors[name].shape if name in tensors else None for name in fixed),
        folded=tuple((text(item.name), len(graph.node)) for item in node.attribute for graph in subgraphs(item)),
    )


def _sorted(model: Model, boxes: list[Box]) -> list[Box]:
    makers = {name: place for place, box in enumerate(boxes) for name in box.outputs}
    order = stable_order([{makers[name] for name in box.inputs if name in makers} for box in boxes])
    if len(order) < len(boxes):
        behind = set(range(len(boxes))) - set(order)
        raise ModelError(
            f'{model.name}: the graph is cyclic: "{boxes[min(behind)].key}" waits for itself, so it cannot be drawn; '
            "export the model again."
        )
    return [boxes[place] for place in order]


def _wires(boxes: list[Box]) -> list[Wire]:
    makers = {name: place for place, box in enumerate(boxes) for name in box.outputs}
    found = [
        Wire(makers[name], place, name) for place, box in enumerate(boxes) for name in box.inputs if name in makers
    ]
    return sorted(set(found))
