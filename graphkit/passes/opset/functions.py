"""Model-local functions, which onnx.version_converter drops."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from graphkit.errors import PassRefused

_DEFAULT = ("", "ai.onnx")


def pin_functions(model: onnx.ModelProto, now: int, target: int) -> None:
    """Let every function of `model` import the target version; in place.

    Raises:
        PassRefused: A function uses an operator that changed between the two versions.
    """
    for function in model.functions:
        for item in function.opset_import:
            if item.domain not in _DEFAULT or item.version == target:
                continue
            for node in _nodes(function):
                if node.domain in _DEFAULT and _since(node.op_type, item.version) != _since(node.op_type, target):
                    raise PassRefused(
                        f'cannot go from opset {now} to {target}: the function "{function.name}" uses {node.op_type}, '
                        f"which changed between opset {item.version} and {target}, and onnx converts no functions; "
                        "inline it first"
                    )
            item.version = target


def _nodes(function: onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    todo: list[onnx.FunctionProto | onnx.GraphProto] = [function]
    while todo:
        for node in todo.pop().node:
            yield node
            todo.extend(attribute.g for attribute in node.attribute if attribute.HasField("g"))


def _since(op: str, version: int) -> int | None:
    """The version in which the operator got the definition that holds at `version`; None where there is none."""
    try:
        return int(onnx.defs.get_schema(op, version, "").since_version)
    except onnx.defs.SchemaError:
        return None
