"""Shapes where the file does not say them, as far as a head needs them.

Exporters leave value_info out, and onnx's own inference loses the channels of a Reshape whose target is put together
at run time from a batch size and a constant. This asks only about the tensors it is asked about, and answers per
dimension: a number where it is certain, else None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.trace import constant, operand, producer

Dim: TypeAlias = int | None
Shape: TypeAlias = list[Dim] | None

_SAME = frozenset(
    {"Identity", "Cast", "Sigmoid", "Softmax", "Relu", "LeakyRelu", "Clip", "HardSwish", "Silu", "Exp", "Sqrt", "Neg"}
)
_BROADCAST = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Where"})
_DEEPEST = 100


class Dims:
    """Answers questions about shapes of one graph, remembering what it found."""

    def __init__(self) -> None:
        self._shapes: dict[int, Shape] = {}

    def shape(self, tensor: gs.Tensor | None, depth: int = 0) -> Shape:
        """The shape, with None for each unknown dimension; None where even the rank is unknown."""
        if tensor is None:
            return None
        key = id(tensor)
        if key not in self._shapes:
            declared = _declared(tensor)
            self._shapes[key] = declared  # what a cycle sees
            if not isinstance(tensor, gs.Constant) and (declared is None or None in declared) and depth < _DEEPEST:
                self._shapes[key] = _merge(declared, self._derived(tensor, depth + 1))
        return self._shapes[key]

    def dim(self, tensor: gs.Tensor, axis: int) -> Dim:
        """One dimension."""
        shape = self.shape(tensor)
        return shape[axis] if shape is not None and -len(shape) <= axis < len(shape) else None

    def _derived(self, tensor: gs.Tensor, depth: int) -> Shape:
        node = producer(tensor)
        if node is None or not node.inputs:
            value = constant(tensor)
            return None if value is None else list(value.shape)
        if node.op in _SAME:
            return self.shape(node.inputs[0], depth)
        if node.op in _BROADCAST:
            return _broadcast([self.shape(source, depth) for source in node.inputs])
        if node.op == "Split":
            return self._split(node, depth, next(i for i, output in enumerate(node.outputs) if output is tensor))
        rule = getattr(self, f"_{node.op.lower()}", None)
        if rule is None or node.op not in {"Transpose", "Concat", "Reshape", "Unsqueeze", "Conv", "Slice"}:
            return None
        result: Shape = rule(node, depth)
        return result

    def _transpose(self, node: gs.Node, depth: int) -> Shape:
        shape = self.shape(node.inputs[0], depth)
        perm = node.attrs.get("perm")
        if shape is None:
            return [None] * len(perm) if perm is not None else None
        order = list(perm) if perm is not None else list(reversed(range(len(shape))))
        return [shape[axis] for axis in order] if sorted(order) == list(range(len(shape))) else None

    def _concat(self, node: gs.Node, depth: int) -> Shape:
        shapes = [self.shape(source, depth) for source in node.inputs]
        known = [shape for shape in shapes if shape is not None]
        if not known or len({len(shape) for shape in known}) != 1:
            return None
        axis, rank = node.attrs.get("axis", 0), len(known[0])
        if not -rank <= axis < rank:
            return None
        result: list[Dim] = [next((s[i] for s in known if s[i] is not None), None) for i in range(rank)]
        parts = [shape[axis] if shape is not None else None for shape in shapes]
        numbers = [part for part in parts if part is not None]
        result[axis] = sum(numbers) if len(numbers) == len(parts) else None
        return result

    def _reshape(self, node: gs.Node, depth: int) -> Shape:
        target = _partial(operand(node, 1))
        if target is None:
            return None
        source = self.shape(node.inputs[0], depth) or []
        result: list[Dim] = []
        for index, size in enumerate(target):
            if size == 0 and not node.attrs.get("allowzero", 0):
                result.append(source[index] if index < len(source) else None)
            else:
                result.append(size if size is not None and size >= 0 else None)
        return result

    def _unsqueeze(self, node: gs.Node, depth: int) -> Shape:
        shape = self.shape(node.inputs[0], depth)
        axes = node.attrs.get("axes", constant(operand(node, 1)))
        if shape is None or axes is None:
            return None
        rank = len(shape) + len(axes)
        places = {int(axis) % rank for axis in axes}
        rest = iter(shape)
        return [1 if axis in places else next(rest, None) for axis in range(rank)] if len(places) == len(axes) else None

    def _conv(self, node: gs.Node, depth: int) -> Shape:
        weight = self.shape(operand(node, 1), depth)
        if weight is None or len(weight) < 3:
            return None
        data = self.shape(node.inputs[0], depth)
        return [data[0] if data else None, weight[0], *[None] * (len(weight) - 2)]

    def _slice(self, node: gs.Node, depth: int) -> Shape:
        shape = self.shape(node.inputs[0], depth)
        axes = node.attrs.get("axes", constant(operand(node, 3)))
        if not shape or axes is None:
            return None
        cut = [int(axis) % len(shape) for axis in np.asarray(axes).reshape(-1)]
        ranges = [node.attrs.get(name, constant(operand(node, i))) for name, i in (("starts", 1), ("ends", 2))]
        steps = constant(operand(node, 4))
        result: list[Dim] = [None if axis in cut else size for axis, size in enumerate(shape)]
        if all(limit is not None and np.size(limit) == len(cut) for limit in ranges):
            starts, ends = (np.asarray(limit).reshape(-1).tolist() for limit in ranges)
            strides = steps.reshape(-1).tolist() if steps is not None and steps.size == len(cut) else [1] * len(cut)
            for axis, start, end, step in zip(cut, starts, ends, strides, strict=True):
                size = shape[axis]
                if size is not None and step != 0:
                    result[axis] = len(range(*slice(int(start), int(end), int(step)).indices(size)))
        return result

    def _split(self, node: gs.Node, depth: int, index: int) -> Shape:
        shape = self.shape(node.inputs[0], depth)
        if not shape:
            return None
        cut = int(node.attrs.get("axis", 0)) % len(shape)
        result: list[Dim] = [None if axis == cut else size for axis, size in enumerate(shape)]
        sizes = node.attrs.get("split", constant(operand(node, 1)))
        total = shape[cut]
        if sizes is not None and np.size(sizes) == len(node.outputs):
            result[cut] = int(np.asarray(sizes).reshape(-1)[index])
        elif sizes is None and total is not None:
            part = -(-total // len(node.outputs))
            result[cut] = min(part, max(total - part * index, 0))
        return result


def _declared(tensor: gs.Tensor) -> Shape:
    if tensor.shape is None:
        return None
    return [int(d) if isinstance(d, int | np.integer) and d >= 0 else None for d in tensor.shape]


def _merge(left: Shape, right: Shape) -> Shape:
    if left is None or right is None or len(left) != len(right):
        return left if left is not None else right
    return [a if a is not None else b for a, b in zip(left, right, strict=True)]


def _broadcast(shapes: Sequence[Shape]) -> Shape:
    """A known size above 1 decides; 1 everywhere stays 1; anything else is unknown."""
    known = [shape for shape in shapes if shape is not None]
    if not known:
        return None
    rank = max(map(len, known))
    result: list[Dim] = []
    for axis in range(-rank, 0):
        sizes = [shape[axis] if -axis <= len(shape) else 1 for shape in known]
        large = next((size for size in sizes if size is not None and size != 1), None)
        certain = len(known) == len(shapes) and None not in sizes
        result.append(large if large is not None else 1 if certain else None)
    return result


def _partial(tensor: gs.Tensor | None, depth: int = 0) -> list[Dim] | None:
    """A shape put together at run time: its constant entries, and None for the others."""
    value = constant(tensor)
    if value is not None:
        return [int(entry) for entry in value.reshape(-1)] if value.dtype.kind in "iu" else None
    node = producer(tensor, "Concat", "Unsqueeze", "Cast", "Reshape", "Gather") if tensor is not None else None
    if node is None or depth > _DEEPEST:
        return None
    if node.op == "Concat":
        parts = [_partial(source, depth + 1) for source in node.inputs]
        return None if any(part is None for part in parts) else [entry for part in parts if part for entry in part]
    if node.op == "Gather":
        indices = constant(operand(node, 1))
        return None if indices is None else [None] * indices.size
    return _partial(operand(node, 0), depth + 1)
