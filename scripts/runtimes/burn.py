"""burn, from the table of its ONNX importer.

The table names some operators by burn's own words, Conv2d for a Conv of two dimensions; its links tell the operator. It
has a column for what burn can do and one for what is imported; it is the second that decides.
"""

from __future__ import annotations

import re
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.markdown import Cell, rows_of
from scripts.runtimes.operators import definitions, empty_table, statement

_DATE = "2026-02-21"
_FILE = "SUPPORTED-ONNX-OPS.md"
_SOURCE = Source(
    "doc", "doc", "tracel-ai/burn-onnx", "7db1e206c9f3c8842dd5430010c172fa53457164", _DATE, "MIT OR Apache-2.0", _FILE
)
_MARKS = {"✅": True, "❌": False}


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table, named by the date of its commit."""
    known = definitions(sources)
    lines: dict[str, list[dict[str, Cell]]] = {}
    for line in rows_of(sources / "burn-onnx" / _FILE, "ONNX OP", "Import Support", "Burn Support"):
        op = _operator(line["ONNX OP"])
        if op in known:
            lines.setdefault(op, []).append(line)
    rows = [_row(op, group) for op, group in lines.items()]
    return [(empty_table("burn", f"doc-{_DATE}", "burn", _SOURCE), rows)]


def _operator(cell: Cell) -> str:
    """The operator that a row is about: what its link is to, else its name."""
    target = re.search(r"onnx__(\w+)\.html", cell.link)
    return target[1] if target else cell.text


def _row(op: str, lines: list[dict[str, Cell]]) -> Row:
    imported = [line for line in lines if _mark(line["Import Support"], op)]
    if not imported:
        in_burn = any(_mark(line["Burn Support"], op) for line in lines)
        return statement(op, _SOURCE, "none", constraint="burn has it, its importer does not" if in_burn else "")
    ranks = [found[1] for line in imported if (found := re.search(r"(\d)d$", line["ONNX OP"].text))]
    words = f"with {' or '.join(sorted(ranks))} spatial dimensions" if ranks else ""
    return statement(op, _SOURCE, "partial" if words else "full", constraint=words)


def _mark(cell: Cell, op: str) -> bool:
    if cell.text not in _MARKS:
        raise UsageError(f"{_FILE} marks {op} with {cell.text!r}, not with one of {' '.join(_MARKS)}.")
    return _MARKS[cell.text]
