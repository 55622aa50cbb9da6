"""Whether what takes a node's place may stand there: every emitted node's types, held to its definition."""

from __future__ import annotations

from functools import cache

from onnx import NodeProto
from onnx.defs import OpSchema

from graphkit.facts import schemas
from graphkit.model import standard_domain
from graphkit.passes.opset.blockers import Blocked
from graphkit.passes.opset.site import Site

Formal = tuple[str, str, bool, frozenset[str]]
"""A formal parameter: its name, its type variable, whether its values all have one type, the types that it admits."""


def check_admitted(site: Site) -> None:
    """Hold the nodes that a step made to the definitions of their operators.

    Raises:
        Blocked: A type that is known is not admitted where it is used.
    """
    for node, opset in site.made:
        version = schemas.since(node.op_type, opset) if standard_domain(node.domain) else None
        if version is not None:
            _check(site, node, version)


def _check(site: Site, node: NodeProto, version: int) -> None:
    bound: dict[str, str] = {}
    for names, formals in zip((node.input, node.output), _sides(node.op_type, version), strict=True):
        for index, name in enumerate(names):
            kind = site.type_string(name) if name and formals else None
            if kind is None:
                continue
            # More values than parameters: the last one stands for any number.
            title, variable, same, allowed = formals[min(index, len(formals) - 1)]
            place = title if node.op_type == site.op else f"{title} of {node.op_type}"
            if kind not in allowed:
                raise Blocked(f"{kind} is not admitted for {place} there")
            if same and bound.setdefault(variable, kind) != kind:
                raise Blocked(f"{bound[variable]} and {kind} must be one type for {place} there")


@cache
def _sides(op: str, version: int) -> tuple[tuple[Formal, ...], tuple[Formal, ...]]:
    schema = schemas.schema(op, version)
    constraints = {item.type_param_str: frozenset(item.allowed_type_strs) for item in schema.type_constraints}

    def side(items: list[OpSchema.FormalParameter]) -> tuple[Formal, ...]:
        return tuple(
            (item.name, item.type_str, item.is_homogeneous, constraints.get(item.type_str, frozenset([item.type_str])))
            for item in items
        )

    return side(list(schema.inputs)), side(list(schema.outputs))
