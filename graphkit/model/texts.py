"""Texts of a model must be UTF-8, as protobuf has it.

Python's protobuf reads a string that is not as `bytes`, and nothing that works with names expects that.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from onnx import ModelProto, TensorProto

from graphkit.errors import ModelError

_SHOWN = 60
_TEXT, _MESSAGE = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE


def check_texts(proto: ModelProto) -> None:
    """See to it that every string in the model is text.

    Raises:
        ModelError: One is not UTF-8.
    """
    waiting: list[Any] = [proto]
    while waiting:
        message = waiting.pop()
        if isinstance(message, TensorProto):  # all its fields would mean a copy of the weights
            _check(message, "name", message.name)
            _check(message, "doc_string", message.doc_string)
            waiting += (*message.external_data, *message.metadata_props)
            continue
        for field, value in message.ListFields():
            if field.type == _TEXT:
                if not isinstance(value, str):
                    for item in [value] if isinstance(value, bytes) else value:
                        _check(message, field.name, item)
            elif field.type == _MESSAGE:
                # A message has ListFields, a repeated field of messages has not.
                if hasattr(value, "ListFields"):
                    waiting.append(value)
                else:
                    waiting += value


def _check(message: Any, field: str, value: str | bytes) -> None:
    if isinstance(value, bytes):
        shown = value[:_SHOWN].decode(errors="backslashreplace")
        raise ModelError(
            f'the {field} of a {message.DESCRIPTOR.name} is "{shown}", which is not UTF-8 text; '
            "the file is damaged, or what wrote it is: export or copy it again"
        )
