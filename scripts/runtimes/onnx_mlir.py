"""onnx-mlir, from its two lists: what it compiles for the CPU, and what of that IBM's NNPA takes.

"Supported Opsets" are those that a model may be at; "*" is the newest that the document knows. What the NNPA does not
take is run by the CPU.
"""

from __future__ import annotations

import re
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from graphkit.runtimes.table import Status
from scripts.runtimes.markdown import Cell, read, rows_of, sentence
from scripts.runtimes.operators import empty_table, home, statement

_DATE = "2026-07-01"
_COMMIT = "ec744fe6d3d077f002200e5c6bb0c3c4ba777af3"
_OPSETS = "Supported Opsets (inclusive)"
_LEVEL = "Minimum NNPA Level(Inclusive)"
_RUNTIME = "onnx-mlir"


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """A table for each target, named by the date of the commit."""
    version = f"doc-{_DATE}"
    cpu, cpu_rows, newest = _target(sources, "cpu")
    nnpa, nnpa_rows, _ = _target(sources, "NNPA")
    plain = empty_table(_RUNTIME, version, "onnx-mlir, CPU", cpu, opsets=(None, newest))
    accelerated = empty_table(
        f"{_RUNTIME}-nnpa", version, "onnx-mlir, NNPA", nnpa, absent="none", fallback=_RUNTIME, opsets=(None, newest)
    )
    return [(plain, cpu_rows), (accelerated, nnpa_rows)]


def _target(sources: Path, target: str) -> tuple[Source, list[Row], int]:
    name = f"SupportedONNXOps-{target}.md"
    path = sources / "onnx-mlir" / name
    source = Source("doc", "doc", "onnx/onnx-mlir", _COMMIT, _DATE, "Apache-2.0", f"docs/{name}")
    span = re.search(r"targeting up to opset (\d+)", read(path))
    if span is None:
        raise UsageError(f"{path} does not say up to which opset it goes; look for how it words that now.")
    newest = int(span[1])
    rows: list[Row] = []
    for line in rows_of(path, "Op", _OPSETS):
        rows += _row(line, source, newest, sources)
    return source, rows, newest


def _row(line: dict[str, Cell], source: Source, newest: int, sources: Path) -> list[Row]:
    op, opsets = line["Op"].text, line[_OPSETS].text
    domain = home(op, sources)
    if domain is None:
        return []
    if opsets == "none":
        return [statement(op, source, "none", domain=domain)]
    span = re.fullmatch(r"(\d+) - (\d+|\*)", opsets)
    if span is None:
        raise UsageError(f"{source.path}: the opsets of {op} are {opsets!r}, not like '6 - *'.")
    words = "; ".join(
        part for part in (_level(line), *(_words(line, name) for name in ("Limitations", "Notes"))) if part
    )
    status: Status = "partial" if words else "full"
    if domain:  # the opsets are ONNX's, not those of the operator's own domain
        return [statement(op, source, status, domain=domain, constraint=words)]
    until = newest if span[2] == "*" else int(span[2])
    return [statement(op, source, status, since=int(span[1]), until=until, match="range", constraint=words)]


def _level(line: dict[str, Cell]) -> str:
    """ "z17 - ^" -> "z17 or newer"; of the oldest level there is nothing to say."""
    level = line[_LEVEL].text if _LEVEL in line else ""
    if not level or level == "z16 - ^":
        return ""
    return f"{level.removesuffix(' - ^')} or newer" if level.endswith("^") else f"{level} only"


def _words(line: dict[str, Cell], column: str) -> str:
    return sentence(line[column].text) if column in line else ""
