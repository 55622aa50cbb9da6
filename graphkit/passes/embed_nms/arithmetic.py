"""The few steps of which the unrolled backend is made, in the operators that the poorest runtimes have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension
from graphkit.passes.emit import Emitter


def number(emit: Emitter, value: float, hint: str = "number") -> gs.Constant:
    """A float32 constant of one element and rank 1, which elementwise operators take on either side everywhere."""
    return emit.constant(np.array([value], np.float32), hint)


def op(emit: Emitter, name: str, *inputs: gs.Tensor, like: gs.Tensor | None = None, hint: str = "") -> gs.Variable:
    """An elementwise operator whose result has the shape of `like`, else of the first input."""
    shape = (inputs[0] if like is None else like).shape
    made: gs.Variable = emit.node(name, *inputs, dtype=np.float32, shape=shape, hint=hint)
    return made


def times(emit: Emitter, tensor: gs.Tensor, factor: float) -> gs.Variable:
    """The tensor times a number."""
    return op(emit, "Mul", tensor, number(emit, factor))


def one_at_most(emit: Emitter, tensor: gs.Tensor) -> gs.Variable:
    """Values kept in -1..1: NNAPI clips to these bounds and to 0..6 only."""
    bounds = [emit.constant(np.array(value, np.float32), "bound") for value in (-1.0, 1.0)]
    return op(emit, "Clip", tensor, *bounds)


def reshape(emit: Emitter, tensor: gs.Tensor, shape: Sequence[Dimension]) -> gs.Variable:
    """Another arrangement of the same numbers; a batch that is not fixed may stand first."""
    target = [-1 if isinstance(size, str) else size for size in shape]
    made: gs.Variable = emit.node(
        "Reshape", tensor, emit.constant(np.array(target, np.int64), "shape"), dtype=np.float32, shape=shape
    )
    return made


def columns(emit: Emitter, table: gs.Tensor, first: int, last: int) -> gs.Variable:
    """Columns `first` up to `last` of [B, F, K, N]."""
    bounds = [emit.constant(np.array([value], np.int64), "bound") for value in (first, last, 1)]
    shape = [table.shape[0], last - first, *table.shape[2:]]
    made: gs.Variable = emit.node("Slice", table, *bounds, dtype=np.float32, shape=shape, hint="columns")
    return made


def join(emit: Emitter, parts: Sequence[gs.Tensor], axis: int, hint: str) -> gs.Tensor:
    """Tensors side by side; one alone stays what it is."""
    if len(parts) == 1:
        return parts[0]
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    made: gs.Tensor = emit.node("Concat", *parts, dtype=np.float32, shape=shape, hint=hint, axis=axis)
    return made


def halves(emit: Emitter, tensor: gs.Tensor) -> list[gs.Variable]:
    """[B, 2 n, 1, N] as two [B, n, 1, N]."""
    size = tensor.shape[1] // 2
    shape = [tensor.shape[0], size, *tensor.shape[2:]]
    attrs: dict[str, Any] = {"split": [size, size]} if emit.opset < 13 else {}
    inputs = [tensor] if emit.opset < 13 else [tensor, emit.constant(np.array([size, size], np.int64), "sizes")]
    return emit.nodes("Split", inputs, [(np.float32, shape)] * 2, axis=1, **attrs)


def largest(emit: Emitter, rows: Sequence[gs.Tensor], hint: str = "largest") -> gs.Variable:
    """The largest of each column over tensors [B, F, R, N]: [B, F, 1, N]. Not every runtime has Max or ReduceMax."""
    table = join(emit, rows, 2, "rows")
    shape = [*table.shape[:2], 1, table.shape[3]]
    made: gs.Variable = emit.node(
        "MaxPool", table, dtype=np.float32, shape=shape, hint=hint, kernel_shape=[int(table.shape[2]), 1]
    )
    return made


def largest_number(emit: Emitter, rows: gs.Tensor, low: float) -> gs.Variable:
    """The largest of each column of [B, F, R, N] and `low`, for a column of NaN `low`: [B, F, 1, N].

    Of a NaN and a number some pooling keeps what it has, some what comes last; with `low` before and behind the rows
    either finds a number. Pooling that hands NaN on does so here too.
    """
    batch = rows.shape[0]
    if isinstance(batch, int):
        edge = emit.constant(np.full((batch, rows.shape[1], 1, rows.shape[3]), low, np.float32), "edge")
        return largest(emit, [edge, rows, edge])
    pads = emit.constant(np.array([0, 0, 1, 0, 0, 0, 1, 0], np.int64), "pads")
    shape = [*rows.shape[:2], rows.shape[2] + 2, rows.shape[3]]
    value = emit.constant(np.array(low, np.float32), "edge")
    return largest(emit, [emit.node("Pad", rows, pads, value, dtype=np.float32, shape=shape, hint="edged")])


def pooled(emit: Emitter, tensor: gs.Tensor, hint: str) -> gs.Variable:
    """The largest value of each column of [B, F, K, N]: [B, F, 1, 1]."""
    shape = [*tensor.shape[:2], 1, 1]
    made: gs.Variable = emit.node("GlobalMaxPool", tensor, dtype=np.float32, shape=shape, hint=hint)
    return made
