"""Reshape: allowzero=1 since opset 14, with which a 0 is a size, instead of that of the input's dimension."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.widening import cast
from graphkit.passes.opset.site import Site


@rule("Reshape", 14, 13)
def without_allowzero(site: Site) -> None:
    """A shape without zeros means the same; one with zeros is of an empty tensor, which is brought to zeros to copy."""
    if site.attribute("allowzero") is None:
        return
    data, shape = site.inputs
    if not site.attr("allowzero") or _no_zero(site, data, shape):
        site.rewrite(drop=["allowzero"])
        return
    sizes = site.shape(shape)
    if sizes is None or len(sizes) != 1 or not isinstance(sizes[0], int):
        site.block("its allowzero=1 does not exist there, and how many sizes its shape has is not known")
    site.rewrite(inputs=[_zeros_to_copy(site, data, sizes[0]), shape], drop=["allowzero"])


def _no_zero(site: Site, data: str, shape: str) -> bool:
    """Whether each 0 in the shape, if any, is what copying the input's dimension gives."""
    dims = site.shape(data)
    value = site.value(shape)
    if value is not None:
        zeros = np.flatnonzero(value == 0)
        return all(dims is not None and place < len(dims) and dims[place] == 0 for place in zeros)
    # A tensor with elements cannot be given a shape with a zero.
    return dims is not None and all(isinstance(size, int) and size > 0 for size in dims)


def _zeros_to_copy(site: Site, data: str, rank: int) -> str:
    """The input in as many dimensions as it gets: [n, 1, …], or all zero where it is empty.

    [n, 1, …, 1] is expanded to [n, min(n, 1), …]: for n > 0 that changes nothing, for n = 0 every dimension becomes
    zero, and a 0 in the shape copies one.
    """
    if rank == 0:
        return data
    column = site.emit("Reshape", data, site.const([-1, *[1] * (rank - 1)], hint="shape"))
    count = site.emit("Shape", site.emit("Reshape", data, site.const([-1], hint="shape")))
    some = cast(site, cast(site, count, TensorProto.BOOL), TensorProto.INT64)
    return site.emit("Expand", column, site.emit("Concat", count, *[some] * (rank - 1), axis=0))
