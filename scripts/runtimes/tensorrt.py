"""TensorRT, from the operator tables of its ONNX parser, onnx-tensorrt.

The table says what is supported, not since when; the range of opsets stands in the text. It has a row for each operator
of ONNX at its time, so one without a row is not known to be missing; one newer than the last opset that it names is.
Where the parser's list of importers is at hand it is kept beside the table only if the two disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.markdown import read, rows_of, sentence
from scripts.runtimes.operators import definitions, empty_table, listed, statement
from scripts.runtimes.tensorrt_plugins import layer_rows, plugin_rows
from scripts.runtimes.tensorrt_types import CONVERTING, admitted, listed_types, variables

_FOLDER = "onnx-tensorrt"
_REPOSITORY = "onnx/onnx-tensorrt"
_LICENCE = "Apache-2.0"
_COLUMNS = ("Operator", "Supported", "Supported Types", "Restrictions")
_QUANTIZED = frozenset({"int8", "int4", "float8e4m3fn", "float4e2m1"})


@dataclass(frozen=True)
class _Release:
    file: str
    commit: str
    date: str = ""
    path: str = "docs/operators.md"
    importers: str = ""

    @property
    def version(self) -> str:
        return self.file.removesuffix("-GA")

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))


_RELEASES = (
    _Release("8.0-GA", "3f211d67"),
    _Release("8.2-GA", "f42daeee"),
    _Release("8.4-GA", "63d626b6"),
    _Release("8.5-GA", "fdeeaca8"),
    _Release("8.6-GA", "ee0b139b"),
    _Release("9.3", "1def182e"),
    _Release("10.0-GA", "73f629e0"),
    _Release("10.1-GA", "96e781103cfc4adf4a6bb557e94bac8e693f6f4c", "2024-06-17", importers="importers-10.1-GA.txt"),
    _Release(
        "10.15", "10.15", path="docs/operators.md, transcribed: 10.1's table with the rows that were seen changed"
    ),
)


@dataclass(frozen=True)
class _Notes:
    """What the text around the table says of all of its rows."""

    opsets: tuple[int | None, int]
    narrowed: tuple[tuple[str, str], ...]
    """(wide, narrow): tensors of the wide type are cast down to the narrow one."""
    quantized: bool
    """Whether INT8 and the like are to be had only through quantization."""


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """A table for each release from 8.0 on; before, the documents list no types."""
    return [_table(release, sources) for release in _RELEASES]


def _table(release: _Release, sources: Path) -> tuple[Table, list[Row]]:
    path = sources / _FOLDER / f"operators-{release.file}.md"
    doc = Source("doc", "doc", _REPOSITORY, release.commit, release.date, _LICENCE, release.path)
    notes = _notes(read(path), path)
    rows: list[Row] = []
    supported: dict[str, bool] = {}
    for line in rows_of(path, *_COLUMNS):
        op, mark, types, restrictions = (line[name].text if name in line else "" for name in _COLUMNS)
        supported[op] = mark.startswith("Y")
        limits = [sentence(restrictions)] if restrictions else []
        if "EXPERIMENTAL" in mark:
            limits.append("experimental")
        if not supported[op]:
            rows.append(statement(op, doc, "none", constraint="; ".join(limits)))
        else:
            rows += _supported(op, listed_types(types, f"{path}, row {op},"), "; ".join(limits), notes, doc)
    rows += _newer(supported, notes, sources, doc)
    rows += _disagreeing(release, supported, sources)
    rows += plugin_rows(release.numbers) + layer_rows(release.numbers)
    used = {row.source.key: row.source for row in rows}
    return empty_table("tensorrt", release.version, "TensorRT", *used.values(), opsets=notes.opsets), rows


def _notes(text: str, path: Path) -> _Notes:
    span = re.search(r"range of opset (\d+) to opset (\d+)", text) or re.search(r"up to Opset ()(\d+)", text)
    if span is None:
        raise UsageError(f"{path} does not say which opsets are supported; look for how it words that now.")
    narrowed = [("double", "float")] if re.search(r"DOUBLE[^\n]* down to FLOAT", text) else []
    if re.search(r"cast down INT64 to INT32", text):
        narrowed.append(("int64", "int32"))
    quantized = re.search(r"INT8[^.\n]*only through quantization|`Quantized Types`", text) is not None
    return _Notes((int(span[1]) if span[1] else None, int(span[2])), tuple(narrowed), quantized)


def _supported(op: str, kinds: frozenset[str], limits: str, notes: _Notes, doc: Source) -> list[Row]:
    """One row for the types that are taken as they are, and one for those that ask for something."""
    newest = notes.opsets[1]
    names = variables(op, kinds, newest)
    status: Literal["full", "partial"] = "partial" if limits else "full"
    if not names:
        return [statement(op, doc, status, constraint=limits)]

    def row(types: frozenset[str], extra: str) -> Row:
        bound = tuple((name, types) for name in names)
        words = "; ".join(part for part in (limits, extra) if part)
        return statement(op, doc, "partial" if words else "full", types=bound, constraint=words)

    through = kinds & _QUANTIZED if notes.quantized and op != "DequantizeLinear" else frozenset()
    taken = kinds - through
    rows = [row(taken, "")] if taken else []
    possible = admitted(op, names, newest)
    narrowed = [(wide, narrow) for wide, narrow in notes.narrowed if narrow in kinds and wide in possible - kinds]
    wides = frozenset(wide for wide, _ in narrowed)
    if wides:
        words = ", ".join(f"{wide} is cast down to {narrow}" for wide, narrow in narrowed)
        rows.append(row(taken | wides if op in CONVERTING else wides, words))
    if through:
        rows.append(row(through, f"{', '.join(sorted(through))} only through quantization"))
    return rows


def _newer(supported: dict[str, bool], notes: _Notes, sources: Path, doc: Source) -> list[Row]:
    newest = notes.opsets[1]
    return [
        statement(
            op,
            doc,
            "none",
            since=versions[0],
            match="floor",
            constraint=f"new in opset {versions[0]}; this release knows opsets up to {newest}",
        )
        for op, versions in definitions(sources).items()
        if op not in supported and versions[0] > newest
    ]


def _disagreeing(release: _Release, supported: dict[str, bool], sources: Path) -> list[Row]:
    if not release.importers:
        return []
    code = Source(
        "code",
        "code",
        _REPOSITORY,
        release.commit,
        release.date,
        _LICENCE,
        "onnxOpImporters.cpp, DEFINE_BUILTIN_OP_IMPORTER",
    )
    importers = {line[0] for line in listed(sources / _FOLDER / release.importers)}
    missing = [op for op, yes in supported.items() if yes and op not in importers]
    beside = [op for op in definitions(sources) if op in importers and not supported.get(op)]
    return [statement(op, code, "none", constraint="there is no importer of this name") for op in missing] + [
        statement(op, code, "full", constraint="there is an importer of this name") for op in beside
    ]
