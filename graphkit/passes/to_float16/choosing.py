"""Which nodes compute in float16, and why the others do not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.model.tensors import in_pieces
from graphkit.passes.to_float16.knowledge import FLOAT, HALF, Known, Reader, has_subgraph
from graphkit.passes.to_float16.tail import decode_nodes, has_weights
from graphkit.runtimes import find_table

LARGEST = float(np.finfo(np.float16).max)
RUNTIME = "onnxruntime-cuda"
"""Whose kernels decide what is left in float32: onnxruntime's CPU has next to none in float16."""

_TYPED = frozenset(("to", "dtype"))
"""Attributes that name the type of what is made."""


_SCATTERING = frozenset(("ScatterElements", "ScatterND"))


@dataclass
class Choice:
    """What is converted.

    Attributes:
        half: Nodes that compute in float16.
        tail: Nodes behind the last layers with weights, which stay in float32.
        kept: Reason, as half a sentence -> the nodes that stay for it, named for a reader.
        variables: Node -> the names of its definition's types that become float16.
    """

    half: set[int] = field(default_factory=set)
    tail: set[int] = field(default_factory=set)
    kept: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[int, frozenset[str]] = field(default_factory=dict)


def choose(known: Known, keep: Sequence[str], read: Reader) -> Choice:
    """Decide for every node of the main graph.

    Args:
        known: The model.
        keep: Operators and node names that stay.
        read: Gives the values of one of the model's tensors, wherever they lie.
    """
    choice = Choice()
    limits = _Limits(known, read)
    weighted = {index for index in known.order if has_weights(known, index, limits.values)}
    choice.tail = decode_nodes(known, weighted)
    reasons: dict[int, str] = {}
    for index in known.order:
        node = known.node(index)
        if not any(known.is_float(name) for name in (*node.input, *node.output)) or node.op_type in (
            "Cast",
            "Constant",
        ):
            continue
        if not any(name in known.data for name in node.output) or index in choice.tail:
            continue
        reason = _why_not(known, index, keep, limits, choice)
        if reason is None:
            choice.half.add(index)
        elif reason:
            reasons[index] = reason
    for index in _idle(known, choice, weighted):
        choice.half.discard(index)
    for index, reason in reasons.items():
        choice.kept.setdefault(reason, []).append(label(known.node(index)))
    return choice


def label(node: onnx.NodeProto) -> str:
    """A node, named for a reader."""
    return node.name or f"{node.op_type} → {next(iter(node.output), '')}"


def _why_not(known: Known, index: int, keep: Sequence[str], limits: _Limits, choice: Choice) -> str | None:
    """Why a node stays in float32: half a sentence; "" where it has nothing to convert; None where it does not stay."""
    node = known.node(index)
    if any(fnmatchcase(node.op_type, pattern) or fnmatchcase(node.name, pattern) for pattern in keep):
        return "keep names it"
    if has_subgraph(node):
        return "it holds subgraphs"
    if node.op_type in _SCATTERING and any(item.name == "reduction" and item.s != b"none" for item in node.attribute):
        return (
            "it reduces what it scatters, for which onnxruntime's CPU has no float16, so that nothing could be proven"
        )
    schema = known.schema(index)
    if schema is None:
        return "its operator is not ONNX's own, so nothing is known of its types"
    if any(item.name in _TYPED for item in node.attribute):
        return "an attribute of it names the type that it makes"
    variables = {str(formal): _admitted(schema, formal) for formal, _ in _float_values(known, node, schema)}
    made = {formal for formal, name in _float_values(known, node, schema) if name in node.output}
    if any(not variables[formal] for formal in variables if formal in made or formal in _variables(schema)):
        return f"ONNX has {node.op_type} in float32 only at opset {known.opset}"
    flipped = frozenset(formal for formal, admitted in variables.items() if admitted)
    if not flipped:
        return ""
    if any(name and known.scope.type_string(name) != FLOAT for name in _read_outputs(known, node)):
        return "it makes indices or decisions of values"
    if not _has_kernel(node.op_type, flipped):
        table = find_table(RUNTIME)
        return f"onnxruntime has no float16 kernel for {node.op_type} ({table.runtime} {table.version})"
    choice.variables[index] = flipped
    return limits.reason(node, schema, flipped)


def _variables(schema: onnx.defs.OpSchema) -> set[str]:
    return {item.type_param_str for item in schema.type_constraints}


def _admitted(schema: onnx.defs.OpSchema, formal: str) -> bool:
    """Whether a type of a definition may be float16 where it is float32."""
    return any(
        item.type_param_str == formal and HALF in item.allowed_type_strs and FLOAT in item.allowed_type_strs
        for item in schema.type_constraints
    )


def formal_types(schema: onnx.defs.OpSchema, names: Sequence[str], outputs: bool) -> list[tuple[str, str]]:
    """The type that the definition gives to each input or output, and its name in the graph."""
    formals = schema.outputs if outputs else schema.inputs
    if not formals:
        return []
    return [(formals[min(place, len(formals) - 1)].type_str, name) for place, name in enumerate(names)]


def _float_values(known: Known, node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> list[tuple[str, str]]:
    sides = (*formal_types(schema, node.input, False), *formal_types(schema, node.output, True))
    return [(formal, name) for formal, name in sides if known.is_float(name)]


def _read_outputs(known: Known, node: onnx.NodeProto) -> Iterable[str]:
    """Outputs that something reads."""
    return [name for name in node.output if name and (name in known.readers or name in known.returned)]


@cache
def _has_kernel(op: str, variables: frozenset[str]) -> bool:
    """Whether any version of the runtime's kernels for an operator takes these types as float16."""
    return any(
        all("float16" in kinds for name, kinds in row.types if name in variables)
        for row in find_table(RUNTIME).rows(op)
        if row.status in ("full", "partial")
    )


class _Limits:
    """Whether constants fit into float16; each is read once."""

    def __init__(self, known: Known, read: Reader) -> None:
        self._known, self._read = known, read
        self._answers: dict[str, str | None] = {}

    def values(self, name: str) -> NDArray[Any] | None:
        """What a constant or a default holds; None for what is neither."""
        tensor = self._known.held.get(name)
        return None if tensor is None else self._read(tensor)

    def reason(self, node: onnx.NodeProto, schema: onnx.defs.OpSchema, flipped: frozenset[str]) -> str | None:
        """Why a node cannot read its constants in float16; None where it can."""
        for item in node.attribute:
            if item.type == onnx.AttributeProto.FLOAT and LARGEST < abs(item.f) < float("inf"):
                return f"its attribute {item.name} is {item.f:.4g}, and float16 ends at {LARGEST:.0f}"
        for formal, name in formal_types(schema, node.input, False):
            if formal in flipped and name in self._known.constants and self._known.is_float(name):
                if name not in self._answers:
                    self._answers[name] = self._of(name)
                if self._answers[name] is not None:
                    return self._answers[name]
        return None

    def _of(self, name: str) -> str | None:
        values = self.values(name)
        if values is None or not values.size:
            return None
        largest = max(float(np.abs(piece[np.isfinite(piece)]).max(initial=0)) for piece in in_pieces(values))
        if largest > LARGEST:
            return f'its constant "{name}" holds {largest:.4g}, and float16 ends at {LARGEST:.0f}'
        if values.size == 1 and largest and not np.float16(values.reshape(-1)[0]):
            return f'its constant "{name}" is {largest:.4g}, which float16 rounds to 0'
        return None


def _idle(known: Known, choice: Choice, weighted: set[int]) -> list[int]:
    """Nodes of connected parts that have no layer with weights."""
    seen, idle = set[int](), list[int]()
    for start in sorted(choice.half):
        if start in seen:
            continue
        part, waiting = set[int](), [start]
        while waiting:
            index = waiting.pop()
            if index in part:
                continue
            part.add(index)
            node = known.node(index)
            near = [known.makers[name] for name in node.input if known.is_float(name) and name in known.makers]
            near += [reader for name in node.output if known.is_float(name) for reader in known.readers.get(name, ())]
            waiting.extend(other for other in near if other in choice.half)
        seen |= part
        if not part & weighted:
            idle.extend(part)
    return idle
