"""Which predicates there are, and what they find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.table import Evidence, Table

Predicate = Callable[[NodeFacts], "str | Unknown | None"]
"""Why a runtime does not take the node, as a clause ("its mode is cubic; only nearest and linear run"); an Unknown
where it is not known enough about the node to tell; None where nothing is in the way."""


@dataclass(frozen=True)
class Unknown:
    """What would have to be known of the node, as a clause: "the rank of its input is not known"."""

    what: str


@dataclass(frozen=True)
class Violation:
    """One condition that a node does not meet, or may not meet.

    Attributes:
        reason: Which, as a clause.
        certain: Whether it is not met; False where that cannot be told.
        wrong: Whether such a node loads and computes something else, instead of being refused.
        evidence: How it is known.
        citation: Where it is said: repository, version, file and function or line.
    """

    reason: str
    certain: bool
    wrong: bool
    evidence: Evidence
    citation: str


Whole = bool | Callable[[Table, NodeFacts], bool]
"""Whether a predicate says all that a table's words say, of every node or of those for which a function holds."""


@dataclass(frozen=True)
class _Constraint:
    predicate: Predicate
    versions: tuple[str, ...]
    whole: Whole
    wrong: bool
    evidence: Evidence
    citation: str


ANY = "*"
"""Stands for every operator."""

_KNOWN: dict[tuple[str, str], list[_Constraint]] = {}


def constraint(
    runtimes: str,
    ops: str,
    *,
    citation: str,
    evidence: Evidence,
    versions: str = "",
    whole: Whole = False,
    wrong: bool = False,
) -> Callable[[Predicate], Predicate]:
    """Register a predicate.

    Args:
        runtimes: Names of runtimes, apart by spaces.
        ops: Operators of the default domain, apart by spaces; "*" for every one.
        citation: Where the condition is said: repository, version, file and function or line.
        evidence: How it is known.
        versions: Versions that it is about, apart by spaces; "8 10.1" is every 8.x, and 10.1 but not 10.15; "" for all.
        whole: Whether it, with the others of its operator, says all that the support table's words say about these
            operators, so that a node that meets them runs; a function says of which nodes that is so.
        wrong: Whether a node that does not meet it loads and computes something else.
    """

    def register(predicate: Predicate) -> Predicate:
        made = _Constraint(predicate, tuple(versions.split()), whole, wrong, evidence, citation)
        for runtime in runtimes.split():
            for op in ops.split():
                _KNOWN.setdefault((runtime, op), []).append(made)
        return predicate

    return register


def violations(table: Table, node: NodeFacts) -> list[Violation]:
    """Which conditions of a runtime a node does not meet, or may not meet."""
    found = []
    for item in _about(table, node.op, node.domain):
        answer = item.predicate(node)
        if isinstance(answer, Unknown):
            found.append(Violation(answer.what, False, item.wrong, item.evidence, item.citation))
        elif answer is not None:
            found.append(Violation(answer, True, item.wrong, item.evidence, item.citation))
    return found


def decided(table: Table, node: NodeFacts) -> bool:
    """Whether what the table says of a node's operator in words is held by code, all of it."""
    found = (item.whole for item in _about(table, node.op, node.domain))
    return any(whole(table, node) if callable(whole) else whole for whole in found)


def _about(table: Table, op: str, domain: str) -> Iterator[_Constraint]:
    if domain:
        return
    _load()
    for item in (*_KNOWN.get((table.runtime, op), ()), *_KNOWN.get((table.runtime, ANY), ())):
        if not item.versions or any(f"{table.version}.".startswith(f"{begin}.") for begin in item.versions):
            yield item


@lru_cache(maxsize=1)
def _load() -> None:
    from graphkit.runtimes import constraints

    for module in iter_modules(constraints.__path__):
        if module.name != "registry":
            import_module(f"{constraints.__name__}.{module.name}")
