"""Types as onnx.defs spells them."""

from __future__ import annotations

from functools import cache

import onnx
from onnx import TypeProto


def type_string(kind: TypeProto | None) -> str | None:
    """A type as "tensor(float)" or "seq(tensor(int64))"; None where it does not say."""
    if kind is None:
        return None
    which = kind.WhichOneof("value")
    if which in ("tensor_type", "sparse_tensor_type"):
        element = element_name(getattr(kind, which).elem_type)
        return element and f"{'tensor' if which == 'tensor_type' else 'sparse_tensor'}({element})"
    if which in ("sequence_type", "optional_type"):
        inner = type_string(getattr(kind, which).elem_type)
        return inner and f"{'seq' if which == 'sequence_type' else 'optional'}({inner})"
    if which == "map_type":
        key, value = element_name(kind.map_type.key_type), type_string(kind.map_type.value_type)
        return key and value and f"map({key}, {value})"
    return None


@cache
def element_name(element: int) -> str | None:
    """A TensorProto.DataType as onnx.defs spells it: "float", "float16", "float8e4m3fn"; None for none."""
    if not element:
        return None
    try:
        return str(onnx.TensorProto.DataType.Name(element)).lower()
    except ValueError:
        return None


def tensor_type(element: int, shape: tuple[int | str | None, ...] | None) -> TypeProto:
    """The type of a tensor. A size that ONNX cannot say, computed from one that is near its end, is unknown."""
    if shape is not None:
        shape = tuple(None if isinstance(dim, int) and not -(2**63) <= dim < 2**63 else dim for dim in shape)
    return onnx.helper.make_tensor_type_proto(element, shape)
