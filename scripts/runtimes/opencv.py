"""OpenCV's dnn module, from the dispatch tables of its ONNX importer.

The importer looks an operator up by domain and name, whatever its version, and fails on one that is not there. Which
operator a name meant is settled by the date: what ONNX defined under it after the release cannot have been meant
(OpenCV's Attention is onnxruntime's, which is older than ONNX's own).
"""

from __future__ import annotations

from pathlib import Path

from graphkit.runtimes import Row, Source, Table
from scripts.runtimes.common import plain_domain, tsv_rows
from scripts.runtimes.operators import definitions, empty_table, statement

_VERSION = "4.10.0"
_NEWEST_OPSET = 21  # ONNX 1.16 of March 2024 was the newest when OpenCV 4.10.0 came out in June
_SOURCE = Source(
    "code",
    "code",
    "opencv/opencv",
    _VERSION,
    "2024-06",
    "Apache-2.0",
    "modules/dnn/src/onnx/onnx_importer.cpp, buildDispatchMap",
)


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table; what the dispatch tables lack is not imported."""
    known = definitions(sources)
    rows = [
        statement(row["op"], _SOURCE, "full", domain=plain_domain(row["domain"]))
        for row in tsv_rows(sources / "opencv/dispatch-onnx.tsv")
        if plain_domain(row["domain"]) or known.get(row["op"], (0,))[0] <= _NEWEST_OPSET
    ]
    return [(empty_table("opencv", _VERSION, "OpenCV DNN", _SOURCE, absent="none"), rows)]
