"""What passes did to single nodes: followed from model to model by structure, not by names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphkit.matching import Matching, Node, match
from graphkit.model import Model
from graphkit.report.data import Trace

_NAMED = 6
"""Operators that are named where a pass put some nodes in the place of others."""


@dataclass
class Traces:
    """What became of nodes, by their keys.

    Attributes:
        after: Of the last model's nodes: which passes made or changed them.
        before: Of the first model's nodes: which passes changed and removed them.
        origins: Which of the first model's nodes those of the last one were.
    """

    after: dict[str, tuple[Trace, ...]] = field(default_factory=dict)
    before: dict[str, tuple[Trace, ...]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)


def trace(before: Model, steps: Iterable[tuple[str, Model]]) -> Traces:
    """Follow nodes through a run.

    Args:
        before: The model as it came.
        steps: The name of each pass that rewrote something, and the model that it left.

    Raises:
        ModelError: A graph is cyclic, or a constant cannot be read.
    """
    found = Traces()
    origin: dict[str, str] | None = None
    previous = before
    for name, model in steps:
        matching = match(model, previous)
        if origin is None:
            origin = {node.label: node.label for node in matching.right.nodes}
        found.origins = origin = _step(found, name, matching, origin)
        previous = model
    return found


def _step(found: Traces, name: str, matching: Matching, origin: dict[str, str]) -> dict[str, str]:
    """Add what one pass did; returns which node of the first model those that are left were."""
    after: dict[str, tuple[Trace, ...]] = {}
    kept: dict[str, str] = {}
    inner = {id(item.pair.left) for item in matching.inner}
    for pair in matching.pairs:
        was, key = pair.right.label, pair.left.label
        told = _told(pair.right, pair.left, same=pair.same and id(pair.left) not in inner, equal=pair.equal)
        traces = (Trace(name, told),) if told else ()
        after[key] = found.after.get(was, ()) + traces
        if was in origin:
            kept[key] = origin[was]
            found.before[origin[was]] = found.before.get(origin[was], ()) + traces
    for region in matching.regions:
        for node in region.left:
            after[node.label] = (Trace(name, "made it" + _instead("in place of", region.right)),)
        for node in region.right:
            if node.label in origin:
                first = origin[node.label]
                gone = Trace(name, "removed it" + _instead("in its place stands", region.left))
                found.before[first] = (*found.before.get(first, ()), gone)
    found.after = {key: traces for key, traces in after.items() if traces}
    found.before = {key: traces for key, traces in found.before.items() if traces}
    return kept


def _told(was: Node, now: Node, *, same: bool, equal: bool) -> str:
    if not same:
        return f"changed it: {was.op} became {now.op}" if was.op != now.op else "changed its attributes or constants"
    if not equal:
        return "made it read something else"
    return ""


def _instead(words: str, others: tuple[Node, ...]) -> str:
    if not others:
        return ""
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    return f", {words} {', '.join(node.op for node in others[:_NAMED])}{more}"
