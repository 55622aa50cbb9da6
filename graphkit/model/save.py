"""Writing a model, and the data files that it names, without ever changing a file that another model may name."""

from __future__ import annotations

import contextlib
import filecmp
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto

from graphkit.errors import ModelError, WriteError
from graphkit.model import atomic, external, protos
from graphkit.model.load import LIMIT

SMALL = 1024
"""Bytes below which a tensor stays in the model file: what onnx.save takes for it too."""

_ALIGNMENT = 4096
"""Where a tensor starts in a data file, so that it can be mapped (ONNX specification, docs/ExternalData.md)."""


@dataclass(frozen=True)
class Origin:
    """How a model kept its initializers when it was made.

    Attributes:
        external: Whether some were in other files.
        inline: Then, the names of those that were not.
    """

    external: bool = False
    inline: frozenset[str] = frozenset()

    @classmethod
    def of(cls, proto: ModelProto) -> Origin:
        """Look at a model."""
        initializers = proto.graph.initializer
        if not any(external.is_external(tensor) for tensor in initializers):
            return cls()
        return cls(True, frozenset(tensor.name for tensor in initializers if not external.is_external(tensor)))


@dataclass
class _Written:
    """Data files that this save made, to be removed again should it fail."""

    paths: list[Path] = field(default_factory=list)

    def undo(self) -> None:
        for path in self.paths:
            with contextlib.suppress(OSError):
                path.unlink()


def serialise(proto: ModelProto) -> bytes | None:
    """The bytes of a model, or None where it has more than a protobuf message can have."""
    try:
        data = proto.SerializeToString()
    except (protos.EncodeError, ValueError):
        return None
    return data if len(data) <= LIMIT else None


def serialised_parts(proto: ModelProto) -> Iterator[bytes]:
    """The bytes of a model; where it has too many for one message, those of all but its initializers, then of each."""
    data = serialise(proto)
    if data is None:
        rest = ModelProto()
        protos.copy_fields(proto, rest, ("graph",))
        protos.copy_fields(proto.graph, rest.graph, ("initializer",))
        yield rest.SerializeToString()
        for tensor in proto.graph.initializer:
            yield tensor.SerializeToString()
    else:
        yield data


def size_of(proto: ModelProto) -> int:
    """The bytes of a model in one message, without making that message: weights would be in memory three times."""
    around, graph = ModelProto(), onnx.GraphProto()
    protos.copy_fields(proto, around, ("graph",))
    protos.copy_fields(proto.graph, graph, ("initializer",))
    inner = int(graph.ByteSize()) + sum(_field_size(tensor.ByteSize()) for tensor in proto.graph.initializer)
    return int(around.ByteSize()) + (_field_size(inner) if proto.HasField("graph") else 0)


def _field_size(length: int) -> int:
    """Bytes of a message inside another: a tag (one byte below field 16), the length in groups of 7 bits, itself."""
    return 1 + max(1, -(-length.bit_length() // 7)) + length


def save_model(proto: ModelProto, path: Path, folder: Path | None, origin: Origin) -> None:
    """Write `proto` to `path`; see Model.save.

    Args:
        proto: The model; not changed.
        path: The file to write.
        folder: Where the external data of `proto` lies.
        origin: How the model kept its initializers.

    Raises:
        WriteError: It cannot be written; what stood there before still does.
    """
    target = atomic.resolve_target(path)
    written = _Written()
    try:
        proto = _place_data(proto, target, folder, written)
        data: bytes | None = None
        if origin.external:
            known = origin.inline
            proto = _move_out(proto, target, lambda tensor: tensor.name not in known, written)
        data = serialise(proto)
        if data is None:
            proto = _move_out(proto, target, lambda _: True, written)
            data = serialise(proto)
        if data is None:
            raise WriteError(
                f"{path} cannot be written: without its initializers it still has over 2 GiB, and an ONNX file can "
                "have no more; turn Constant nodes into initializers first"
            )
        atomic.write(target, [data])
    except ModelError as error:
        written.undo()
        raise WriteError(f"{path} cannot be written: {error}") from error
    except BaseException:
        written.undo()
        raise


def _place_data(proto: ModelProto, target: Path, folder: Path | None, written: _Written) -> ModelProto:
    """See to it that every data file the model names is found beside `target`; the model, altered where it must be."""
    used = [tensor for tensor in protos.tensors(proto) if external.is_external(tensor)]
    if not used:
        return proto
    places = {place.location: place.path for place in (external.place(tensor, folder) for tensor in used)}
    assert folder is not None
    if folder.samefile(target.parent):
        return proto
    moved = {}
    for location, path in places.items():
        new = _copy_data(path, location, target, written)
        if new != location:
            moved[location] = new
    if not moved:
        return proto
    altered = ModelProto()
    altered.CopyFrom(proto)
    for tensor in protos.tensors(altered):
        if external.is_external(tensor):
            for entry in tensor.external_data:
                if entry.key == "location":
                    entry.value = moved.get(entry.value, entry.value)
    return altered


def _copy_data(path: Path, location: str, target: Path, written: _Written) -> str:
    """Put a copy of a data file beside `target`, under its own name if that is free, and return its location."""
    root = target.parent.resolve()
    wanted = (root / location).resolve()
    if not wanted.is_relative_to(root):
        raise WriteError(f"{target} cannot be written: its data file {location!r} would lie outside its folder")
    if wanted.exists():
        if filecmp.cmp(path, wanted, shallow=False):
            return location
        wanted = _free(root / target.name, path)
        if wanted.exists():
            return wanted.name
    with atomic.temporary(wanted) as scratch:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        _clone(path, scratch)
        atomic.put(scratch, wanted)
    written.paths.append(wanted)
    return wanted.relative_to(root).as_posix()


def _free(target: Path, content: Path) -> Path:
    """The first of `<target>.data`, `<target>.1.data`, … that is not taken, or that holds the very same already."""
    for number in itertools.count():
        candidate = target.with_name(f"{target.name}.{number}.data" if number else f"{target.name}.data")
        if not os.path.lexists(candidate):
            return candidate
        if candidate.is_file() and not candidate.is_symlink() and filecmp.cmp(content, candidate, shallow=False):
            return candidate
    raise AssertionError("count() does not end")


def _clone(source: Path, scratch: Path) -> None:
    """Copy a file; a file system that can shares the blocks."""
    with source.open("rb") as reading, scratch.open("xb") as writing:
        left = os.fstat(reading.fileno()).st_size
        while left > 0:
            try:
                done = os.copy_file_range(reading.fileno(), writing.fileno(), min(left, 1 << 30))
            except (AttributeError, OSError):
                reading.seek(writing.seek(0, os.SEEK_END))
                chunk = reading.read(1 << 24)
                done = writing.write(chunk)
                writing.flush()
            if done == 0:
                break
            left -= done
        os.fsync(writing.fileno())


def _move_out(proto: ModelProto, target: Path, pick: Callable[[TensorProto], bool], written: _Written) -> ModelProto:
    """The model with the initializers that `pick` takes, from SMALL bytes, in a data file of their own."""
    chosen = [index for index, tensor in enumerate(proto.graph.initializer) if _movable(tensor) and pick(tensor)]
    if not chosen:
        return proto
    sizes = [external.expected_bytes(proto.graph.initializer[index]) or 0 for index in chosen]
    offsets = [0, *itertools.accumulate(_aligned(size) for size in sizes)]
    wanted = target.with_name(f"{target.name}.data")
    with atomic.temporary(wanted) as scratch:
        atomic.fill(scratch, _contents((proto.graph.initializer[index] for index in chosen), sizes))
        wanted = _free(target, scratch)
        if not wanted.exists():
            atomic.put(scratch, wanted)
            written.paths.append(wanted)
    where = dict(zip(chosen, zip(offsets, sizes, strict=False), strict=True))
    return _pointing(proto, where, wanted.name)


def _pointing(proto: ModelProto, where: dict[int, tuple[int, int]], location: str) -> ModelProto:
    """A copy of the model whose initializers of these indices lie at an offset, with a length, in `location`."""
    result = ModelProto()
    protos.copy_fields(proto, result, ("graph",))
    protos.copy_fields(proto.graph, result.graph, ("initializer",))
    data = ("raw_data", "float_data", "int32_data", "int64_data", "double_data", "uint64_data")
    for index, tensor in enumerate(proto.graph.initializer):
        added = result.graph.initializer.add()
        if index not in where:
            added.CopyFrom(tensor)
            continue
        protos.copy_fields(tensor, added, data)
        added.data_location = TensorProto.EXTERNAL
        offset, length = where[index]
        for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
            added.external_data.add(key=key, value=value)
    return result


def _movable(tensor: TensorProto) -> bool:
    if external.is_external(tensor):
        return False
    if external.is_packed(tensor.data_type) and not tensor.HasField("raw_data"):
        return False
    return (external.expected_bytes(tensor) or 0) >= SMALL


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _contents(tensors: Iterable[TensorProto], sizes: list[int]) -> Iterator[bytes]:
    for tensor, size in zip(tensors, sizes, strict=True):
        if tensor.HasField("raw_data"):
            data = tensor.raw_data
        else:
            array = onnx.numpy_helper.to_array(tensor)
            data = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
        if len(data) != size:
            raise ModelError(f'tensor "{tensor.name}" holds {len(data)} bytes where its shape needs {size}')
        yield data
        yield bytes(_aligned(size) - size)
