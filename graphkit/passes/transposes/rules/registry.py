"""Which operator has which rule."""

from __future__ import annotations

from collections.abc import Callable

from graphkit.passes.transposes.site import Flow, Site

Rule = Callable[[Site], Flow | None]
"""What a node allows; None where it allows nothing, as an operator without a rule."""

RULES: dict[str, Rule] = {}


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Make a function the rule of these operators of the default domain."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register
