"""Reading Markdown tables, and the tables that are shipped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from graphkit.errors import UsageError
from graphkit.runtimes import find_table
from scripts.runtimes import burn, litert, mnn, ncnn, onnx_mlir, opencv, openvino, tensorrt, tract, tvm
from scripts.runtimes.generate import SOURCES
from scripts.runtimes.markdown import rows_of, sentence
from tests.runtimes.generating import put

GENERATORS = (burn, litert, mnn, ncnn, onnx_mlir, opencv, openvino, tensorrt, tract, tvm)


def test_untidy_table(tmp_path: Path) -> None:
    put(
        tmp_path,
        "doc.md",
        "<!-- a comment -->",
        "| Op | Types | Limits |",
        "|---|:-:|---|",
        "| Abs | FP32 |",
        "|**Add**|FP32, FP16 | a\\. `b` <br />- c",
        "| [Conv2d][1] | ✅ | x | beyond |",
        "",
        '[1]: https://onnx.ai/onnx__Conv.html "ONNX Conv"',
        "",
        "| Other |",
        "|---|",
        "| thing |",
    )
    rows = rows_of(tmp_path / "doc.md", "Op", "Limits")
    assert [[cell.text for cell in row.values()] for row in rows] == [
        ["Abs", "FP32", ""],
        ["Add", "FP32, FP16", "a. b \n- c"],
        ["Conv2d", "✅", "x"],
    ]
    assert rows[2]["Op"].link == "https://onnx.ai/onnx__Conv.html"


def test_document_without_the_table(tmp_path: Path) -> None:
    put(tmp_path, "doc.md", "| Op |", "|---|", "| Abs |")
    with pytest.raises(UsageError, match=r"no table with the columns Op, Status"):
        rows_of(tmp_path / "doc.md", "Op", "Status")
    with pytest.raises(UsageError, match=r"gone\.md cannot be read"):
        rows_of(tmp_path / "gone.md", "Op")


def test_sentence_is_one_line_and_short() -> None:
    assert sentence("- `a` must be 1.\n- b  must be 2.\n") == "`a` must be 1; b must be 2"
    assert sentence("-") == ""
    long = sentence(f"first; {'x' * 150}. {'y' * 150}; last")
    assert long == f"first; {'x' * 150} …"
    assert sentence("z" * 300) == "z" * 300


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("tensorrt@8.0", {"full": 98, "partial": 134, "none": 85}),
        ("tensorrt@8.6", {"full": 133, "partial": 151, "none": 60}),
        ("tensorrt@9.3", {"full": 134, "partial": 251, "none": 51}),
        ("tensorrt@10.1", {"full": 116, "partial": 182, "none": 56}),
        ("tensorrt@10.15", {"full": 122, "partial": 194, "none": 47}),
        ("openvino@doc-0ae60f0", {"full": 308, "partial": 7, "none": 91}),
        ("opencv@4.10.0", {"full": 131}),
        ("ncnn@doc-2026-07-22", {"full": 70, "partial": 9, "none": 2, "unknown": 17}),
        ("mnn@3.6.1", {"full": 158}),
        ("tvm@0.27.0.post1", {"full": 209, "partial": 27}),
        ("tract@git-2026-08-22", {"full": 179}),
        ("litert@onnx2tf-2.6.7", {"full": 226, "partial": 171, "none": 6}),
        ("onnx-mlir@doc-2026-07-01", {"full": 93, "partial": 59, "none": 58}),
        ("onnx-mlir-nnpa@doc-2026-07-01", {"full": 1, "partial": 33}),
        ("burn@doc-2026-02-21", {"full": 136, "partial": 4, "none": 57}),
    ],
)
def test_shipped(name: str, counts: dict[str, int]) -> None:
    rows = [row for row in find_table(name) if row.source.evidence != "probe"]
    assert Counter(row.status for row in rows) == counts
    assert all(row.source.repository and row.source.licence and row.source.path for row in rows)


def test_shipped_what_detectors_ask() -> None:
    def status(name: str, op: str, domain: str = "") -> set[str]:
        return {row.status for row in find_table(name).rows(op, domain) if row.source.evidence != "probe"}

    assert status("tensorrt", "EfficientNMS_TRT") == status("tensorrt", "EfficientNMS_TRT", "TRT") == {"full"}
    assert find_table("tensorrt").version == "10.15"
    assert find_table("tensorrt@10.15").sources["doc"].path.endswith("seen changed")
    assert status("tensorrt@8.0", "NonMaxSuppression") == {"partial"}  # experimental
    assert status("tensorrt@10.1", "NonMaxSuppression") == {"full", "partial"}  # two sources
    assert status("opencv@4.10.0", "NonMaxSuppression") == set()
    assert status("burn", "NonMaxSuppression") == {"none"}
    assert status("openvino@doc-0ae60f0", "DeformConv") == {"none"}
    for runtime in ("opencv@4.10.0", "mnn@3.6.1", "tvm", "tract", "litert", "onnx-mlir", "burn"):
        assert status(runtime, "EfficientNMS_TRT") == status(runtime, "EfficientNMS_TRT", "TRT") == set()


@pytest.mark.skipif(not SOURCES.is_dir(), reason="the statements of the runtimes are not here")
@pytest.mark.parametrize("module", GENERATORS, ids=lambda module: module.__name__.rpartition(".")[2])
def test_commits_are_those_of_the_manifest(module: ModuleType) -> None:
    manifest = (SOURCES / "MANIFEST.md").read_text(encoding="utf-8")
    for table, _ in module.tables(SOURCES):
        for source in table.sources.values():
            if source.key not in ("plugin", "nms"):  # read at their own addresses
                assert source.commit[:8] in manifest, (table.name, source)
                assert source.date in manifest
