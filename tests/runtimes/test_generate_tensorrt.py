"""TensorRT's tables: types by what they ask for, opsets from the text, what is newer, plugins."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphkit.errors import UsageError
from graphkit.runtimes import Row, Table, admits_types
from scripts.runtimes import tensorrt
from scripts.runtimes.tensorrt_types import listed_types, variables
from tests.runtimes.generating import made, only, put

DOCUMENT = """
# Supported ONNX Operators

TensorRT 10.0 supports operators in the inclusive range of opset 9 to opset 20.

> Note: There is limited support for DOUBLE type. TensorRT will attempt to cast DOUBLE down to FLOAT.

> Note: INT8, INT4, and FP8 are treated as `Quantized Types` in TensorRT, where support is only through quantization.

| Operator | Supported  | Supported Types | Restrictions |
|----------|------------|-----------------|--------------|
| Abs      | Y          | FP32, INF64, INT8 |
| Cast     | Y          | FP32, FP16, BOOL |
| Erf      | N          |
| Resize   | Y [EXPERIMENTAL] | FP32, FP16, | Modes: `nearest`, `linear`.<br />Antialiasing is not supported.|
| ScaledTanh | Y | FP32 |
"""
OLD_DOCUMENT = """
TensorRT 8.6 supports operators up to Opset 17.

> Note: There is limited support for INT32, INT64, and DOUBLE types. TensorRT will attempt to cast down INT64 to INT32 and DOUBLE down to FLOAT, clamping values.

| Operator | Supported  | Supported Types | Restrictions |
|----------|------------|-----------------|--------------|
| Abs      | Y          | FP32, INT32, INT8 |
"""  # noqa: E501 - as long as it is there
NEW = ("10.0-GA", "10.1-GA", "10.15")
OLD = ("8.0-GA", "8.2-GA", "8.4-GA", "8.5-GA", "8.6-GA", "9.3")


@pytest.fixture
def parser(operator_sources: Path) -> Path:
    for version in NEW:
        put(operator_sources, f"onnx-tensorrt/operators-{version}.md", DOCUMENT)
    for version in OLD:
        put(operator_sources, f"onnx-tensorrt/operators-{version}.md", OLD_DOCUMENT)
    put(
        operator_sources,
        "onnx-tensorrt/importers-10.1-GA.txt",
        "Abs",
        "Cast",
        "Erf",
        "Resize",
        "FallbackPluginImporter",
    )
    return operator_sources


def tensorrt_of(sources: Path, version: str) -> tuple[Table, list[Row]]:
    versions = [table.version for table, _ in tensorrt.tables(sources)]
    return made(tensorrt.tables, sources, versions.index(version))


def test_tensorrt_types_by_what_they_ask(parser: Path) -> None:
    table, rows = tensorrt_of(parser, "10.0")
    assert table.opsets == (9, 20)
    assert table.absent == "unknown"
    assert [(row.status, row.types, row.constraint) for row in rows if row.op == "Abs"] == [
        ("full", (("T", frozenset({"float", "int64"})),), ""),
        ("partial", (("T", frozenset({"double"})),), "double is cast down to float"),
        ("partial", (("T", frozenset({"int8"})),), "int8 only through quantization"),
    ]
    assert only(rows, "Erf").status == "none"
    assert only(rows, "ScaledTanh").types == ()
    for row in rows:
        if row.op == "Resize":
            assert row.status == "partial"
            assert row.constraint.startswith("Modes: nearest, linear; Antialiasing is not supported; experimental")


def test_tensorrt_cast_reads_and_makes_a_narrowed_type(parser: Path) -> None:
    rows = [row for row in tensorrt_of(parser, "10.0")[1] if row.op == "Cast"]
    taken = [row.status for row in rows if admits_types(row, {"T1": "double", "T2": "float16"}) is None]
    assert taken == ["partial"]
    taken = [row.status for row in rows if admits_types(row, {"T1": "bool", "T2": "float"}) is None]
    assert sorted(taken) == ["full", "partial"]
    assert all(admits_types(row, {"T1": "uint8", "T2": "float"}) == "T1 is uint8" for row in rows)


def test_tensorrt_before_9_narrows_int64(parser: Path) -> None:
    table, rows = tensorrt_of(parser, "8.6")
    assert table.opsets == (None, 17)
    assert [(row.status, sorted(row.types[0][1])) for row in rows if row.op == "Abs"] == [
        ("full", ["float", "int32", "int8"]),
        ("partial", ["double", "int64"]),
    ]


def test_tensorrt_newer_operators_are_none(parser: Path) -> None:
    row = only(tensorrt_of(parser, "8.6")[1], "Gelu")
    assert (row.status, row.since, row.match) == ("none", 20, "floor")
    assert row.constraint == "new in opset 20; this release knows opsets up to 17"
    assert not [row for row in tensorrt_of(parser, "10.0")[1] if row.op in ("Gelu", "Conv")]  # not listed: unknown
    assert only(tensorrt_of(parser, "10.0")[1], "Attention").since == 23


def test_tensorrt_code_beside_the_document_where_they_disagree(parser: Path) -> None:
    table, rows = tensorrt_of(parser, "10.1")
    assert table.sources["code"].evidence == "code"
    code = {row.op: row.status for row in rows if row.source.key == "code"}
    assert code == {"Erf": "full", "ScaledTanh": "none"}
    assert {row.status for row in rows if row.op == "Erf"} == {"full", "none"}


def test_tensorrt_plugins_only_where_cited(parser: Path) -> None:
    def plugins(version: str) -> set[tuple[str, str]]:
        rows = tensorrt_of(parser, version)[1]
        return {(row.op, row.domain) for row in rows if row.source.key == "plugin"}

    every = {
        (op, domain)
        for op in ("EfficientNMS_TRT", "EfficientNMS_ONNX_TRT", "BatchedNMSDynamic_TRT")
        for domain in ("", "TRT")
    }
    assert plugins("8.0") == set()
    assert plugins("8.4") == {("EfficientNMS_TRT", ""), ("EfficientNMS_TRT", "TRT")}
    assert plugins("8.6") == plugins("10.15") == every
    limit = only(tensorrt_of(parser, "10.1")[1], "NonMaxSuppression")
    assert (limit.status, limit.source.key) == ("partial", "nms")
    assert "first 5000" in limit.constraint


@pytest.mark.parametrize(
    ("op", "kinds", "expected"),
    [
        ("Where", "FP32, BOOL", ("T",)),  # not B, the condition
        ("Gather", "FP32, INT64", ("T",)),  # not Tind
        ("Cast", "FP32, BOOL", ("T1", "T2")),
        ("OneHot", "FP32, INT64, BOOL", ("T3",)),  # the values, not the indices
        ("ConstantOfShape", "FP32, INT64", ("T2",)),  # not the shape, which is int64
        ("HannWindow", "FP32, FP16", ("T2",)),  # the size cannot be either
        ("RandomNormalLike", "FP32", ("T2",)),
        ("Loop", "FP32", ("V",)),
        ("Resize", "FP32", ("T", "T1")),  # its name changed with opset 11
        ("QuantizeLinear", "FP32", ("T1",)),
        ("DequantizeLinear", "INT8", ("T", "T1")),
        ("RandomNormal", "FP32", ("T",)),
        ("NonMaxSuppression", "FP32", ()),  # has no variable
        ("Abs", "BOOL", ()),
        ("ImageScaler", "FP32", ()),  # onnx does not define it
    ],
)
def test_tensorrt_type_variables(op: str, kinds: str, expected: tuple[str, ...]) -> None:
    assert variables(op, listed_types(kinds, "here"), 20) == expected


def test_tensorrt_bad_documents(parser: Path) -> None:
    path = parser / "onnx-tensorrt/operators-8.6-GA.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("INT8 |", "FP12 |"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"operators-8\.6-GA\.md, row Abs, lists the type 'FP12'"):
        tensorrt.tables(parser)
    path.write_text(text.replace("up to Opset 17", "of every opset"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"operators-8\.6-GA\.md does not say which opsets"):
        tensorrt.tables(parser)
