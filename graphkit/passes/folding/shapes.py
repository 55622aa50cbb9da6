"""Shape, and Gather or Slice of a Shape, where the dimensions that are read are fixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit import edit


def fixed_shape(node: gs.Node, opset: int, fixed: frozenset[str]) -> NDArray[np.int64] | None:
    """The int64 value of the node's output, or None where it is not known ahead.

    onnx-graphsurgeon can fold these too, but along with it drops Casts around shape arithmetic, which turns a factor
    of 0.5 into 0; so this is done here.

    Args:
        node: Any node.
        opset: Version of the default operator set.
        fixed: Initializers that a caller may replace.
    """
    if edit.standard(node, "Shape"):
        picked = _dims(node, opset)
    elif edit.standard(node, "Gather", "Slice") and len(node.inputs) > 1:
        producer = node.inputs[0].inputs[0] if len(node.inputs[0].inputs) == 1 else None
        dims = _dims(producer, opset) if producer is not None and edit.standard(producer, "Shape") else None
        pick = _gather if node.op == "Gather" else _slice
        picked = None if dims is None else pick(node, dims, fixed)
    else:
        return None
    # A dimension of -1 is how some exporters write "unknown".
    if picked is None or not all(isinstance(dim, int) and dim >= 0 for dim in picked.ravel()):
        return None
    return np.array(picked, dtype=np.int64)


def _dims(node: gs.Node, opset: int) -> NDArray[Any] | None:
    """What Shape returns, with a name or None in the place of every unknown dimension."""
    if len(node.inputs) != 1 or node.inputs[0].shape is None:
        return None
    shape = node.inputs[0].shape
    start, end = (node.attrs.get("start", 0), node.attrs.get("end")) if opset >= 15 else (0, None)
    if not isinstance(start, int) or not isinstance(end, int | None):
        return None
    dims = np.empty(len(shape), dtype=object)
    dims[:] = [int(dim) if isinstance(dim, int | np.integer) else dim for dim in shape]
    return dims[start:end]


def integers(tensor: gs.Tensor, fixed: frozenset[str]) -> NDArray[Any] | None:
    """The value of a constant of whole numbers, which no caller may replace; None for anything else."""
    values = None if tensor.name in fixed else edit.constant_value(tensor)
    return values if values is not None and values.dtype.kind == "i" else None


def _gather(node: gs.Node, dims: NDArray[Any], fixed: frozenset[str]) -> NDArray[Any] | None:
    indices = integers(node.inputs[1], fixed)
    if indices is None or node.attrs.get("axis", 0) not in (0, -1) or not len(dims):
        return None
    if ((indices < -len(dims)) | (indices >= len(dims))).any():
        return None
    picked = np.empty(indices.shape, dtype=object)
    picked[...] = dims[indices]
    return picked


def _slice(node: gs.Node, dims: NDArray[Any], fixed: frozenset[str]) -> NDArray[Any] | None:
    """Slice-10 and newer, over its one axis."""
    values: list[int] = []
    for position, default in ((1, 0), (2, 0), (3, 0), (4, 1)):
        tensor = node.inputs[position] if len(node.inputs) > position else None
        if tensor is None or tensor.is_empty():
            if position < 3:
                return None
            values.append(default)
            continue
        given = integers(tensor, fixed)
        if given is None or given.size != 1:
            return None
        values.append(int(given.ravel()[0]))
    start, end, axis, step = values
    return dims[start:end:step] if axis in (0, -1) and step > 0 else None
