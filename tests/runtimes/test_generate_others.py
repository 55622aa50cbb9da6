"""The generators of the tables of the other runtimes, from small statements made here."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from graphkit.errors import UsageError
from graphkit.runtimes import covers_version
from scripts.runtimes import burn, litert, mnn, ncnn, onnx_mlir, opencv, openvino, tensorrt, tract, tvm
from tests.runtimes.generating import made, only, put

OPENVINO = (
    "| Domain | Operation Name | Supported Version | Defined Version | Limitation |",
    "|---|---|---|---|---|",
    "||Resize|11, 10|19, 18, 13, 11, 10||",
    "||Erf||13, 9||",
    "||Relu|1|14, 13, 6, 1|only sometimes.|",
    "|com.microsoft|FastGelu|1|1||",
)


def test_openvino_translators_last_until_the_next(operator_sources: Path) -> None:
    put(operator_sources, "openvino/supported_ops.md", *OPENVINO)
    table, rows = made(openvino.tables, operator_sources)
    assert (table.name, table.absent) == ("openvino@doc-0ae60f0", "unknown")
    assert [(row.since, row.until, row.match) for row in rows if row.op == "Resize"] == [
        (10, 10, "floor"),
        (11, None, "floor"),
    ]
    assert [covers_version(only(rows, "Resize", since=11), since, since) for since in (10, 11, 19)] == [
        False,
        True,
        True,
    ]
    assert only(rows, "Erf").status == "none"
    assert (only(rows, "Relu").status, only(rows, "Relu").constraint) == ("partial", "only sometimes")
    assert (only(rows, "FastGelu").domain, only(rows, "FastGelu").match) == ("com.microsoft", "any")


def test_openvino_bad_version(operator_sources: Path) -> None:
    put(operator_sources, "openvino/supported_ops.md", *OPENVINO[:2], "||Resize|new|19||")
    with pytest.raises(UsageError, match=r"supported versions of Resize are 'new', not numbers"):
        openvino.tables(operator_sources)


# ------------------------------------------------------------------------------------------------------ lists of names


def test_opencv_leaves_out_what_onnx_defined_later(operator_sources: Path) -> None:
    lines = ("ai.onnx\tRelu", "ai.onnx\tAttention", "ai.onnx\tImageScaler", "com.microsoft\tAttention")
    put(operator_sources, "opencv/dispatch-onnx.tsv", "# opencv", "domain\top", *lines)
    table, rows = made(opencv.tables, operator_sources)
    assert table.absent == "none"
    assert {(row.op, row.domain) for row in rows} == {
        ("Relu", ""),
        ("ImageScaler", ""),
        ("Attention", "com.microsoft"),
    }


def test_ncnn_shows_both_converters(operator_sources: Path) -> None:
    put(
        operator_sources,
        "ncnn/pnnx-README.md",
        "| onnx        | Is Supported | Export to ncnn | Note |",
        "|----|---|---|---|",
        "|Relu | :heavy_check_mark: | :heavy_check_mark: |",
        "|Conv | :heavy_check_mark: | :heavy_check_mark: | no auto_pad=SAME |",
        "|Log | :heavy_check_mark: | |",
        "|Erf |  |",
    )
    put(operator_sources, "ncnn/onnx2ncnn-ops.txt", "# legacy", "Relu", "Erf", "FastGelu", "noop_reducedncnn")
    table, rows = made(ncnn.tables, operator_sources)
    assert table.absent == "unknown"
    assert {(row.op, row.domain, row.status, row.source.key) for row in rows} == {
        ("Relu", "", "full", "pnnx"),
        ("Conv", "", "partial", "pnnx"),
        ("Log", "", "none", "pnnx"),
        ("Erf", "", "none", "pnnx"),
        ("Erf", "", "unknown", "onnx2ncnn"),
        ("FastGelu", "com.microsoft", "unknown", "onnx2ncnn"),
    }


def test_mnn_drops_its_own_words(operator_sources: Path) -> None:
    put(operator_sources, "mnn/mnnconvert-3.6.1-onnx-ops.txt", "Abs", "GridSampler", "Total: 3", "Relu")
    table, rows = made(mnn.tables, operator_sources)
    assert ([row.op for row in rows], table.absent) == (["Abs", "Relu"], "none")
    assert table.sources["registry"].evidence == "registry"


@pytest.mark.parametrize("lines", [("Abs", "Total: 2"), ("Abs",)])
def test_mnn_list_that_was_cut(operator_sources: Path, lines: tuple[str, ...]) -> None:
    put(operator_sources, "mnn/mnnconvert-3.6.1-onnx-ops.txt", *lines)
    with pytest.raises(UsageError, match=r"and has 1; print it anew"):
        mnn.tables(operator_sources)


def test_tract_gives_names_their_domains(operator_sources: Path) -> None:
    put(
        operator_sources,
        "tract/tract-onnx-ops.tsv",
        "# tract",
        "Relu\tonnx/src/ops/nn/mod.rs",
        "HEAD:onnx/src/model.rs:284: .insert()",
        "Binarizer\tonnx/src/ops/ml.rs",
        "FastGelu\tonnx/src/ops/nn/mod.rs",
        "Attention\tonnx/src/ops/nn/mod.rs",
        "ConstantLike\tonnx/src/ops/array/mod.rs",
    )
    table, rows = made(tract.tables, operator_sources)
    assert table.absent == "unknown"
    assert {(row.op, row.domain) for row in rows} == {
        ("Relu", ""),
        ("Attention", ""),
        ("Binarizer", "ai.onnx.ml"),
        ("FastGelu", "com.microsoft"),
    }


# --------------------------------------------------------------------------------------------------------------- TVM


def test_tvm_goes_by_the_opset_of_the_model(operator_sources: Path) -> None:
    lines = (
        "Abs\tAbs\t13",
        "Softmax\tSoftmax\t1,13",
        "Range\tRange\t12",
        "Gelu\tGelu\t1,20",
        "Attention\tAttention\t1",
    )
    put(
        operator_sources,
        "tvm/relax-onnx-convert-map.tsv",
        "# tvm",
        "op\tclass\timpl_opsets",
        *lines,
        "AllClassNMS\tA\t1",
    )
    table, rows = made(tvm.tables, operator_sources)

    def spans(op: str) -> list[tuple[str, int, int | None, str]]:
        return [(row.status, row.since, row.until, row.match) for row in rows if row.op == op and not row.domain]

    assert table.absent == "none"
    # Abs-1 had another attribute; Abs-6 and Abs-13 differ in types only.
    assert spans("Abs") == [("partial", 1, 5, "range"), ("full", 6, None, "range")]
    assert spans("Softmax") == [("full", 1, 12, "range"), ("full", 13, None, "range")]
    # Written for opset 12, where Range-11 held: it is what a model at opset 17 gets for its Range-11.
    assert spans("Range") == [("full", 11, None, "range")]
    assert covers_version(only(rows, "Range"), 11, 17)
    # Older than ONNX's own: onnxruntime's operators.
    assert spans("Gelu") == [("full", 20, None, "range")]
    assert {(row.op, row.match) for row in rows if row.domain == "com.microsoft"} == {
        ("Attention", "any"),
        ("Gelu", "any"),
    }
    assert spans("Attention") == spans("AllClassNMS") == []
    assert only(rows, "If").source.evidence == "code"


# ------------------------------------------------------------------------------------------ LiteRT, onnx-mlir, burn


@pytest.fixture
def onnx2tf(operator_sources: Path) -> Path:
    put(
        operator_sources,
        "onnx2tf/tf_converter-supported.md",
        "  <details><summary>See</summary><div>",
        "",
        "  |OP|Status|",
        "  |:-|:-:|",
        "  |Relu|:heavy_check_mark:|",
        "  |Conv|:white_check_mark:|",
        "  |Input|:heavy_check_mark:|",
    )
    put(
        operator_sources,
        "onnx2tf/flatbuffer_direct-supported.md",
        "|ONNX OP|TFLite OP|Key constraints (flatbuffer_direct)|",
        "|:-|:-|:-|",
        "|Relu|RELU|-|",
        "|FastGelu|GELU|Rank `4` only|",
        "",
        "|ONNX OP|Default policy|When enabled|",
        "|:-|:-|:-|",
        "|Scatter|explicit_error (`custom_op_candidate_disabled`)|Lowered to `CUSTOM`|",
        "|Relu|builtin_supported on some; otherwise explicit_error|Lowered to `CUSTOM`|",
    )
    return operator_sources


def test_litert_shows_both_ways(onnx2tf: Path) -> None:
    table, rows = made(litert.tables, onnx2tf)
    assert table.absent == "unknown"
    assert {(row.op, row.domain, row.status, row.source.key) for row in rows} == {
        ("Relu", "", "full", "tf"),
        ("Relu", "", "full", "direct"),
        ("Conv", "", "partial", "tf"),
        ("FastGelu", "com.microsoft", "partial", "direct"),
        ("Scatter", "", "none", "direct"),
    }
    assert only(rows, "FastGelu").constraint == "Rank 4 only"


def test_litert_unknown_mark(onnx2tf: Path) -> None:
    put(onnx2tf, "onnx2tf/tf_converter-supported.md", "|OP|Status|", "|:-|:-:|", "|Relu|maybe|")
    with pytest.raises(UsageError, match=r"marks Relu with 'maybe'"):
        litert.tables(onnx2tf)


@pytest.fixture
def mlir(operator_sources: Path) -> Path:
    put(
        operator_sources,
        "onnx-mlir/SupportedONNXOps-cpu.md",
        "Onnx-mlir currently supports ONNX operations targeting up to opset 22.",
        "",
        "| Op |Supported Opsets (inclusive) |Limitations |Notes |",
        "| --- |--- |--- |--- |",
        "| **Relu** |6 - * | | |",
        "| **Resize** |10 - 18 |No cubic. |To be seen. |",
        "| **Scatter** |none | | | |",
        "| **Binarizer** |6 - * | | |",
    )
    put(
        operator_sources,
        "onnx-mlir/SupportedONNXOps-NNPA.md",
        "Onnx-mlir currently supports ONNX operations targeting up to opset 22.",
        "",
        "| Op |Supported Opsets (inclusive) |Minimum NNPA Level(Inclusive) |Limitations |Notes |",
        "| --- |--- |--- |--- |--- |",
        "| **Relu** |6 - * |z17 - ^ |- `x` must be 1.<br>- y must be 2. | |",
        "| **Log** |6 - * |z16 |Input. | |",
        "| **Conv** |6 - * |z16 - ^ | | |",
    )
    return operator_sources


def test_onnx_mlir_ranges_of_the_model(mlir: Path) -> None:
    table, rows = made(onnx_mlir.tables, mlir)
    assert (table.runtime, table.absent, table.opsets) == ("onnx-mlir", "unknown", (None, 22))
    relu = only(rows, "Relu")
    assert (relu.match, relu.since, relu.until, relu.status) == ("range", 6, 22, "full")
    assert (only(rows, "Resize").until, only(rows, "Resize").constraint) == (18, "No cubic; To be seen")
    assert only(rows, "Scatter").status == "none"
    assert (only(rows, "Binarizer").domain, only(rows, "Binarizer").match) == ("ai.onnx.ml", "any")


def test_onnx_mlir_nnpa_falls_back(mlir: Path) -> None:
    table, rows = made(onnx_mlir.tables, mlir, 1)
    assert (table.runtime, table.absent, table.fallback) == ("onnx-mlir-nnpa", "none", "onnx-mlir")
    assert only(rows, "Relu").constraint == "z17 or newer; x must be 1; y must be 2"
    assert only(rows, "Log").constraint == "z16 only; Input"
    assert only(rows, "Conv").status == "full"


def test_onnx_mlir_bad_documents(mlir: Path) -> None:
    path = mlir / "onnx-mlir/SupportedONNXOps-cpu.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("10 - 18", "10 and up"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"opsets of Resize are '10 and up'"):
        onnx_mlir.tables(mlir)
    path.write_text(text.replace("up to opset 22", "all opsets"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"does not say up to which opset"):
        onnx_mlir.tables(mlir)


def test_burn_operators_by_their_links(operator_sources: Path) -> None:
    links = {"1": "Conv", "2": "ReduceL1", "3": "Im"}
    put(
        operator_sources,
        "burn-onnx/SUPPORTED-ONNX-OPS.md",
        "| ONNX OP | Import Support | Burn Support |",
        "|---|:---:|:---:|",
        "| [Conv1d][1] | ✅ | ✅ |",
        "| [Conv2d][1] | ✅ | ✅ |",
        "| [Conv3d][1] | ❌ | ✅ |",
        "| [ReduceL][2] | ✅ | ✅ |",
        "| [Im][3] | ❌ | ❌ |",
        "| Linear | ✅ | ✅ |",
        "| Scatter | ❌ | ✅ |",
        "| Erf | ❌ | ❌ |",
        "",
        *(f'[{key}]: https://onnx.ai/onnx/operators/onnx__{op}.html "ONNX {op}"' for key, op in links.items()),
    )
    _, rows = made(burn.tables, operator_sources)
    assert {(row.op, row.status, row.constraint) for row in rows} == {
        ("Conv", "partial", "with 1 or 2 spatial dimensions"),
        ("ReduceL1", "full", ""),
        ("Scatter", "none", "burn has it, its importer does not"),
        ("Erf", "none", ""),
    }


def test_burn_unknown_mark(operator_sources: Path) -> None:
    put(
        operator_sources,
        "burn-onnx/SUPPORTED-ONNX-OPS.md",
        "| ONNX OP | Import Support | Burn Support |",
        "|---|---|---|",
        "| Relu | yes | ✅ |",
    )
    with pytest.raises(UsageError, match=r"marks Relu with 'yes'"):
        burn.tables(operator_sources)


@pytest.mark.parametrize("module", [burn, litert, mnn, ncnn, onnx_mlir, opencv, openvino, tensorrt, tract, tvm])
def test_missing_source(module: ModuleType, operator_sources: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read"):
        module.tables(operator_sources)
