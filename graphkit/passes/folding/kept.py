"""Reshapes that keep dimensions: what they read back of their own input's shape is written as 0."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit import edit
from graphkit.passes.folding.shapes import integers


def kept_shape(node: gs.Node, opset: int, fixed: frozenset[str]) -> NDArray[np.int64] | None:
    """The constant shape by which a Reshape does the same as by the one that it computes; None where there is none.

    The shape it computes is joined of constants and of dimensions of what is reshaped, each at the place where it is
    there too. Reshape takes a 0 as "this dimension, as it is" (unless allowzero is set), also where it is of size 0.

    Args:
        node: Any node.
        opset: Version of the default operator set.
        fixed: Initializers that a caller may replace.
    """
    if not edit.standard(node, "Reshape") or opset < 5 or len(node.inputs) < 2 or node.attrs.get("allowzero", 0):
        return None
    data, shape = node.inputs[0], node.inputs[1]
    joined = _maker(shape)
    if data.shape is None or joined is None or not edit.standard(joined, "Concat"):
        return None
    sizes: list[int] = []
    read = False
    for part in joined.inputs:
        value = integers(part, fixed)
        if value is not None:
            sizes.extend(int(size) for size in value.ravel())
            continue
        axes = _read_of(part, data, opset, fixed)
        if axes is None or axes != list(range(len(sizes), len(sizes) + len(axes))):
            return None
        sizes.extend(0 for _ in axes)
        read = True
    return np.array(sizes, np.int64) if read else None


def _read_of(tensor: gs.Tensor, data: gs.Tensor, opset: int, fixed: frozenset[str]) -> list[int] | None:
    """The axes of `data` whose sizes a vector holds; None where it holds anything else."""
    node = _maker(tensor)
    if node is None:
        return None
    if edit.standard(node, "Unsqueeze"):
        inner = _maker(node.inputs[0])
        picks = inner if inner is not None and edit.standard(inner, "Gather") else None
        scalar = picks is not None and len(picks.inputs) > 1 and _is_scalar(picks.inputs[1], fixed)
        return _read_of(node.inputs[0], data, opset, fixed) if scalar else None
    if edit.standard(node, "Shape"):
        if node.inputs[0] is not data:
            return None
        start, end = (node.attrs.get("start", 0), node.attrs.get("end")) if opset >= 15 else (0, None)
        return list(range(len(data.shape)))[start:end]
    source = _maker(node.inputs[0]) if edit.standard(node, "Gather", "Slice") and len(node.inputs) > 1 else None
    if source is None or not edit.standard(source, "Shape"):
        return None
    axes = _read_of(node.inputs[0], data, opset, fixed)
    given = [integers(item, fixed) for item in node.inputs[1:]]
    if axes is None or any(value is None for value in given):
        return None
    numbers = [value.ravel().tolist() for value in given if value is not None]
    if node.op == "Gather":
        inside = all(-len(axes) <= index < len(axes) for index in numbers[0])
        return [axes[index] for index in numbers[0]] if inside and node.attrs.get("axis", 0) in (0, -1) else None
    if len(numbers) < 2 or any(len(values) != 1 for values in numbers):
        return None
    firsts = [values[0] for values in numbers]
    start, end = firsts[0], firsts[1]
    axis, step = (firsts[2] if len(firsts) > 2 else 0), (firsts[3] if len(firsts) > 3 else 1)
    return axes[start:end:step] if axis in (0, -1) and step > 0 else None


def _is_scalar(tensor: gs.Tensor, fixed: frozenset[str]) -> bool:
    value = integers(tensor, fixed)
    return value is not None and value.ndim == 0


def _maker(tensor: gs.Tensor) -> gs.Node | None:
    return tensor.inputs[0] if len(tensor.inputs) == 1 else None
