"""ONNX Runtime's WebGPU and WebNN providers.

WebGPU is two things: kernels in JavaScript (JSEP), which the web's document describes, and the native provider, which
the list from code describes. Both stand in one table, each row with its source.

WebNN's document states opsets of the model ("7-12, 13+", where an operator may be older than 7), and its open ends are
meant: a builder takes what is newer. WebGPU's states versions of kernels, whose open ends cover one definition only.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

from graphkit.errors import UsageError
from graphkit.runtimes.table import Row, Source, Table
from scripts.runtimes.common import Generated, schemas, tsv_rows
from scripts.runtimes.markdown import Cell, rows_of, sentence
from scripts.runtimes.onnxruntime_lists import LISTS, kernel_rows, listed_rows, provider_table
from scripts.runtimes.onnxruntime_snapshots import INTERNAL, NHWC, SNAPSHOTS, WEB, Snapshot, known_names, list_source
from scripts.runtimes.operators import statement

_NATIVE = "native provider; which types its kernel takes is not in the list"
_NO_NATIVE = "the native provider has no kernel"
_JSEP = "kernels in JavaScript (JSEP), not the native provider"
# The document's other remarks are about speed.
_LIMITS = ("not supported", "need implementing mask")
# The core that a web package without statements of its own CPU kernels is at least as new as.
_CORE = {WEB.version: SNAPSHOTS[-1].version}


def tables(sources: Path) -> list[Generated]:
    """The tables of the providers for browsers."""
    result = []
    for snapshot in (*SNAPSHOTS, WEB):
        result.append(_webgpu(snapshot, sources))
        result.append(_webnn(snapshot, sources))
    return result


def _webgpu(snapshot: Snapshot, sources: Path) -> Generated:
    document = snapshot.source("j", "doc", _document_path(snapshot, "webgpu"))
    found = [document]
    rows = []
    for cells in rows_of(snapshot.path(sources, "webgpu-operators.md"), "Operator", "Opset", "Comments"):
        note = sentence(cells.get("Comments", Cell("")).text)
        status: Literal["partial", "full"] = "partial" if any(limit in note for limit in _LIMITS) else "full"
        constraint = f"{note}; {_JSEP}" if note else _JSEP
        if note.startswith("no GPU kernel"):
            constraint = f"{note}: the processor runs it; {_JSEP}"
        for domain, ranges in opset_ranges(cells["Opset"].text):
            rows += [
                statement(
                    cells["Operator"].text,
                    document,
                    status,
                    domain=domain,
                    since=since,
                    until=until,
                    match="kernel",
                    constraint=constraint,
                )
                for since, until in ranges
                if domain != NHWC and cells["Operator"].text not in INTERNAL
            ]
    path = snapshot.path(sources, LISTS, "webgpu-native.tsv")
    if path.exists():
        found.append(list_source(path, "n"))
        rows += _native(path, snapshot, found[-1], sources)
    # The list from code lacks the kernels of com.microsoft, and the document is of the older kernels.
    return _table("onnxruntime-webgpu", "ONNX Runtime, WebGPU", snapshot, sources, found, "unknown"), rows


_FLOATS = (("T", frozenset({"float", "float16"})),)
_FLOAT = (("T", frozenset({"float"})),)
_RANGE = (("T", frozenset({"float", "int32"})),)
# Kernels that are registered with a type in their name, which the list leaves out; they are in the same file (Range of
# 1.24 is in generator/range.cc).
_TYPED: dict[str, tuple[tuple[str, int, int | None, tuple[tuple[str, frozenset[str]], ...]], ...]] = {
    "1.23.0": (
        ("Clip", 11, 11, _FLOATS),
        ("Clip", 12, 12, _FLOATS),
        ("Clip", 13, None, _FLOATS),
        ("Range", 11, None, _RANGE),
        ("Einsum", 12, None, _FLOAT),
    ),
    "1.24.0": (
        ("Clip", 11, 11, _FLOATS),
        ("Clip", 12, 12, _FLOATS),
        ("Clip", 13, None, _FLOATS),
        ("Range", 11, None, _RANGE),
    ),
}


def _native(path: Path, snapshot: Snapshot, source: Source, sources: Path) -> list[Row]:
    """The native provider's kernels, and what it has none for among onnx's operators."""
    rows = kernel_rows(path, source, known_names(sources), _NATIVE)
    rows += [
        statement(op, source, "full", since=since, until=until, match="kernel", types=types)
        for op, since, until, types in _TYPED[snapshot.version]
    ]
    has = {row.op for row in rows if row.domain == ""}
    defined = schemas(sources)
    rows += [
        statement(op, source, "none", constraint=_NO_NATIVE)
        for op in defined.operators()
        # One with a function body may run by it.
        if op not in has and ("", op) not in defined.functions and ("", op) not in defined.deprecated
    ]
    return rows


def _webnn(snapshot: Snapshot, sources: Path) -> Generated:
    document = snapshot.source("d", "doc", _document_path(snapshot, "webnn"))
    found = [document]
    rows = []
    for cells in rows_of(snapshot.path(sources, "webnn-operators.md"), "Operator", "Opset", "Comments"):
        note = sentence(cells.get("Comments", Cell("")).text)
        status: Literal["partial", "full"] = "partial" if note else "full"
        for domain, ranges in opset_ranges(cells["Opset"].text):
            rows += [
                statement(
                    cells["Operator"].text,
                    document,
                    status,
                    domain=domain,
                    since=since,
                    until=until,
                    match="range",
                    constraint=note,
                )
                for since, until in joined(ranges)
            ]
    path = snapshot.path(sources, LISTS, "webnn-op_builder_factory_cc.tsv")
    if path.exists():
        found.append(list_source(path, "c"))
        rows += listed_rows((row["op"] for row in tsv_rows(path)), found[-1], known_names(sources))
    absent: Literal["none", "unknown"] = "none" if path.exists() else "unknown"
    return _table("onnxruntime-webnn", "ONNX Runtime, WebNN", snapshot, sources, found, absent), rows


def _table(
    runtime: str,
    title: str,
    snapshot: Snapshot,
    sources: Path,
    found: list[Source],
    absent: Literal["none", "unknown"],
) -> Table:
    core = _CORE.get(snapshot.version, "")
    table = provider_table(runtime, snapshot.version, title, sources, *found, absent=absent, core=core)
    # It takes models at least as new as the older core does; up to which is not stated.
    return replace(table, opsets=(None, None)) if core else table


def _document_path(snapshot: Snapshot, name: str) -> str:
    return f"{'docs' if snapshot is WEB else 'js/web/docs'}/{name}-operators.md"


Range = tuple[int, int | None]


def opset_ranges(text: str) -> list[tuple[str, list[Range]]]:
    """Read "ai.onnx(7-12, 13, 14+); com.microsoft(1+)".

    Raises:
        UsageError: It is written in another way.
    """
    found = re.findall(r"([\w.]+)\(([^)]*)\)", text)
    if not found:
        raise UsageError(f"{text!r} is no list of versions like ai.onnx(7-12, 13+).")
    result = []
    for domain, versions in found:
        ranges: list[Range] = []
        for item in versions.split(","):
            single = re.fullmatch(r"(\d+)(?:-(\d+)|(\+))?", item.strip())
            if single is None:
                raise UsageError(f"{item.strip()!r} in {text!r} is no range of versions like 7-12, 13 or 13+.")
            low = int(single[1])
            ranges.append((low, None if single[3] else int(single[2] or low)))
        result.append(("" if domain == "ai.onnx" else domain, sorted(ranges)))
    return result


def joined(ranges: list[Range]) -> list[Range]:
    """Ranges of opsets, those that follow on each other as one."""
    result: list[Range] = []
    for low, high in ranges:
        if result and result[-1][1] is not None and result[-1][1] + 1 == low:
            result[-1] = result[-1][0], high
        else:
            result.append((low, high))
    return result
