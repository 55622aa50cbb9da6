"""Nodes made for tests, all that is known of them said directly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper

from graphkit.facts.node import Dimension, NodeFacts, TensorFacts
from graphkit.runtimes.constraints import violations
from graphkit.runtimes.table import Table, parse_table


def x(*shape: Dimension, kind: str = "float") -> TensorFacts:
    """A tensor that is computed at run time."""
    return TensorFacts("x", kind, shape, constant=False, folded=False)


def unranked(kind: str | None = "float") -> TensorFacts:
    """A tensor of which not even the rank is known."""
    return TensorFacts("x", kind, None, constant=False, folded=False)


def untyped(*shape: Dimension) -> TensorFacts:
    """A tensor of a type that is not known."""
    return TensorFacts("x", None, shape, constant=False, folded=False)


def c(value: Any, kind: str = "int64") -> TensorFacts:
    """A small constant."""
    array = np.asarray(value, helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(kind.upper())))
    return TensorFacts("c", kind, array.shape, constant=True, folded=True, value=array)


def big(*shape: int, kind: str = "float") -> TensorFacts:
    """A constant of which the values are not kept."""
    return TensorFacts("w", kind, shape, constant=True, folded=True)


def folded(value: Any, kind: str = "int64") -> TensorFacts:
    """What other nodes compute from constants."""
    return replace(c(value, kind), constant=False)


def node(op: str, *inputs: TensorFacts | None, opset: int = 18, out: Any = None, **attributes: Any) -> NodeFacts:
    """A node of an operator at an opset; `out`: its outputs, or how many; by default one of unknown shape."""
    schema = onnx.defs.get_schema(op, opset, "")
    values = {
        name: _plain(helper.get_attribute_value(item.default_value))
        for name, item in schema.attributes.items()
        if item.default_value.name
    }
    outputs = (out,) if isinstance(out, TensorFacts) else (unranked(None),) * (out or 1)
    types: dict[str, str] = {}
    for formal, actual in ((schema.inputs, inputs), (schema.outputs, outputs)):
        for index, tensor in enumerate(actual):
            if tensor is not None and tensor.type is not None:
                types.setdefault(formal[min(index, len(formal) - 1)].type_str, tensor.type)
    proto = helper.make_node(op, ["x"] * len(inputs), ["y"] * len(outputs), **attributes)
    since = schema.since_version
    return NodeFacts(op, op, "", since, opset, inputs, outputs, values | attributes, types, proto=proto)


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def table(name: str) -> Table:
    """A support table without rows: "tensorrt@10.1"."""
    runtime, _, version = name.partition("@")
    head = f"# graphkit support table, format 1\nruntime: {runtime}\ntitle: x\nversion: {version}\nabsent: unknown"
    return parse_table(f"{head}\n---\n", name)


def said(name: str, facts: NodeFacts) -> list[str]:
    """What a runtime's conditions find: "?" before what cannot be told, "≠" before what would be computed otherwise."""
    marks = {(True, False): "", (True, True): "≠ ", (False, False): "? ", (False, True): "? "}
    return [f"{marks[item.certain, item.wrong]}{item.reason}" for item in violations(table(name), facts)]


def check(name: str, facts: NodeFacts, expected: str | None) -> None:
    """Exactly one condition of a runtime says what is expected; None: none says anything."""
    found = said(name, facts)
    if expected is None:
        assert found == []
    else:
        assert len(found) == 1, found
        assert expected in found[0]
        assert found[0].startswith("?") == expected.startswith("?")
