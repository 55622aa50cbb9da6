"""Integers that a graph computes from shapes, as far as they follow without running it."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.dims import Dims
from graphkit.heads.trace import constant, operand, producer

_DEEPEST = 32
Entries = list[int | None]
"""One entry for each element; None where it is known at run time only."""


def entries(tensor: gs.Tensor | None, dims: Dims, depth: int = 0) -> Entries | None:
    """The elements of an integer tensor of rank 0 or 1; None where not even their number is known.

    Exporters compute slice bounds from a Shape whose channels are fixed: Shape → Gather → Add → Div → Mul.
    """
    if tensor is None or depth > _DEEPEST:
        return None
    value = constant(tensor)
    if value is not None:
        return [int(item) for item in value.reshape(-1)] if value.dtype.kind in "iu" and value.ndim < 2 else None
    node = producer(tensor)
    if node is None or not node.inputs:
        return None
    if node.op == "Shape":
        shape = dims.shape(operand(node, 0))
        return None if shape is None or node.attrs.get("start", 0) or "end" in node.attrs else list(shape)
    parts = [entries(source, dims, depth + 1) for source in node.inputs]
    if any(part is None for part in parts):
        return None
    return _combine(node, [part for part in parts if part is not None])


def _combine(node: gs.Node, parts: list[Entries]) -> Entries | None:
    if node.op in ("Identity", "Cast", "Unsqueeze", "Squeeze"):
        return parts[0]
    if node.op == "Concat":
        return [entry for part in parts for entry in part]
    if node.op == "Gather":
        chosen: Entries = []
        for index in parts[1]:
            if index is None or not -len(parts[0]) <= index < len(parts[0]):
                return None
            chosen.append(parts[0][index])
        return chosen
    if node.op in ("Add", "Sub", "Mul", "Div") and len(parts) == 2:
        size = max(map(len, parts))
        if any(len(part) not in (1, size) for part in parts):
            return None
        left, right = (part * size if len(part) == 1 else part for part in parts)
        return [_arithmetic(node.op, a, b) for a, b in zip(left, right, strict=True)]
    return None


def _arithmetic(op: str, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if op == "Div":
        # ONNX truncates towards zero.
        return None if right == 0 else int(np.trunc(left / right)) if abs(left) < 2**50 else None
    return left + right if op == "Add" else left - right if op == "Sub" else left * right
