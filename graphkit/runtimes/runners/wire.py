"""How a runner's two processes talk: a JSON header and tensors as onnx stores them, each with its length before it.

Pickles would let a process that a hostile model took over run code in this one.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from graphkit.runtimes.runners.contract import Value


@dataclass
class Message:
    """One message.

    Attributes:
        head: Plain data.
        values: Named values.
    """

    head: dict[str, Any]
    values: Mapping[str, Value] = field(default_factory=dict)
    blob: bytes = b""


def send(stream: IO[bytes], message: Message) -> None:
    """Write a message."""
    from onnx import numpy_helper

    blobs: list[bytes] = [message.blob]
    kinds: dict[str, int] = {}
    for name, value in message.values.items():
        items = value if isinstance(value, list) else [] if value is None else [value]
        kinds[name] = len(items) if isinstance(value, list) else -2 if value is None else -1
        blobs += [numpy_helper.from_array(_stored(item)).SerializeToString() for item in items]
    head = {"head": message.head, "kinds": kinds, "sizes": [len(blob) for blob in blobs]}
    text = json.dumps(head).encode()
    stream.write(struct.pack("<Q", len(text)) + text)
    for blob in blobs:
        stream.write(blob)
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read a message; None where the other side has gone."""
    size = stream.read(8)
    if len(size) < 8:
        return None
    text = stream.read(struct.unpack("<Q", size)[0])
    try:
        head = json.loads(text)
        blobs = [_exactly(stream, length) for length in head["sizes"]]
        return Message(head["head"], _values(head["kinds"], blobs[1:]), blobs[0])
    except (ValueError, EOFError):
        return None


def _exactly(stream: IO[bytes], length: int) -> bytes:
    blob = stream.read(length)
    if len(blob) < length:
        raise EOFError
    return blob


def _values(kinds: Mapping[str, int], blobs: list[bytes]) -> dict[str, Value]:
    from onnx import TensorProto, numpy_helper

    values: dict[str, Value] = {}
    arrays = iter([numpy_helper.to_array(TensorProto.FromString(blob)) for blob in blobs])
    for name, kind in kinds.items():
        if kind == -2:
            values[name] = None
        elif kind == -1:
            values[name] = next(arrays)
        else:
            values[name] = [next(arrays) for _ in range(kind)]
    return values


def _stored(value: Any) -> Any:
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind in "US":
        return array.astype(object)
    return array if array.flags.c_contiguous else np.array(array, order="C", ndmin=0)
