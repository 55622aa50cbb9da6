"""Naming nodes for a reader."""

from __future__ import annotations

from onnx import NodeProto


def label(node: NodeProto) -> str:
    """Name a node for a reader: its name, or the operator and its first output where it has none."""
    if node.name:
        return text(node.name)
    return f"{text(node.op_type)} → {text(next((name for name in node.output if name), 'no output'))}"


def text(name: str | bytes) -> str:
    """A name: protobuf gives bytes for one that is not UTF-8, as in a broken file."""
    return name if isinstance(name, str) else name.decode("utf-8", "replace")
