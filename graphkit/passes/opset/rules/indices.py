"""Indices and axes that count from the back, which most operators take from opset 11 on only."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.model import standard_domain
from graphkit.passes.opset.difference import check_types, difference
from graphkit.passes.opset.site import Site

_DEPTH = 16
_UNSIGNED = (TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64)
_COUNTS = {"ArgMax": 0, "ArgMin": 0, "NonMaxSuppression": 0, "NonZero": 0, "Shape": 0, "Size": 0, "TopK": 1}
"""Operators that give positions and sizes, with the output that does."""

_MOVES = frozenset(
    [
        "Compress",
        "Expand",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Squeeze",
        "Tile",
        "Transpose",
        "Unsqueeze",
    ]
)
"""Operators whose output holds nothing that their first input does not hold."""


def check(site: Site) -> None:
    """Hold the node's types to the definition that it goes to.

    Raises:
        Blocked: One is not admitted there.
    """
    assert site.new is not None
    check_types(site, difference(site.op, site.old, site.new))


def front(site: Site, axis: int, *like: str, more: int = 0) -> int:
    """An axis counted from the front.

    Args:
        site: The node.
        axis: The axis.
        like: Tensors that have the rank it counts in; one whose rank is known will do.
        more: Dimensions that it counts in besides.

    Raises:
        Blocked: It counts from the back, and the rank is not known.
    """
    if axis >= 0:
        return axis
    rank = next((found for name in like if name and (found := site.rank(name)) is not None), None)
    if rank is None:
        site.block(
            f'its axis {axis} counts from the back, and the rank of "{like[0]}", to count from the front, is not known',
            "simplify or a declared value_info tells shapes",
        )
    return site.axes([axis], rank + more)[0]


def dimension(site: Site, name: str, axis: int) -> int | None:
    """The size of a tensor along an axis; None where it is not known."""
    shape = site.shape(name)
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    size = shape[axis]
    return size if isinstance(size, int) else None


def measured(site: Site, name: str, axis: int, element: int = TensorProto.INT64) -> str:
    """The name of a scalar that is the size of a tensor along an axis: a constant where it is known."""
    size = dimension(site, name, axis)
    if size is not None:
        return site.like(size, element, "size")
    shape = site.emit("Shape", name)
    place = site.const(axis if site.to >= 11 else front(site, axis, name), hint="axis")
    found = site.emit("Gather", shape, place, axis=0, hint="size")
    return found if element == TensorProto.INT64 else site.cast(found, element)


def wrapped(site: Site, index: str, size: str, element: int) -> str:
    """Indices counted from the front: i < 0 ? i + size : i."""
    zero = site.like(0, element, "zero")
    less = site.emit("Less", index, zero, hint="negative")
    return site.emit("Where", less, site.emit("Add", index, size, hint="wrapped"), index, hint="indices")


def never_negative(site: Site, name: str, depth: int = 0) -> bool:
    """Whether no element of a tensor of integers can be negative, as far as its origin shows."""
    value = site.value(name)
    if value is not None:
        return bool(np.all(value >= 0))
    if site.element(name) in _UNSIGNED:
        return True
    made = site.scope.maker(name)
    if made is None or depth > _DEPTH or not standard_domain(made[0].domain):
        return False
    node = made[0]
    if node.op_type in _COUNTS:
        place = _COUNTS[node.op_type]
        return place < len(node.output) and node.output[place] == name
    if node.op_type in _MOVES:
        return never_negative(site, node.input[0], depth + 1)
    if node.op_type == "Cast":
        wide = site.element(name) == TensorProto.INT64 and site.element(node.input[0]) in (
            TensorProto.BOOL,
            TensorProto.INT32,
            TensorProto.INT64,
            *_UNSIGNED[:3],
        )
        boolean = site.element(node.input[0]) == TensorProto.BOOL
        return wide and (boolean or never_negative(site, node.input[0], depth + 1))
    if node.op_type == "Concat":
        return all(never_negative(site, item, depth + 1) for item in node.input)
    return False
