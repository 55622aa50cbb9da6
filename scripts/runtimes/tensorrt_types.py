"""Which type variable of an operator the types of onnx-tensorrt's table are about.

The table lists types for an operator, not for its inputs. They are those of the tensor that the operator works on: by
the operator's definition the first input whose variable admits more than one type, some listed one among them. That
passes over Where's condition, Loop's trip count, the shape given to ConstantOfShape and the size given to
HannWindow. Where no input is left it is the first such output: Constant, RandomNormal. Two kinds of operators are not
served by that and are named here. Other variables (Gather's indices, Pow's exponent) are left open.
"""

from __future__ import annotations

import re

from onnx import defs

from graphkit.errors import UsageError
from scripts.runtimes.operators import definitions_of

KINDS = {
    "FP32": "float",
    "FP16": "float16",
    "BF16": "bfloat16",
    "FP8": "float8e4m3fn",
    "FP4": "float4e2m1",
    "INT64": "int64",
    "INF64": "int64",  # so misspelt in the row of ConstantOfShape
    "INT32": "int32",
    "INT8": "int8",
    "INT4": "int4",
    "UINT8": "uint8",
    "BOOL": "bool",
}
# What these make has the listed types; their first input lends its shape, or counts.
_OF_OUTPUT = frozenset({"EyeLike", "OneHot", "RandomNormalLike", "RandomUniformLike"})
# What these read and what they make both have the listed types.
CONVERTING = frozenset({"Cast", "CastLike"})


def listed_types(text: str, place: str) -> frozenset[str]:
    """The types that a cell lists, spelled as in onnx.

    Raises:
        UsageError: One of them is not known.
    """
    names = [name for name in re.split(r"[,\s]+", text) if name]
    unknown = [name for name in names if name not in KINDS]
    if unknown:
        raise UsageError(f"{place} lists the type {unknown[0]!r}; add it to KINDS in {__name__}.")
    return frozenset(KINDS[name] for name in names)


def variables(op: str, kinds: frozenset[str], newest: int) -> tuple[str, ...]:
    """The type variables that these types are about, in the definitions of the operator up to an opset."""
    found: dict[str, None] = {}
    for schema in definitions_of(op, newest):
        found.update(dict.fromkeys(_of_definition(schema, kinds)))
    return tuple(sorted(found))


def admitted(op: str, names: tuple[str, ...], newest: int) -> frozenset[str]:
    """Every type that the definitions let these variables have."""
    return frozenset(
        kind
        for schema in definitions_of(op, newest)
        for name, kinds in _variables(schema).items()
        if name in names
        for kind in kinds
    )


def _of_definition(schema: defs.OpSchema, kinds: frozenset[str]) -> list[str]:
    known = _variables(schema)
    fitting = {name for name, types in known.items() if len(types) > 1 and types & kinds}
    inputs = [item.type_str for item in schema.inputs if item.type_str in fitting]
    outputs = [item.type_str for item in schema.outputs if item.type_str in fitting]
    if schema.name in CONVERTING:
        return [*inputs, *outputs]
    first = [*outputs, *inputs] if schema.name in _OF_OUTPUT else [*inputs, *outputs]
    return first[:1]


def _variables(schema: defs.OpSchema) -> dict[str, frozenset[str]]:
    return {
        item.type_param_str: frozenset(_element(kind) for kind in item.allowed_type_strs)
        for item in schema.type_constraints
    }


def _element(kind: str) -> str:
    return kind.removeprefix("tensor(").removesuffix(")") if kind.startswith("tensor(") else kind
