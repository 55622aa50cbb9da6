"""Texts of a model must be UTF-8, as protobuf has it, and its fields those that the installed onnx knows.

Python's protobuf reads a string that is not UTF-8 as `bytes`, and nothing that works with names expects that. What is
in a field that onnx does not know may change what the model means, and would be lost where something is rewritten.
"""

from __future__ import annotations

from typing import Any

import onnx
from google.protobuf.descriptor import FieldDescriptor  # type: ignore[import-untyped]
from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]
from onnx import ModelProto, TensorProto

from graphkit.errors import ModelError

_SHOWN = 60
_TEXT, _MESSAGE = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_MESSAGE


def check_texts(proto: ModelProto) -> None:
    """See to it that every string in the model is text, and that onnx knows every field.

    Raises:
        ModelError: A string is not UTF-8, or a field is unknown.
    """
    waiting: list[Any] = [proto]
    while waiting:
        message = waiting.pop()
        if len(UnknownFieldSet(message)):
            _refuse_unknown(message)
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


def _refuse_unknown(message: Any) -> None:
    raise ModelError(
        f"a {message.DESCRIPTOR.name} has a field of number {UnknownFieldSet(message)[0].field_number}, which the "
        f"installed onnx {onnx.__version__} does not know: the file is damaged, or a newer onnx has written it; "
        "upgrade onnx, or export the model again"
    )


def _check(message: Any, field: str, value: str | bytes) -> None:
    if isinstance(value, bytes):
        shown = value[:_SHOWN].decode(errors="backslashreplace")
        raise ModelError(
            f'the {field} of a {message.DESCRIPTOR.name} is "{shown}", which is not UTF-8 text; '
            "the file is damaged, or what wrote it is: export or copy it again"
        )
