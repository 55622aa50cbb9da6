"""LiteRT (TensorFlow Lite), from the two tables of onnx2tf, by which ONNX models get there.

onnx2tf has two ways: through TensorFlow (tf_converter, the default) and straight to a flatbuffer (flatbuffer_direct).
Both are shown. Neither list is said to be complete, and neither names versions.
"""

from __future__ import annotations

from pathlib import Path

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Source, Table
from graphkit.runtimes.table import Status
from scripts.runtimes.markdown import rows_of, sentence
from scripts.runtimes.operators import empty_table, home, statement

_VERSION = "2.6.7"
_COMMIT = "2c0cb019b77bb7464828123eb3b708e05b4737a7"
_DIRECT_FILE = "onnx2tf/flatbuffer_direct-supported.md"
_CONSTRAINTS = "Key constraints (flatbuffer_direct)"
_POLICY = "Default policy"
_OPTIONAL = "explicit_error"
_MARKS: dict[str, tuple[Status, str]] = {
    ":heavy_check_mark:": ("full", ""),
    ":white_check_mark:": ("partial", "in part; the table does not say which"),
}


def _source(key: str, section: str) -> Source:
    return Source(key, "doc", "PINTO0309/onnx2tf", _COMMIT, "2026-07-20", "MIT", f"README.md, {section}")


_CONVERTER = _source("tf", "tf_converter supported layers")
_DIRECT = _source("direct", "flatbuffer_direct")


def tables(sources: Path) -> list[tuple[Table, list[Row]]]:
    """The one table, named by the version of onnx2tf."""
    rows = _converter(sources) + _builtin(sources) + _custom(sources)
    title = "LiteRT, through onnx2tf"
    return [(empty_table("litert", f"onnx2tf-{_VERSION}", title, _CONVERTER, _DIRECT), rows)]


def _converter(sources: Path) -> list[Row]:
    path = sources / "onnx2tf/tf_converter-supported.md"
    rows: list[Row] = []
    for line in rows_of(path, "OP", "Status"):
        op, mark = line["OP"].text, line["Status"].text
        if mark not in _MARKS:
            raise UsageError(f"{path} marks {op} with {mark!r}; add it to _MARKS in {__name__}.")
        status, words = _MARKS[mark]
        rows += _row(op, _CONVERTER, status, words, sources)
    return rows


def _builtin(sources: Path) -> list[Row]:
    rows: list[Row] = []
    for line in rows_of(sources / _DIRECT_FILE, "ONNX OP", _CONSTRAINTS):
        words = sentence(line[_CONSTRAINTS].text)
        rows += _row(line["ONNX OP"].text, _DIRECT, "partial" if words else "full", words, sources)
    return rows


def _custom(sources: Path) -> list[Row]:
    """What becomes an operator of the user's own, if that is allowed, and an error by default."""
    rows: list[Row] = []
    for line in rows_of(sources / _DIRECT_FILE, "ONNX OP", _POLICY):
        if line[_POLICY].text.startswith(_OPTIONAL):
            words = "a custom operator, with --flatbuffer_direct_allow_custom_ops only"
            rows += _row(line["ONNX OP"].text, _DIRECT, "none", words, sources)
    return rows


def _row(op: str, source: Source, status: Status, words: str, sources: Path) -> list[Row]:
    domain = home(op, sources)
    return [] if domain is None else [statement(op, source, status, domain=domain, constraint=words)]
