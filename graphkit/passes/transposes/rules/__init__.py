"""How each operator lets a Transpose pass: one small function an operator. The door: `flow`."""

from graphkit.passes.transposes.rules import (
    elementwise,
    gathering,
    joining,
    measuring,
    normalising,
    products,
    quantising,
    reducing,
    reshaping,
    resizing,
    sorting,
    spatial,
)
from graphkit.passes.transposes.rules.registry import RULES
from graphkit.passes.transposes.site import Flow, Site

__all__ = [
    "elementwise",
    "flow",
    "gathering",
    "joining",
    "measuring",
    "normalising",
    "products",
    "quantising",
    "reducing",
    "reshaping",
    "resizing",
    "sorting",
    "spatial",
]


def flow(site: Site) -> Flow | None:
    """In which layouts a node can run; None where only in its own."""
    rule = RULES.get(site.op)
    return rule(site) if rule is not None else None
