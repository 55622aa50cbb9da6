"""Types as gs spells them (dtype, shape, kind) and as ONNX does (TypeProto)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import TypeProto

from graphkit.errors import ModelError

Signature = tuple[int, tuple[Any, ...] | None, str]
"""Element type (TensorProto.DataType, 0 for unknown), shape (None for unknown rank) and kind, as gs.Variable holds."""

TENSOR = "tensor_type"
UNKNOWN: Signature = (0, None, TENSOR)


@lru_cache(maxsize=256)
def element_type(dtype: Any) -> int:
    """The TensorProto.DataType of what gs keeps in `dtype`: a numpy type, the number itself, or None (0).

    Raises:
        ModelError: ONNX has no such type.
    """
    if dtype is None:
        return 0
    if isinstance(dtype, (int, np.integer)):
        return int(dtype)
    try:
        resolved = np.dtype(dtype).newbyteorder("=")
        if resolved.kind in "US":
            return int(onnx.TensorProto.STRING)
        return int(onnx.helper.np_dtype_to_tensor_dtype(resolved))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"ONNX has no type for {dtype!r}; use a numpy type that ONNX knows, such as float32"
        ) from error


@lru_cache(maxsize=256)
def numpy_type(element: int) -> Any:
    """What gs keeps for a TensorProto.DataType: a numpy type if one stands for it and back again, else the number."""
    if element == 0:
        return None
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(element))
        return dtype if onnx.helper.np_dtype_to_tensor_dtype(dtype) == element else element
    except (KeyError, TypeError, ValueError):
        return element


def signature_of(kind: TypeProto) -> Signature:
    """Element type, shape and kind of a TypeProto; a sequence or optional has those of what is innermost."""
    name = kind.WhichOneof("value") or TENSOR
    leaf = _leaf(kind)
    if leaf is None:
        return 0, None, name
    shape = tuple(_dimension(dim) for dim in leaf.shape.dim) if leaf.HasField("shape") else None
    return leaf.elem_type, shape, name


def signature(tensor: Any) -> Signature:
    """Element type, shape and kind of a gs tensor as it stands."""
    shape = tensor.shape
    return (
        element_type(tensor.dtype),
        None if shape is None else tuple(shape),
        tensor.__dict__.get("type", TENSOR) or TENSOR,
    )


def make_type(current: Signature, template: TypeProto | None = None) -> TypeProto:
    """A TypeProto for a gs tensor; denotations and whatever gs does not hold come from `template`."""
    element, shape, name = current
    result = TypeProto()
    if template is not None and (template.WhichOneof("value") or TENSOR) == name:
        result.CopyFrom(template)
    leaf = _leaf(result) if result.WhichOneof("value") else _start(result, name)
    if leaf is None:  # a map or an opaque type: gs cannot say more about it than the template does
        return result
    if element:
        leaf.elem_type = element
    denotations = [dim.denotation for dim in leaf.shape.dim] if leaf.HasField("shape") else []
    leaf.ClearField("shape")
    if shape is not None:
        leaf.shape.SetInParent()
        for index, size in enumerate(shape):
            dim = leaf.shape.dim.add()
            _set_dimension(dim, size)
            if len(denotations) == len(shape) and denotations[index]:
                dim.denotation = denotations[index]
    return result


def _leaf(kind: TypeProto) -> Any:
    """The innermost Tensor or SparseTensor of a type, or None where there is none (map, opaque, nothing)."""
    while True:
        which = kind.WhichOneof("value")
        if which in ("tensor_type", "sparse_tensor_type"):
            return getattr(kind, which)
        if which not in ("sequence_type", "optional_type"):
            return None
        kind = getattr(kind, which).elem_type


def _start(kind: TypeProto, name: str) -> Any:
    """Make `kind` a fresh type of that name and return its leaf."""
    if name == "sparse_tensor_type":
        kind.sparse_tensor_type.SetInParent()
    elif name in ("sequence_type", "optional_type"):
        getattr(kind, name).elem_type.tensor_type.SetInParent()
    elif name in ("map_type", "opaque_type"):
        getattr(kind, name).SetInParent()
    else:
        kind.tensor_type.SetInParent()
    return _leaf(kind)


def _dimension(dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    which = dim.WhichOneof("value")
    return None if which is None else getattr(dim, which)


def _set_dimension(dim: onnx.TensorShapeProto.Dimension, size: Any) -> None:
    if isinstance(size, (int, np.integer)):
        if size >= 0:  # gs.Tensor.DYNAMIC is -1; ONNX says "unknown" with an empty dimension
            dim.dim_value = int(size)
    elif size is not None:
        dim.dim_param = str(size)
