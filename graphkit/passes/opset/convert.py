"""onnx.version_converter, with what it drops put back and what it says made readable."""

from __future__ import annotations

import re
from collections.abc import Iterator

import onnx
from onnx import version_converter

from graphkit.errors import PassRefused
from graphkit.passes.header import restore_header
from graphkit.passes.opset.functions import pin_functions
from graphkit.passes.opset.ir import fitting_ir

_DEFAULT = ("", "ai.onnx")


def convert(proto: onnx.ModelProto, now: int, target: int) -> onnx.ModelProto:
    """A copy of the model at another version of the default operator set.

    Args:
        proto: The model; not changed.
        now: Its version of the default operator set.
        target: The version wanted.

    Raises:
        PassRefused: The converter, the checker or a function is in the way; says which operator and version.
    """
    try:
        converted = version_converter.convert_version(proto, target)
    except Exception as error:
        raise PassRefused(_explain(str(error), proto, now, target)) from error
    if _names(proto) != _names(converted):
        raise PassRefused(
            f"cannot go from opset {now} to {target}: onnx.version_converter changed the graph's inputs or outputs; "
            f"{_ADVICE}{target}"
        )
    # The converter only adds to opset_import's version; domains it saw no node of are dropped.
    del converted.opset_import[:]
    for item in proto.opset_import:
        converted.opset_import.add(domain=item.domain, version=target if item.domain in _DEFAULT else item.version)
    converted.ClearField("functions")
    restore_header(proto, converted)
    pin_functions(converted, now, target)
    _restore_default_domain(converted.graph)
    converted.ir_version = fitting_ir(converted, now, target)
    _check(proto, converted, now, target)
    return converted


_ADVICE = "what helps is a new export: yolo export format=onnx opset="


def _names(proto: onnx.ModelProto) -> tuple[list[str], list[str]]:
    return [item.name for item in proto.graph.input], [item.name for item in proto.graph.output]


def _restore_default_domain(graph: onnx.GraphProto) -> None:
    """The converter writes `domain: ""` out on every node, also in subgraphs; unset means the same."""
    for node in _nodes(graph):
        if node.domain == "":
            node.ClearField("domain")


def _explain(message: str, proto: onnx.ModelProto, now: int, target: int) -> str:
    """One plain sentence from what the converter raised."""
    advice = f"{_ADVICE}{target}"
    if found := re.search(r"No Adapter (From|To) Version \$?(\d+) for (\w+)", message):
        op, version = found[3], found[2]
        where = _places(proto.graph, op)
        between = f"at opset {version}" if found[1] == "From" else f"to opset {version}"
        return f"cannot go from opset {now} to {target}: onnx has no converter for {op} {between}{where}; {advice}"
    if op := _unknown(proto.graph, now):
        where = _places(proto.graph, op)
        return (
            f"cannot go from opset {now} to {target}: onnx knows no operator {op} at opset {now}{where}; "
            "a custom operator needs a domain of its own"
        )
    reason = re.sub(r"^\S+:\d+: \w+: Assertion `.*?` failed: ", "", message.strip()).splitlines() or ["no reason given"]
    return f"cannot go from opset {now} to {target}: onnx.version_converter gave up: {reason[0].rstrip('.')}; {advice}"


def _unknown(graph: onnx.GraphProto, version: int) -> str | None:
    """The first operator of the default domain that does not exist at this version."""
    for node in _nodes(graph):
        if node.domain in _DEFAULT and not onnx.defs.has(node.op_type, version):
            return str(node.op_type)
    return None


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node, those of subgraphs behind those of the graph they are in."""
    todo = [graph]
    while todo:
        for node in todo.pop(0).node:
            yield node
            todo.extend(attribute.g for attribute in node.attribute if attribute.HasField("g"))


def _places(graph: onnx.GraphProto, op: str) -> str:
    """Which nodes, outermost graph first: " (/model.2/Split and 7 more)"."""
    names = [
        node.name or f"{op} → {next((name for name in node.output if name), 'no output')}"
        for node in _nodes(graph)
        if node.op_type == op and node.domain in _DEFAULT
    ]
    if not names:
        return ""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f" ({names[0]}{more})"


def _check(before: onnx.ModelProto, after: onnx.ModelProto, now: int, target: int) -> None:
    """Custom operators are skipped by the checker; a model it rejects before is to blame, not the conversion."""
    try:
        onnx.checker.check_model(after)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        try:
            onnx.checker.check_model(before)
        except Exception:  # noqa: BLE001 - onnx raises several types
            raise PassRefused(f"onnx.checker rejects the model before any conversion: {reason}") from error
        raise PassRefused(
            f"cannot go from opset {now} to {target}: onnx.checker rejects what onnx.version_converter made of it: "
            f"{reason}; {_ADVICE}{target}"
        ) from error
