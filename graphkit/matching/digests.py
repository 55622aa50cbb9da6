"""Content hashes of constants and attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, SparseTensorProto, TensorProto

from graphkit.facts import schemas
from graphkit.facts.labels import text
from graphkit.matching.view import Constant, Node

Reader = Callable[[TensorProto], Iterable[NDArray[Any]]]
"""Gives the values of a tensor, flat, in pieces."""
_SIZE = 16
_PLAIN = frozenset(
    getattr(TensorProto, name)
    for name in (
        *("FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE", "BOOL", "COMPLEX64", "COMPLEX128"),
        *("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"),
    )
)
"""Types whose raw_data is the array's bytes; others may be packed."""


def mix(*parts: bytes) -> bytes:
    """One digest of several byte strings, each of any length."""
    found = blake2b(digest_size=_SIZE)
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.digest()


def tensor_constant(tensor: TensorProto, read: Reader) -> Constant:
    """A stored tensor.

    Raises:
        ModelError: Its values cannot be read.
    """
    shape = tuple(int(dim) for dim in tensor.dims)
    inline = tensor.HasField("raw_data") and tensor.data_location != TensorProto.EXTERNAL
    content = [tensor.raw_data] if inline and tensor.data_type in _PLAIN else map(_content, read(tensor))
    return Constant(_named(tensor.data_type, shape, content), tensor.data_type, shape, tensor)


def sparse_constant(sparse: SparseTensorProto) -> Constant:
    """A stored sparse tensor, by its non-zero values and their places."""
    shape = tuple(int(dim) for dim in sparse.dims)
    plain = SparseTensorProto()
    plain.CopyFrom(sparse)
    plain.values.ClearField("name")
    content = plain.SerializeToString(deterministic=True)
    return Constant(mix(b"sparse", content), sparse.values.data_type, shape, sparse)


def node_constant(node: NodeProto, read: Reader) -> Constant | None:
    """What a Constant node makes; None where that is given from outside, as in a function."""
    for item in node.attribute:
        if item.ref_attr_name:
            return None
        if item.name == "value":
            return tensor_constant(item.t, read)
        if item.name == "sparse_value":
            return sparse_constant(item.sparse_tensor)
        if item.name.startswith("value_"):
            return array_constant(_listed(item))
    return None


def array_constant(array: NDArray[Any]) -> Constant:
    """An array, as the tensor that holds the same."""
    kind = TensorProto.STRING if array.dtype == object else onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return Constant(_named(kind, array.shape, [_content(array)]), kind, array.shape, array)


def attribute_digests(node: NodeProto, since: int, read: Reader) -> dict[str, bytes]:
    """Of each attribute but subgraphs; what a node leaves out is what the definition says."""
    found = dict(_defaults(node.op_type, since)) if since else {}
    for item in node.attribute:
        if not item.HasField("g") and not item.graphs:
            found[text(item.name)] = _attribute(item, read)
    return found


def unlike_attributes(left: Node, right: Node) -> list[str]:
    """Attributes that are not the same; what one definition does not know yet and the other has at its default is."""
    found = []
    for name in sorted({*left.attributes, *right.attributes}):
        one, other = left.attributes.get(name), right.attributes.get(name)
        if one == other:
            continue
        if left.op == right.op and left.since and right.since and (one is None or other is None):
            holder = left if other is None else right
            if _defaults(holder.proto.op_type, holder.since).get(name) == holder.attributes[name]:
                continue
        found.append(name)
    return found


@cache
def _defaults(op: str, since: int) -> dict[str, bytes]:
    made = schemas.schema(op, since).attributes
    values = {name: one.default_value for name, one in made.items() if one.default_value.name}
    return {name: _attribute(value, lambda item: [onnx.numpy_helper.to_array(item)]) for name, value in values.items()}


def _attribute(item: AttributeProto, read: Reader) -> bytes:
    if item.ref_attr_name:
        return mix(b"ref", item.ref_attr_name.encode())
    kind = str(item.type).encode()
    if item.type == AttributeProto.TENSOR:
        return mix(kind, tensor_constant(item.t, read).digest)
    if item.type == AttributeProto.TENSORS:
        return mix(kind, *(tensor_constant(tensor, read).digest for tensor in item.tensors))
    # Numbers and strings: the message without its name and its documentation.
    plain = AttributeProto()
    plain.CopyFrom(item)
    plain.ClearField("doc_string")
    plain.ClearField("name")
    return mix(kind, plain.SerializeToString(deterministic=True))


def _listed(item: AttributeProto) -> NDArray[Any]:
    value = onnx.helper.get_attribute_value(item)
    if item.type in (AttributeProto.STRING, AttributeProto.STRINGS):
        strings = value if isinstance(value, list) else [value]
        array = np.empty(len(strings), object)
        array[:] = strings
        return array if isinstance(value, list) else array.reshape(())
    whole = item.type in (AttributeProto.INT, AttributeProto.INTS)
    return np.array(value, np.int64 if whole else np.float32)


def _content(array: NDArray[Any]) -> bytes:
    if array.dtype == object:
        items = (item if isinstance(item, bytes) else str(item).encode() for item in array.ravel())
        # The length in front tells where one text ends; none depends on where a piece does.
        return b"".join(len(item).to_bytes(8, "little") + item for item in items)
    return np.ascontiguousarray(array).tobytes()


def _named(kind: int, shape: tuple[int, ...], content: Iterable[bytes]) -> bytes:
    found = blake2b(digest_size=_SIZE)
    for part in content:
        found.update(part)
    return mix(f"{kind} {shape}".encode(), found.digest())
