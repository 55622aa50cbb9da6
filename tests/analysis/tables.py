"""Support tables and nodes made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import NodeProto, helper

from graphkit.analysis.coverage import judging
from graphkit.facts import NodeFacts, TensorFacts, schemas
from graphkit.facts.functions import has_body
from graphkit.facts.kinds import tensor_type
from graphkit.runtimes import Table, parse_table

SOURCES = {
    "p": "probe | pip thing | 1.0 | 2026-11 | MIT | graphkit probe",
    "r": "registry | pip thing | 1.0 | 2026-11 | MIT | kernels()",
    "c": "code | some/thing | abc | 2026-11 | MIT | import.cc",
    "d": "doc | some/thing | abc | 2026-11 | MIT | docs/ops.md",
}


def table(
    *rows: str,
    runtime: str = "thing",
    version: str = "1.0",
    absent: str = "none",
    sources: str = "",
    **header: str,
) -> Table:
    """A table with these rows, each "op|domain|since|until|match|status|types|when|constraint|source"."""
    keys = sources or "".join(sorted({row[-1] for row in rows})) or "r"
    lines = [
        "# graphkit support table, format 1",
        f"runtime: {runtime}",
        "title: A Thing",
        f"version: {version}",
        f"absent: {absent}",
        *(f"{key}: {value}" for key, value in header.items()),
        *(f"source {key}: {SOURCES[key]}" for key in keys),
        "---",
        *(row.replace("|", "\t") for row in rows),
    ]
    return parse_table("\n".join(lines) + "\n", runtime)


def with_tables(monkeypatch: pytest.MonkeyPatch, *tables: Table) -> None:
    """Let fallbacks be found among these tables alone."""
    by_name = {key: item for item in tables for key in (item.name, item.runtime)}
    monkeypatch.setattr(judging, "find_table", by_name.__getitem__)


_NAMES = {"float": 1, "float16": 10, "int64": 7, "double": 11, "int8": 3, "string": 8}


def tensor(
    name: str,
    kind: str | None = "float",
    shape: tuple[int | str | None, ...] | None = (1, 4),
    value: Any = None,
    *,
    folded: bool = False,
) -> TensorFacts:
    """A tensor; with a value it is a constant of the model."""
    proto = onnx.TypeProto() if kind is None else tensor_type(_NAMES[kind], shape)
    array = None if value is None else np.asarray(value)
    return TensorFacts(name, kind, shape, array is not None, folded or array is not None, array, proto)


def node(
    op: str,
    inputs: tuple[TensorFacts | None, ...] = (tensor("x"),),
    *,
    opset: int = 17,
    domain: str = "",
    outputs: tuple[TensorFacts | None, ...] = (tensor("y"),),
    **attributes: Any,
) -> NodeFacts:
    """A node, its types bound as its definition says."""
    since = 0 if domain else (schemas.since(op, opset) or 0)
    types: dict[str, str] = {}
    if since:
        schema = schemas.schema(op, since)
        for formal, actual in ((schema.inputs, inputs), (schema.outputs, outputs)):
            for index, item in enumerate(actual):
                if item is not None and item.type is not None and formal:
                    types.setdefault(formal[min(index, len(formal) - 1)].type_str, item.type)
    proto: NodeProto = helper.make_node(
        op,
        ["" if item is None else item.name for item in inputs],
        ["" if item is None else item.name for item in outputs],
        name=f"the_{op}",
        domain=domain,
        **attributes,
    )
    expandable = bool(since) and has_body(op, since)
    return NodeFacts(
        f"the_{op}", op, domain, since, opset, inputs, outputs, attributes, types, expandable=expandable, proto=proto
    )
