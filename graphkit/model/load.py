"""Reading a model file, and saying in one sentence what is wrong with it."""

from __future__ import annotations

import hashlib
import math
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import onnx
from onnx import ModelProto

from graphkit.errors import ModelError
from graphkit.model import external, protos
from graphkit.model.definitions import check_nodes, check_types
from graphkit.model.texts import check_texts

LIMIT = 2**31 - 1
"""Bytes that one protobuf message can have."""

_NEWEST = 2**31 - 1
"""The largest version of an operator set that onnx can be asked for."""


@dataclass(frozen=True)
class Loaded:
    """What was read: the proto, and the hash of the file's bytes in hex."""

    proto: ModelProto
    sha256: str


def read_model(path: Path) -> Loaded:
    """Read and check a model file. External data is looked at, not read; nothing in the file is executed.

    Raises:
        ModelError: See Model.load.
    """
    data = _read(path)
    try:
        proto = _parse(data)
        check_model(proto, path.parent)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return Loaded(proto, hashlib.sha256(data).hexdigest())


def check_model(proto: ModelProto, folder: Path | None) -> None:
    """Check what everything else relies on.

    Texts are text, fields and versions known, nodes as their operators are defined; tensors hold what they say, and
    external data is in place.

    Raises:
        ModelError: One of these does not hold.
    """
    if not proto.HasField("graph"):
        raise ModelError("it is an ONNX file without a graph, so there is nothing to work on; export the model again")
    check_texts(proto)
    _check_versions(proto)
    check_nodes(proto)
    check_types(proto)
    for tensor in protos.tensors(proto):
        if external.is_external(tensor):
            external.place(tensor, folder)
        else:
            _check_inline(tensor)


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ModelError(f"{path} is a folder; give the .onnx file in it")
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a regular file; give an .onnx file")
        if status.st_size > LIMIT:
            raise ModelError(
                f"{path} has {status.st_size / 2**30:.1f} GiB, and an ONNX file can have no more than 2; "
                "export it with external data, which puts the weights into a file of their own"
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"{path} is not there; check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"{path} cannot be read ({reason}); check the path and its permissions") from error
    if not data:
        raise ModelError(f"{path} is empty; export or copy it again")
    return data


def _parse(data: bytes) -> ModelProto:
    guess = _recognise(data)
    if guess:
        raise ModelError(guess)
    try:
        proto = ModelProto()
        proto.ParseFromString(data)
    except protos.DecodeError as error:
        missing = _missing_bytes(data)
        if missing:
            raise ModelError(
                f"it was cut off, at least {missing} bytes are missing at its end; export or copy it again"
            ) from error
        raise ModelError("it is not an ONNX file; give a model in ONNX format") from error
    if not proto.HasField("graph") and not proto.ir_version:
        raise ModelError("it is not an ONNX file; give a model in ONNX format")
    return proto


def _recognise(data: bytes) -> str | None:
    """What else a file is, by its first bytes; None if it may be ONNX."""
    if data.startswith(b"PK\x03\x04"):
        return (
            "it is a zip archive, as PyTorch writes (.pt), not an ONNX file; "
            "export it first: yolo export model=… format=onnx"
        )
    if data.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")):
        return "it is a Python pickle, as older PyTorch writes (.pt), not an ONNX file; export it to ONNX first"
    if data[4:8] == b"TFL3":
        return "it is a TensorFlow Lite model, not an ONNX file; export the original model to ONNX"
    if data.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the model itself; fetch it with git lfs pull"
    start = data[:512].lstrip()
    try:
        text = start.decode()
    except UnicodeDecodeError:
        return None
    if text.startswith(("{", "[")):
        return "it is JSON, not a binary ONNX file; give a model in ONNX format"
    if text.startswith("<") and not data.startswith(b"\x08"):
        return "it is XML or HTML (perhaps a download page), not an ONNX file; download or export it again"
    if all(character.isprintable() or character.isspace() for character in text):
        return "it is text, not a binary ONNX file; give a model in ONNX format"
    return None


def _missing_bytes(data: bytes) -> int:
    """How many bytes a ModelProto that was cut off lacks at least; 0 if it looks like no such thing.

    Walks over the outermost fields only (protobuf encoding: tag, then a varint or a length and that many bytes).
    """
    known = {field.number: field.cpp_type for field in ModelProto.DESCRIPTOR.fields}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag is None or tag >> 3 not in known:
            return 0
        if tag & 7 == 0:
            value, at = _varint(data, at)
            if value is None:
                return 1
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            if length is None:
                return 1
            at += length
        else:
            return 0
    return at - len(data)


def _varint(data: bytes, at: int) -> tuple[int | None, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    return None, at


def _check_versions(proto: ModelProto) -> None:
    known_ir, known_opset = int(onnx.IR_VERSION), onnx.defs.onnx_opset_version()
    if proto.ir_version > known_ir:
        raise ModelError(
            f"it has IR version {proto.ir_version}, and the installed onnx {onnx.__version__} knows up to {known_ir}; "
            "upgrade onnx, or export the model again with an older one"
        )
    for item in (*proto.opset_import, *(item for function in proto.functions for item in function.opset_import)):
        if not 0 <= item.version <= _NEWEST:
            raise ModelError(
                f'it imports version {item.version} of the operators of "{item.domain or "ai.onnx"}", which cannot be; '
                "the file is damaged: export or copy it again"
            )
    _check_imports(proto.opset_import)
    for function in proto.functions:
        _check_imports(function.opset_import)
    opset = max((item.version for item in proto.opset_import if protos.standard_domain(item.domain)), default=None)
    if opset is not None and opset > known_opset:
        raise ModelError(
            f"it is of opset {opset}, and the installed onnx {onnx.__version__} knows up to {known_opset}; "
            f"upgrade onnx, or export the model again with opset={known_opset} or lower"
        )
    if opset is None and proto.ir_version >= 3 and any(protos.uses_standard(node) for node in _nodes(proto)):
        raise ModelError(
            "it does not say which opset its operators are of (no opset_import for the default domain); "
            "export the model again"
        )


def _check_imports(imports: Iterable[onnx.OperatorSetIdProto]) -> None:
    """See to it that operators have one definition: ONNX's own begin at version 1, and no domain has two versions."""
    known: dict[str, int] = {}
    for item in imports:
        domain = "" if protos.standard_domain(item.domain) else item.domain
        if known.setdefault(domain, item.version) != item.version:
            raise ModelError(
                f'it imports versions {known[domain]} and {item.version} of the operators of "{domain or "ai.onnx"}", '
                "so it cannot be told which of them its nodes are of; export the model again"
            )
        if not domain and not item.version:
            raise ModelError(
                'it imports version 0 of the operators of "ai.onnx", which begin at 1; the file is damaged: export or '
                "copy it again"
            )


def _nodes(proto: ModelProto) -> list[onnx.NodeProto]:
    """Nodes of the graph and its subgraphs; functions say themselves which opset they are of."""
    only_graph = ModelProto()
    if any(protos.uses_standard(node) for node in proto.graph.node):
        return [node for node in proto.graph.node if protos.uses_standard(node)][:1]
    only_graph.graph.CopyFrom(proto.graph)
    return [node for holder in protos.holders(only_graph) for node in holder.node]


def _check_inline(tensor: onnx.TensorProto) -> None:
    """See to it that a tensor holds what its shape needs: in bytes, or in numbers (onnx.proto, TensorProto)."""
    needed = external.expected_bytes(tensor)
    if tensor.HasField("raw_data"):
        held = len(tensor.raw_data)
        if needed is not None and held < needed:
            _refuse(tensor, f"{held} bytes", str(needed))
        return
    field = _field(tensor.data_type)
    if not field:
        return
    count = math.prod(tensor.dims)
    if external.is_packed(tensor.data_type) and needed is not None:
        count = needed
    elif tensor.data_type in (onnx.TensorProto.COMPLEX64, onnx.TensorProto.COMPLEX128):
        count *= 2
    held = len(getattr(tensor, field))
    if held < count:
        _refuse(tensor, f"{held} numbers" if field != "string_data" else f"{held} texts", str(count))


@cache
def _field(element: int) -> str:
    """The field in which a tensor of that type has its numbers where it has no bytes; "" where onnx knows none."""
    try:
        return str(onnx.helper.tensor_dtype_to_field(element))
    except (KeyError, ValueError):
        return ""


def _refuse(tensor: onnx.TensorProto, held: str, needed: str) -> None:
    raise ModelError(
        f'tensor "{tensor.name}" holds {held} where its shape {list(tensor.dims)} needs {needed}; '
        "the file is damaged: export or copy it again"
    )
