"""External data: where a tensor's bytes lie, whether they may be read, and reading them.

A model file is not trusted: a path in it may not leave the folder it lies in, and only a regular file is opened
(ONNX specification, docs/ExternalData.md; CVE-2024-27318 and its kin).
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from graphkit.errors import ModelError
from graphkit.model.types import numpy_type


@dataclass(frozen=True)
class Place:
    """Where the bytes of an external tensor lie.

    Attributes:
        location: The path as the model spells it, relative to the model's folder.
        path: The file, with symbolic links resolved.
        offset: First byte.
        length: Number of bytes.
    """

    location: str
    path: Path
    offset: int
    length: int


def is_external(tensor: TensorProto) -> bool:
    """Whether the bytes lie in another file."""
    return tensor.HasField("data_location") and tensor.data_location == TensorProto.EXTERNAL


def bits_of(element: int) -> int | None:
    """Bits that one element takes in raw_data (2 to 128), or None where there is no fixed number (STRING, unknown)."""
    known = _BITS.get(element)
    if known is not None or element == TensorProto.STRING:
        return known
    dtype = numpy_type(element)
    return int(dtype.itemsize) * 8 if isinstance(dtype, np.dtype) else None


_BITS = {
    getattr(TensorProto, name): bits
    for name, bits in (
        *((name, 4) for name in ("UINT4", "INT4", "FLOAT4E2M1")),
        *((name, 2) for name in ("UINT2", "INT2")),
        *((name, 6) for name in ("FLOAT6E2M3", "FLOAT6E3M2")),
    )
    if hasattr(TensorProto, name)
}


def is_packed(element: int) -> bool:
    """Whether several elements share a byte."""
    return element in _BITS


def expected_bytes(tensor: TensorProto) -> int | None:
    """Bytes that the dims and the type of a tensor demand, or None where that cannot be said.

    Raises:
        ModelError: A dimension is negative.
    """
    count = 1
    for size in tensor.dims:
        if size < 0:
            raise ModelError(f'tensor "{tensor.name}" has a dimension of {size}; export the model again')
        count *= size
    bits = bits_of(tensor.data_type)
    return None if bits is None else (count * bits + 7) // 8


def place(tensor: TensorProto, folder: Path | None) -> Place:
    """Find the bytes of an external tensor and check that they are there, without reading them.

    Raises:
        ModelError: The path leaves the folder, the file is not there or no regular file, or it is too short; or the
            tensor is of a type that has no fixed number of bytes.
    """
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    who = f'tensor "{tensor.name}"'
    if folder is None:
        raise ModelError(f"{who} lies in {location!r}, but the model has no folder; load it from its file instead")
    path = _resolve(location, folder, who)
    size = _size_of(path, location, who)
    offset = _number(entries.get("offset", "0"), "offset", who)
    needed = expected_bytes(tensor)
    if needed is None:
        kind = TensorProto.DataType.Name(tensor.data_type)
        raise ModelError(f"{who} is of type {kind}, which cannot lie in a file of its own; export the model again")
    length = _number(entries["length"], "length", who) if entries.get("length") else needed
    if length != needed:
        raise ModelError(f"{who} needs {needed} bytes but the model says {length} in {location!r}; export it again")
    if length < 0 or offset + length > size:
        raise ModelError(
            f"{who} needs bytes {offset} to {offset + length} of {location!r}, which ends after {size}; "
            "the file was cut off or belongs to another model: copy it again"
        )
    return Place(location, path, offset, length)


def read(tensor: TensorProto, folder: Path | None) -> NDArray[Any]:
    """The values of an external tensor: mapped from the file, copied only when written to.

    Raises:
        ModelError: See `place`.
    """
    where = place(tensor, folder)
    dims = tuple(tensor.dims)
    if is_packed(tensor.data_type) or where.length == 0:
        inline = TensorProto(dims=dims, data_type=tensor.data_type, raw_data=read_bytes(where))
        return np.array(onnx.numpy_helper.to_array(inline))
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
    try:
        mapped = np.memmap(where.path, dtype=np.uint8, mode="c", offset=where.offset, shape=(where.length,))
    except OSError as error:
        raise ModelError(f'"{where.location}" cannot be read: {error.strerror}') from error
    # np.memmap knows no ml_dtypes, so it maps bytes.
    return np.asarray(mapped).view(dtype).reshape(dims)


def stream(tensor: TensorProto, folder: Path | None, count: int) -> Iterator[NDArray[Any]]:
    """The values of an external tensor, flat, `count` at a time (packed types: whole); no more of them is in memory.

    They are read, not mapped: pages of a mapped file count as memory of the process for as long as it is mapped.

    Raises:
        ModelError: See `place`; or the file was cut off since.
    """
    where = place(tensor, folder)
    if is_packed(tensor.data_type) or where.length == 0:
        yield read(tensor, folder).reshape(-1)
        return
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)).newbyteorder("<")
    for start in range(0, where.length, count * dtype.itemsize):
        length = min(count * dtype.itemsize, where.length - start)
        data = read_bytes(replace(where, offset=where.offset + start, length=length))
        if len(data) != length:
            raise ModelError(f'"{where.location}" was cut off while it was read; copy it again')
        yield np.frombuffer(data, np.uint8).view(dtype)


def read_bytes(where: Place) -> bytes:
    """The bytes themselves.

    Raises:
        ModelError: The file cannot be read.
    """
    try:
        with where.path.open("rb") as file:
            file.seek(where.offset)
            return file.read(where.length)
    except OSError as error:
        raise ModelError(f'"{where.location}" cannot be read: {error.strerror}') from error


def _resolve(location: str, folder: Path, who: str) -> Path:
    pure, windows = PurePosixPath(location), PureWindowsPath(location)
    if not location:
        raise ModelError(f"{who} is external but names no file; export the model again")
    if "\0" in location:
        raise ModelError(f"{who} names an impossible file {location!r}; export the model again")
    outside = ModelError(
        f"{who} lies in {location!r}, which is outside the model's folder; "
        "put the data file beside the model and export again, or do not trust this model"
    )
    if pure.is_absolute() or windows.drive or windows.root or ".." in pure.parts or ".." in windows.parts:
        raise outside
    try:
        root = folder.resolve()
        path = (root / location).resolve()
    except (OSError, RuntimeError) as error:
        raise ModelError(f"{who} lies in {location!r}, which cannot be resolved; put the data file there") from error
    if not path.is_relative_to(root):
        raise outside
    return path


def _size_of(path: Path, location: str, who: str) -> int:
    try:
        status = path.stat()
    except OSError as error:
        raise ModelError(
            f"{who} lies in {location!r}, which is not there; put the data file beside the model"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{who} lies in {location!r}, which is not a regular file; put the data file there")
    return status.st_size


def _number(text: str, what: str, who: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise ModelError(f"{who} has {what} {text!r} in its external data, which is no number of bytes; export again")
    return value
