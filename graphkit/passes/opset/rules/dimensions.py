"""Sizes as tensors, constant where they are known, and counting up to them."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.rules.indices import dimension
from graphkit.passes.opset.site import Site

_MOST = 1 << 12
"""Numbers that are written down rather than computed."""


def extent(site: Site, name: str, axis: int) -> str:
    """The size of a tensor along an axis (counted from the front), as a tensor of one element."""
    return extents(site, name, [axis])


def extents(site: Site, name: str, axes: list[int]) -> str:
    """Sizes of a tensor along axes (counted from the front), as a tensor of one dimension."""
    sizes = [dimension(site, name, axis) for axis in axes]
    known = [size for size in sizes if size is not None]
    if len(known) == len(sizes):
        return site.const(np.array(known, np.int64), hint="sizes")
    return site.emit("Gather", site.emit("Shape", name), site.const(axes, hint="axes"), axis=0, hint="sizes")


def counting(site: Site, size: str) -> str:
    """0, 1, … size - 1 in one dimension, for a size that is a tensor of one element."""
    known = site.value(size)
    if known is not None and int(known.reshape(-1)[0]) <= _MOST:
        return site.const(np.arange(int(known.reshape(-1)[0])), hint="range")
    if site.to >= 11:
        limit = site.emit("Reshape", size, site.const(np.array([], np.int64), hint="shape"), hint="size")
        return site.emit("Range", site.const(0), limit, site.const(1), hint="range")
    # The places of ones among ones, [[0, 1, …]].
    ones = site.emit("ConstantOfShape", size, value=one(), hint="ones")
    return squeeze(site, site.emit("NonZero", ones, hint="places"), [0])


def one() -> TensorProto:
    """The value of a ConstantOfShape that makes integers of 1."""
    return TensorProto(dims=[1], data_type=TensorProto.INT64, int64_data=[1])


def unsqueeze(site: Site, name: str, axes: list[int], to: str | None = None) -> str:
    """Insert dimensions at axes of the result, counted from the front: an attribute before 13."""
    if site.to < 13:
        return site.emit("Unsqueeze", name, axes=axes, to=to)
    return site.emit("Unsqueeze", name, site.const(axes, hint="axes"), to=to)


def squeeze(site: Site, name: str, axes: list[int], to: str | None = None) -> str:
    """Remove dimensions of size 1 at axes counted from the front: an attribute before 13."""
    if site.to < 13:
        return site.emit("Squeeze", name, axes=axes, to=to)
    return site.emit("Squeeze", name, site.const(axes, hint="axes"), to=to)


def typed(site: Site, name: str, element: int) -> str:
    """The tensor in another element type, or itself where it has that."""
    return name if site.element(name) == element else site.cast(name, element)


def join(site: Site, *parts: str) -> str:
    """Tensors of one dimension one behind the other: a constant where all are."""
    values = [site.value(part) for part in parts]
    known = [value.reshape(-1) for value in values if value is not None]
    if len(known) == len(parts):
        return site.const(np.concatenate(known), hint="shape")
    return parts[0] if len(parts) == 1 else site.emit("Concat", *parts, axis=0, hint="shape")


def shape_of(site: Site, name: str) -> str:
    """The shape of a tensor as a tensor, whether its rank is known or not."""
    rank = site.rank(name)
    known = rank is not None and all(dimension(site, name, axis) is not None for axis in range(rank))
    return extents(site, name, list(range(rank or 0))) if known else site.emit("Shape", name)
