"""The rules: what to do where two definitions of an operator differ in form, or one of them is the first."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules

from graphkit.passes.opset.site import Site

Rule = Callable[[Site], None]
"""Takes one step of one node: see Site. Raises Blocked where the step cannot be taken."""

_RULES: dict[tuple[str, int, int | None], Rule] = {}
_IMPOSSIBLE: dict[str, str] = {}


def rule(op: str, old: int, new: int | None) -> Callable[[Rule], Rule]:
    """Register a rule for the step of an operator from one definition to a neighbouring one.

    Args:
        op: The operator of the default domain.
        old: The version that a node is written in.
        new: The version to go to; None for what is to be done where the operator does not exist yet.

    Raises:
        ValueError: There is one already.
    """

    def register(function: Rule) -> Rule:
        key = (op, old, new)
        if key in _RULES:
            raise ValueError(f"two rules for {op} {old} → {new}")
        _RULES[key] = function
        return function

    return register


def impossible(reason: str, *ops: str) -> None:
    """Say of operators why nothing older can take their place, as a clause."""
    _IMPOSSIBLE.update(dict.fromkeys(ops, reason))


def find(op: str, old: int, new: int | None) -> Rule | None:
    """The rule for a step; None where there is none."""
    _load()
    return _RULES.get((op, old, new))


def registered() -> list[tuple[str, int, int | None]]:
    """The steps that there are rules for: operator, version that a node is written in, version to go to."""
    _load()
    return list(_RULES)


def why_impossible(op: str) -> str | None:
    """Why nothing older can take an operator's place; None where nobody said so."""
    _load()
    return _IMPOSSIBLE.get(op)


@lru_cache(maxsize=1)
def _load() -> None:
    from graphkit.passes.opset import rules

    for module in iter_modules(rules.__path__):
        import_module(f"{rules.__name__}.{module.name}")
