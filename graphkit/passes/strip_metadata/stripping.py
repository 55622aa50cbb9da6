"""Removing what is no part of the computation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import onnx

from graphkit.model import holders

_PRODUCER = ("producer_name", "producer_version", "domain", "model_version")


def strip(
    proto: onnx.ModelProto, keep: Sequence[str], *, docs: bool, producer: bool
) -> tuple[onnx.ModelProto, dict[str, list[str]]]:
    """A copy without metadata.

    Args:
        proto: The model; not changed.
        keep: Keys of the model's metadata that stay, with wildcards.
        docs: Remove docs, and the metadata of parts of the graph.
        producer: Remove names and versions of producer and model.

    Returns:
        The copy; and what was removed: "metadata" -> keys, "header" -> fields, "docs" and "own metadata" -> the
        names of the parts. Empty where nothing was.
    """
    result = onnx.ModelProto()
    result.CopyFrom(proto)
    removed: dict[str, list[str]] = {}
    stay = [item for item in result.metadata_props if any(fnmatchcase(item.key, pattern) for pattern in keep)]
    gone = [item.key for item in result.metadata_props if all(item is not kept for kept in stay)]
    if gone:
        removed["metadata"] = gone
        pairs = [(item.key, item.value) for item in stay]
        del result.metadata_props[:]
        for key, value in pairs:
            result.metadata_props.add(key=key, value=value)
    if producer:
        fields = [name for name in _PRODUCER if getattr(result, name)]
        for name in fields:
            result.ClearField(name)
        if fields:
            removed["header"] = [name.replace("_", " ") for name in fields]
    if docs:
        for part in _parts(result):
            _clear(part, removed)
    return result, removed


def _clear(part: Any, removed: dict[str, list[str]]) -> None:
    name = str(getattr(part, "name", "")) or type(part).__name__
    if part.doc_string:
        removed.setdefault("docs", []).append(name)
        part.ClearField("doc_string")
    if not isinstance(part, onnx.ModelProto) and getattr(part, "metadata_props", None):
        removed.setdefault("own metadata", []).append(name)
        del part.metadata_props[:]


def _parts(model: onnx.ModelProto) -> Iterator[Any]:
    """Everything that may have docs or metadata."""
    yield model
    for holder in holders(model):
        yield holder
        yield from holder.value_info
        if isinstance(holder, onnx.GraphProto):
            yield from (*holder.input, *holder.output, *holder.initializer)
        else:
            yield from holder.attribute_proto
        for node in holder.node:
            yield node
            yield from node.attribute
            yield from (item.t for item in node.attribute if item.HasField("t"))
