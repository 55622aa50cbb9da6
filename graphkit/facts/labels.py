"""Naming nodes for a reader."""

from __future__ import annotations

from onnx import NodeProto


def label(node: NodeProto) -> str:
    """Name a node for a reader: its name, or the operator and its first output where it has none."""
    return node.name or f"{node.op_type} → {next((name for name in node.output if name), 'no output')}"
