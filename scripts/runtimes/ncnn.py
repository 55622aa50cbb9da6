"""ncnn, from the operator table of pnnx, its converter, and the code of the one before it, onnx2ncnn.

Both are stale: pnnx converts more than it lists, and some of what it lists does not load. So an operator without a row
is not known to be missing. The strings of onnx2ncnn tell that it knows a name, not whether it takes the operator alone
or only inside of a pattern; they are kept where pnnx's table does not promise the operator.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from graphkit.runtimes import Row, Source, Table
from graphkit.runtimes.table import Status
from scripts.runtimes.markdown import rows_of, sentence
from scripts.runtimes.operators import empty_table, home, listed, statement

_COMMIT = "a4d2ea1d4422c9e849f166fd7a4aefb52f942f6a"
_DATE = "2026-07-22"
_REPOSITORY, _LICENCE = "Tencent/ncnn", "BSD-3-Clause"
_PNNX = Source(
    "pnnx", "doc", _REPOSITORY, _COMMIT, _DATE, _LICENCE, 'tools/pnnx/README.md, "Supported ONNX operator status"'
)
_LEGACY = Source("onnx2ncnn", "code", _REPOSITORY, _COMMIT, _DATE, _LICENCE, "tools/onnx/onnx2ncnn.cpp")
_YES = ":heavy_check_mark:"


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table, named by its date."""
    rows = [_row(line) for line in _lines(sources)]
    promised = {row.op for row in rows if row.status != "none"}
    for (name,) in listed(sources / "ncnn/onnx2ncnn-ops.txt"):
        domain = home(name, sources)
        if domain is not None and name not in promised:
            words = "the legacy converter onnx2ncnn names it, perhaps only inside of a pattern"
            rows.append(statement(name, _LEGACY, "unknown", domain=domain, constraint=words))
    table = empty_table("ncnn", f"doc-{_DATE}", "ncnn, through pnnx", _PNNX, _LEGACY)
    # pnnx is given `inputshape`, and folds what follows from it (tools/pnnx/src/pass_onnx/fold_constants.cpp).
    return [(replace(table, fixes=True), rows)]


def _lines(sources: Path) -> list[tuple[str, bool, str]]:
    lines = rows_of(sources / "ncnn/pnnx-README.md", "onnx", "Is Supported", "Export to ncnn", "Note")
    return [
        (
            line["onnx"].text,
            line["Is Supported"].text == _YES and line["Export to ncnn"].text == _YES,
            sentence(line["Note"].text),
        )
        for line in lines
    ]


def _row(line: tuple[str, bool, str]) -> Row:
    op, supported, note = line
    status: Status = "none" if not supported else "partial" if note else "full"
    return statement(op, _PNNX, status, constraint=note)
