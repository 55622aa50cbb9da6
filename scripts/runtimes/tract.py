"""tract, from the operators that its ONNX importer registers.

It looks an operator up by its name alone, whatever its version; a name that nobody defines any more (ConstantLike) is
left out. Being taken from the code with a pattern, the list may lack some: an operator without a row is not known to be
missing.
"""

from __future__ import annotations

from pathlib import Path

from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.operators import empty_table, home, listed, statement

_DATE = "2026-08-22"
_SOURCE = Source(
    "code",
    "code",
    "sonos/tract",
    "38b383fbd8ee33873fd0b58fcc23480011554c0c",
    _DATE,
    "MIT OR Apache-2.0",
    "onnx/src, reg.insert",
)


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table, named by the date of its commit."""
    rows: list[Row] = []
    for op, *_ in listed(sources / "tract/tract-onnx-ops.tsv"):
        domain = home(op, sources)
        if domain is not None:
            rows.append(statement(op, _SOURCE, "full", domain=domain))
    return [(empty_table("tract", f"git-{_DATE}", "tract", _SOURCE), rows)]
