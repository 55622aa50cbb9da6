"""Constant values: read on demand, compared with what they were, written back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import SparseTensorProto, TensorProto
from onnx_graphsurgeon.ir.tensor import LazyValues, SparseValues

from graphkit.errors import ModelError
from graphkit.model import external
from graphkit.model.types import element_type, numpy_type

PIECE = 1 << 20
"""Values that are looked at together where a tensor is looked at in pieces."""


def _nbytes(shape: list[int], dtype: Any) -> int:
    return int(np.prod(shape, dtype=np.int64)) * (dtype.itemsize if isinstance(dtype, np.dtype) else 1)


class LazyTensor(LazyValues):  # type: ignore[misc]
    """Values of a TensorProto, read when first asked for. Unlike gs's: any type, external data, `load` is writable."""

    def __init__(self, tensor: TensorProto, folder: Path | None) -> None:
        self.tensor = tensor
        self.folder = folder
        self.shape = list(tensor.dims)
        self.dtype = numpy_type(tensor.data_type)

    @property
    def nbytes(self) -> int:
        """Bytes of the values once loaded."""
        return _nbytes(self.shape, self.dtype)

    def load(self) -> NDArray[Any]:
        """Read them.

        Raises:
            ModelError: The tensor holds fewer values than it says, is of an unknown type, or its file is gone.
        """
        return read_tensor(self.tensor, self.folder)

    def pieces(self) -> Iterator[NDArray[Any]]:
        """The values, flat and one piece after the other; see `stream_tensor`."""
        return stream_tensor(self.tensor, self.folder)


class LazySparse(SparseValues):  # type: ignore[misc]
    """Values of a SparseTensorProto, dense and in their own type, made when first asked for."""

    def __init__(self, tensor: SparseTensorProto, folder: Path | None) -> None:
        self.tensor = tensor
        self.folder = folder
        self.shape = list(tensor.dims)
        self.dtype = numpy_type(tensor.values.data_type)

    @property
    def nbytes(self) -> int:
        """Bytes of the dense values."""
        return _nbytes(self.shape, self.dtype)

    def load(self) -> NDArray[Any]:
        """Make them. Indices are [NNZ] (into the flat array) or [NNZ, rank] (SparseTensorProto, onnx.proto).

        Raises:
            ModelError: Values and indices do not fit together.
        """
        name = self.tensor.values.name
        values = read_tensor(self.tensor.values, self.folder)
        indices = read_tensor(self.tensor.indices, self.folder)
        dense = np.zeros(self.shape, values.dtype)
        try:
            if indices.ndim == 2:
                dense[tuple(indices.T)] = values
            else:
                dense.reshape(-1)[indices] = values
        except (IndexError, ValueError) as error:
            raise ModelError(f'sparse tensor "{name}" has indices that do not fit its shape; export again') from error
        return dense


def read_tensor(tensor: TensorProto, folder: Path | None) -> NDArray[Any]:
    """The values of a TensorProto, inline or external, as an array that may be written to.

    Raises:
        ModelError: The tensor holds fewer values than it says, is of an unknown type, or its file is gone.
    """
    if external.is_external(tensor):
        return external.read(tensor, folder)
    try:
        if tensor.data_type == TensorProto.STRING:
            return _strings(tensor)
        return np.array(onnx.numpy_helper.to_array(tensor))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f'tensor "{tensor.name}" cannot be read: its values do not fit its type and shape; export it again'
        ) from error


def stream_tensor(tensor: TensorProto, folder: Path | None) -> Iterator[NDArray[Any]]:
    """The values of a TensorProto, flat, `PIECE` at a time, at least one piece; of external data no more is in memory.

    Raises:
        ModelError: See `read_tensor`.
    """
    if external.is_external(tensor):
        pieces = external.stream(tensor, folder, PIECE)
    else:
        pieces = iter((read_tensor(tensor, folder),))
    for piece in pieces:
        yield from in_pieces(piece)


def in_pieces(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Values that are in memory, flat, `PIECE` at a time, at least one piece: what is made of one need not be large."""
    flat = values.reshape(-1)
    for start in range(0, max(flat.size, 1), PIECE):
        yield flat[start : start + PIECE]


def _strings(tensor: TensorProto) -> NDArray[Any]:
    """Str where all of them are UTF-8, else bytes: STRING holds either (onnx.proto, TensorProto.string_data)."""
    items: list[Any] = list(tensor.string_data)
    with contextlib.suppress(UnicodeDecodeError):
        items = [item.decode() for item in items]
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(tuple(tensor.dims))


def values_of(constant: Any) -> Any:
    """What a gs.Constant holds now (lazy values or an array), without loading it."""
    return constant.__dict__["_values"]


def same_values(constant: Any, template: TensorProto | SparseTensorProto) -> bool:
    """Whether a gs.Constant holds, to the bit, what `template` holds."""
    values = values_of(constant)
    if isinstance(values, LazyValues):
        return values.tensor is template or values.tensor == template
    folder = home_folder(constant)
    lazy = LazySparse(template, folder) if isinstance(template, SparseTensorProto) else LazyTensor(template, folder)
    array = np.asarray(values)
    if list(array.shape) != lazy.shape or _target(constant) != _element(template):
        return False
    try:
        return identical(array, lazy.load())
    except ModelError:  # what cannot be read any more is not what the constant holds
        return False


def identical(one: NDArray[Any], two: NDArray[Any]) -> bool:
    """Same type, same shape and the same bits."""
    if one.shape != two.shape or one.dtype.newbyteorder("=") != two.dtype.newbyteorder("="):
        return False
    if one.dtype == object:
        return all(_text(a) == _text(b) for a, b in zip(one.ravel(), two.ravel(), strict=True))
    return _bytes(one) == _bytes(two)


def write_tensor(constant: Any, template: TensorProto | SparseTensorProto | None) -> TensorProto | SparseTensorProto:
    """A gs.Constant as a proto. Unchanged values are handed on as they were encoded; a new name is put in a copy.

    Args:
        constant: The gs.Constant.
        template: What it was read from, or what stood under its name; gives doc_string and metadata.

    Raises:
        ModelError: The values are of a type that ONNX does not know.
    """
    values = values_of(constant)
    if isinstance(values, LazyValues):
        return _renamed(values.tensor, constant.name)
    if template is not None and same_values(constant, template):
        return _renamed(template, constant.name)
    made = _make(constant)
    if isinstance(template, TensorProto):
        made.metadata_props.extend(template.metadata_props)
        if template.HasField("doc_string"):
            made.doc_string = template.doc_string
    return made


def home_folder(constant: Any) -> Path | None:
    """The folder that a constant's external data lies in."""
    home = constant.__dict__.get("home")
    return None if home is None else home.folder


def _make(constant: Any) -> TensorProto:
    array = np.asarray(values_of(constant))
    target = _target(constant)
    if array.dtype.kind in "US":
        array = array.astype(object)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if target != element_type(array.dtype):
        wanted = numpy_type(target)
        if not isinstance(wanted, np.dtype):
            raise ModelError(f'constant "{constant.name}" cannot be written as ONNX type {target}; use ml_dtypes')
        array = array.astype(wanted)
    return onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), constant.name)


def _target(constant: Any) -> int:
    """The element type that a constant is to have in the file."""
    wanted = constant.__dict__.get("_export_dtype")
    return element_type(np.asarray(values_of(constant)).dtype if wanted is None else wanted)


def _element(template: TensorProto | SparseTensorProto) -> int:
    return template.values.data_type if isinstance(template, SparseTensorProto) else template.data_type


def _renamed(template: TensorProto | SparseTensorProto, name: str) -> TensorProto | SparseTensorProto:
    if isinstance(template, SparseTensorProto):
        if template.values.name == name:
            return template
        sparse = SparseTensorProto()
        sparse.CopyFrom(template)
        sparse.values.name = name
        return sparse
    if template.name == name:
        return template
    dense = TensorProto()
    dense.CopyFrom(template)
    dense.name = name
    return dense


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _text(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
