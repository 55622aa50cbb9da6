"""Constant: single numbers, lists and sparse tensors written as a plain tensor."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import SparseTensorProto, TensorProto, numpy_helper

from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.registry import rule
from graphkit.passes.opset.rules.indices import check
from graphkit.passes.opset.site import Site

_TYPES: dict[str, type[np.generic]] = {
    "value_float": np.float32,
    "value_floats": np.float32,
    "value_int": np.int64,
    "value_ints": np.int64,
    "value_string": np.object_,
    "value_strings": np.object_,
}
_MOST = 1 << 26
"""Elements of a sparse tensor that is written out."""


@rule("Constant", 12, 11)
def as_tensor(site: Site) -> None:
    """value_int = n becomes value = a tensor that holds n."""
    for name, dtype in _TYPES.items():
        if site.attribute(name) is not None:
            value = np.array(site.attr(name), dtype)
            site.rewrite(drop=[name], value=numpy_helper.from_array(value))
            return
    derive(site)


@rule("Constant", 11, 9)
def as_dense(site: Site) -> None:
    """sparse_value becomes value."""
    check(site)
    if site.attribute("sparse_value") is not None:
        site.rewrite(drop=["sparse_value"], value=_dense(site, site.attr("sparse_value")))


def _dense(site: Site, sparse: SparseTensorProto) -> TensorProto:
    """The tensor in full. Its indices are flat, or one coordinate a dimension; see SparseTensorProto in onnx.proto."""
    shape = tuple(int(size) for size in sparse.dims)
    if math.prod(shape) > _MOST:
        site.block(f"its sparse value would have {math.prod(shape)} elements written out")
    values, places = numpy_helper.to_array(sparse.values), numpy_helper.to_array(sparse.indices)
    dense = np.zeros(shape, values.dtype) if values.dtype != np.object_ else np.full(shape, "", np.object_)
    if places.ndim == 2:
        dense[tuple(places.T)] = values
    else:
        dense.reshape(-1)[places] = values
    made: TensorProto = onnx.numpy_helper.from_array(dense)
    return made
