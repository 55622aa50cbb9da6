"""A case as what is known of its node, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.conditions import feature
from graphkit.runtimes.probing.corpus import Case
from graphkit.runtimes.probing.outcome import Kind, Outcome
from graphkit.runtimes.table import Status

_STATUS: dict[Kind, Status] = {
    "right": "full",
    "wrong": "wrong",
    "refused": "none",
    "crashed": "none",
    "timeout": "none",
}
ABSENT = "-"
"""The value of a feature that a node does not have."""
TYPE = "T:"
"""Begins a feature that is the type of a type variable, which goes into the column of types."""


@dataclass(frozen=True)
class Observation:
    """What a runtime did with a node.

    Attributes:
        node: All that is known of it.
        status: full, wrong or none.
        reason: What the runtime said.
        test: The test that it is a variant of.
        oddities: What is unusual about the values that it was given, for a reader; see `oddities`.
    """

    node: NodeFacts
    status: Status
    reason: str
    test: str = ""
    oddities: frozenset[str] = frozenset()

    @property
    def runs(self) -> bool:
        """Whether it loaded and computed right."""
        return self.status == "full"

    @cached_property
    def types(self) -> dict[str, str]:
        """The type of each type variable that may be one of several."""
        free = _free(self.node.op, self.node.since, self.node.domain)
        return {name: kind for name, kind in self.node.types.items() if name in free}

    @cached_property
    def _values(self) -> dict[str, str]:
        return {}

    def value(self, key: str) -> str:
        """A feature of the node, as the columns of a table spell it."""
        known = self._values.get(key)
        if known is None:
            found = self.types.get(key[len(TYPE) :]) if key.startswith(TYPE) else feature(key, self.node)
            known = self._values[key] = ABSENT if found is None else found
        return known

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The features that it may differ in from another node of its operator."""
        kinds = ("const", "given", "rank", "empty")
        places = [f"{what}.{place}" for place in range(len(self.node.inputs)) for what in kinds]
        attributes = [f"attr.{name}" for name in sorted(self.node.attributes)]
        return (*(f"{TYPE}{name}" for name in self.types), *places, *attributes, "outputs", "empty.y")


def observe(cases: Iterable[Case], outcomes: Mapping[str, Outcome]) -> list[Observation]:
    """What became of the cases that say something of the runtime.

    Args:
        cases: All that may have been probed.
        outcomes: By the case's key.
    """
    found = []
    for case in cases:
        outcome = outcomes.get(case.key)
        if outcome is None or outcome.kind not in _STATUS:
            continue
        node = facts_of(case)
        if node is not None:
            found.append(Observation(node, _STATUS[outcome.kind], outcome.reason, case.test, oddities(case)))
    return found


def oddities(case: Case) -> frozenset[str]:
    """What is unusual about a case's values, for a reader: no row can tell, because models do not say what comes in.

    Negative indices, axes and limits count from the end, or are refused; the largest int64, an open end, does not fit
    where int32 is computed with; infinity and NaN are clamped.
    """
    import numpy as np

    found = set()
    for place, (name, value) in enumerate(case.inputs.items()):
        if not isinstance(value, np.ndarray) or not value.size:
            continue
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            found.add("infinity or NaN")
        if place and value.dtype.kind == "i" and (value < 0).any():
            found.add("negative integers after the first input")
        if value.dtype == np.int64 and name not in case.constant and (np.abs(value) > np.iinfo(np.int32).max).any():
            found.add("computed integers beyond int32")
    return frozenset(found)


def facts_of(case: Case) -> NodeFacts | None:
    """All that is known of a case's node; None where its model has not one node alone."""
    from onnx import numpy_helper

    from graphkit.facts import survey
    from graphkit.runtimes.runners.constants import with_constants

    model = with_constants(case.model, {name: case.inputs[name] for name in case.constant})
    nodes = [node for node in survey(model, numpy_helper.to_array) if not node.place]
    return nodes[0] if len(nodes) == 1 else None


@lru_cache(maxsize=1024)
def _free(op: str, since: int, domain: str) -> frozenset[str]:
    from onnx import defs

    return frozenset(item.type_param_str for item in defs.get_schema(op, since, domain).type_constraints)
