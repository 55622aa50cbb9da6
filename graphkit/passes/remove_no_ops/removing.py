"""Finding nodes that give back what they read, and removing them."""

from __future__ import annotations

from dataclasses import dataclass, field

from onnx import ModelProto

from graphkit.edit import operators
from graphkit.facts import NodeFacts, TensorFacts
from graphkit.facts.scope import Reader
from graphkit.passes.remove_no_ops.casts import direct, holds
from graphkit.passes.remove_no_ops.rules import RULES
from graphkit.passes.residue import ROUNDED, Key, Site, Wires, look

_ROUNDS = 8
"""Once a node is gone another may show to be one. Models need two rounds or three."""

_ROUNDING = "it is float16: onnxruntime would round elsewhere without it"


@dataclass
class Outcome:
    """What was removed.

    Attributes:
        model: The model without them; the one given where there are none.
        gone: Operator -> how many nodes of it.
        kept: Reason -> the nodes that stay for it.
        looked: How many nodes were looked at.
    """

    model: ModelProto
    gone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, list[str]] = field(default_factory=dict)
    looked: int = 0

    def count(self, op: str) -> None:
        """Note a node that is gone."""
        self.gone[op] = self.gone.get(op, 0) + 1


def remove(model: ModelProto, read: Reader) -> Outcome:
    """Remove what gives back what it reads, in the graph and its subgraphs; `model` itself stays as it is."""
    outcome = Outcome(model)
    for _ in range(_ROUNDS):
        outcome.kept, outcome.looked = {}, 0
        wires = Wires(outcome.model)
        sites = [site for site in look(outcome.model, read) if site.facts.since and site.facts.op in RULES]
        before = sum(outcome.gone.values())
        for site in sites:
            _remove(site, wires, outcome)
        _merge_casts(sites, wires, outcome)
        _drop_idle(sites, wires, outcome)
        if sum(outcome.gone.values()) == before:
            break
        if outcome.model is model:
            outcome.model = ModelProto()
            outcome.model.CopyFrom(model)
        wires.apply(outcome.model, {}, {})
    return outcome


def _remove(site: Site, wires: Wires, outcome: Outcome) -> None:
    """Remove a node if it gives back what it reads."""
    node, place = site.facts, (site.path, site.index)
    outcome.looked += 1
    result = node.outputs[0] if node.outputs else None
    if result is None:
        return
    verdict = RULES[node.op](node)
    source = node.input(verdict) if isinstance(verdict, int) else None
    key = wires.key(site.path, source.name) if source is not None else None
    if verdict is None and node.op == "Cast":
        source, key = _there_and_back(site, wires)
    reason = verdict if isinstance(verdict, str) else None
    if source is not None and key is not None:
        reason = _blocked(node, source, (site.path, result.name), wires)
        reason = reason or wires.bypass(place, key, (site.path, result.name))
        if reason is None:
            outcome.count(node.op)
    if reason:
        outcome.kept.setdefault(reason, []).append(node.label)


def _blocked(node: NodeFacts, source: TensorFacts, result: Key, wires: Wires) -> str | None:
    """Why what reads a node's output cannot read its input instead; None where it can."""
    for other in node.outputs[1:]:
        other_key = (result[0], other.name) if other is not None else None
        if other_key is not None and (wires.is_output(other_key) or wires.readers(other_key)):
            return "its second output is read"
    return _ROUNDING if source.type in ROUNDED else None


def _there_and_back(site: Site, wires: Wires) -> tuple[TensorFacts | None, Key | None]:
    """Of a Cast back to a type that was cast without loss: the tensor that had it."""
    result, node = site.facts.outputs[0], site.facts
    wanted, source = result.type if result is not None else None, node.input(0)
    while source is not None and wanted is not None:
        maker = source.maker
        if maker is None or maker.op != "Cast" or not maker.since:
            break
        before = maker.input(0)
        if before is None or not holds(source.type, before.type):
            break
        source = before
        if source.type == wanted:
            return source, wires.key(site.path, source.name)
    return None, None


def _merge_casts(sites: list[Site], wires: Wires, outcome: Outcome) -> None:
    """Let Casts read what a lossless Cast reads, where nothing else reads that: then it goes."""
    casts = {(site.path, site.index): site for site in sites if site.facts.op == "Cast"}
    types = {place: tensor.type for place, site in casts.items() if (tensor := site.facts.input(0)) is not None}
    sources: dict[object, Key] = {}
    for place, site in casts.items():
        node = site.facts
        result, given = node.outputs[0] if node.outputs else None, node.input(0)
        if place in wires.gone or result is None or given is None or not holds(result.type, types[place]):
            continue
        own = wires.key(site.path, given.name)
        source = sources.get(place) or own
        key = (site.path, result.name)
        readers = wires.readers(key)
        if source is None or not readers or wires.is_output(key) or wires.unclear(source, wires.find(source), key):
            continue
        ends = [casts[reader].facts.outputs[0] if reader in casts else None for reader in readers]
        if not all(end is not None and direct(types[place], end.type) for end in ends):
            continue
        if wires.maker(wires.find(source)) in readers:  # a cycle
            continue
        for reader in readers:
            wires.reread(reader, source)
            sources[reader], types[reader] = source, types[place]
        wires.drop(place)
        outcome.count("Cast")


def _drop_idle(sites: list[Site], wires: Wires, outcome: Outcome) -> None:
    """Remove Casts that nothing reads now that the Casts back are gone."""
    for site in reversed(sites):
        node, place = site.facts, (site.path, site.index)
        result = node.outputs[0] if node.outputs else None
        if node.op == "Cast" and result is not None and place not in wires.gone:
            key = (site.path, result.name)
            if wires.maker(key) == place and wires.idle(key):
                wires.drop(place)
                outcome.count("Cast")


def is_candidate(model: ModelProto) -> bool:
    """Whether the graph or a subgraph has an operator that may give back what it reads."""
    return not RULES.keys().isdisjoint(operators(model))
