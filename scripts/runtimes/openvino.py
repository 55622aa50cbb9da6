"""OpenVINO, from the table of its ONNX frontend.

"Supported Version" lists the definitions that a translator was written for; a later definition is handed to the newest
translator before it. An operator that onnx does not define has no version that a model could tell. The table names
neither OpenVINO's version nor its own date, and no types.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from graphkit.runtimes.table import Status
from scripts.runtimes.common import schemas
from scripts.runtimes.markdown import rows_of, sentence
from scripts.runtimes.operators import empty_table, statement

_FILE = "openvino/supported_ops.md"
_COMMIT = "0ae60f0ffec990b581cf29cae47563090e5deca0"
_SOURCE = Source(
    "doc",
    "doc",
    "openvinotoolkit/openvino",
    _COMMIT,
    "",
    "Apache-2.0",
    "src/frontends/onnx/docs/supported_ops.md, transcribed",
)


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table, named by its commit."""
    known = schemas(sources).versions
    rows: list[Row] = []
    for line in rows_of(sources / _FILE, "Domain", "Operation Name", "Supported Version", "Limitation"):
        op, domain, supported = (line[name].text for name in ("Operation Name", "Domain", "Supported Version"))
        rows += _rows(op, domain, supported, sentence(line["Limitation"].text), (domain, op) in known)
    return [(empty_table("openvino", f"doc-{_COMMIT[:7]}", "OpenVINO", _SOURCE), rows)]


def _rows(op: str, domain: str, supported: str, limits: str, defined: bool) -> list[Row]:
    """A row for each translator, up to where the next one takes over."""
    if not supported:
        return [statement(op, _SOURCE, "none", domain=domain, constraint=limits)]
    try:
        starts = sorted(int(version) for version in supported.split(","))
    except ValueError:
        raise UsageError(f"{_FILE}: the supported versions of {op} are {supported!r}, not numbers.") from None
    status: Status = "partial" if limits else "full"
    if not defined:
        return [statement(op, _SOURCE, status, domain=domain, constraint=limits)]
    ends = [following - 1 for _, following in pairwise(starts)]
    return [
        statement(op, _SOURCE, status, domain=domain, since=start, until=end, match="floor", constraint=limits)
        for start, end in zip(starts, [*ends, None], strict=True)
    ]
