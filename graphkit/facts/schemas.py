"""Which versions an operator of the default domain has, and what each looks like (onnx.defs)."""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache

import onnx
from onnx.defs import OpSchema

OLDEST = 9
"""The oldest opset that is converted to and from."""


def newest() -> int:
    """The newest opset that the installed onnx knows."""
    return int(onnx.defs.onnx_opset_version())


@lru_cache(maxsize=1)
def _history() -> dict[str, dict[int, OpSchema]]:
    found: dict[str, dict[int, OpSchema]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            found.setdefault(schema.name, {})[schema.since_version] = schema
    return {name: dict(sorted(versions.items())) for name, versions in found.items()}


def operators() -> list[str]:
    """Every operator of the default domain that the installed onnx knows in any version."""
    return sorted(_history())


def known(op: str) -> bool:
    """Whether any version of the default domain has the operator."""
    return op in _history()


@cache
def versions(op: str) -> tuple[int, ...]:
    """The opsets in which the operator got a new definition, ascending."""
    return tuple(_history().get(op, ()))


def since(op: str, opset: int) -> int | None:
    """The opset whose definition of the operator holds at `opset`; None where it does not exist yet."""
    made = versions(op)
    place = bisect_right(made, opset)
    return made[place - 1] if place else None


def before(op: str, version: int) -> int | None:
    """The definition before the one of `version`; None where that is the first."""
    made = versions(op)
    place = made.index(version)
    return made[place - 1] if place else None


def after(op: str, version: int) -> int | None:
    """The definition after the one of `version`; None where that is the newest."""
    made = versions(op)
    place = made.index(version) + 1
    return made[place] if place < len(made) else None


def schema(op: str, version: int) -> OpSchema:
    """The definition that came with opset `version`."""
    return _history()[op][version]
