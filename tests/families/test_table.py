"""Every family, task, export, backend and semantics: proven, or refused in a plain sentence."""

from __future__ import annotations

import fcntl
import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.families.cells import Cell, cells, exported, run_cell

ALL = list(cells())
FAST = [
    Cell("v8", "detect", "one-to-many", "static", "onnx", "best-class"),
    Cell("v8", "detect", "one-to-many", "dynamic", "efficientnms", "multi-label"),
    Cell("v8", "detect", "one-to-many", "half", "matrix", "class-agnostic"),
    Cell("11", "segment", "one-to-many", "static", "onnx", "best-class"),
    Cell("v8", "pose", "one-to-many", "static", "onnx", "multi-label"),
    Cell("v8", "obb", "one-to-many", "static", "matrix", "best-class"),
    Cell("26", "detect", "one-to-many", "opset 12", "onnx", "multi-label"),
    Cell("v10", "detect", "one-to-one", "static", "onnx", "best-class"),
]

Exporter = Callable[[Cell], Path]


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Exporter:
    """The export of a cell, made once a run and shared by all workers of it."""
    if importlib.util.find_spec("ultralytics") is None:
        pytest.skip("ultralytics is not installed (pip install onnx-graphkit[export])")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-gw") else base) / "lively"
    folder.mkdir(exist_ok=True)

    def make(cell: Cell) -> Path:
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return exported(cell, folder)

    return make


def check(cell: Cell, lively: Exporter, split: bool = False, candidates: int | None = None) -> None:
    result = run_cell(cell, lively(cell), split, candidates)
    assert result.status != "failed", f"{result.text}\n{result.trace}"
    if result.status == "refused":
        assert result.text.endswith("."), "a refusal ends as a sentence"
        assert "embed-nms" in result.text or "split-head" in result.text
        assert len(result.text.split()) > 8, "a refusal says why and what to do"
    else:
        assert "detections of" in result.text


def test_the_table_is_whole() -> None:
    families = {cell.family for cell in ALL}
    assert families == {"v5u", "v8", "v9", "v10", "11", "12", "26"}
    assert len(ALL) == len(set(ALL)) == (20 + 1 + 4) * 4 * 3 * 3
    assert set(FAST) <= set(ALL)


@pytest.mark.parametrize("cell", FAST, ids=str)
def test_some_cells(cell: Cell, lively: Exporter) -> None:
    check(cell, lively)


def test_the_main_job_is_proven_and_not_refused(lively: Exporter) -> None:
    for cell in FAST[:2]:
        assert run_cell(cell, lively(cell)).status == "proven"


LATE = [cell for cell in ALL if cell.head == "one-to-many" and cell.semantics == "best-class"]


SOME_LATE = [cell for cell in LATE if cell in FAST and cell.backend != "efficientnms"]
# What is decoded late is computed in float32, where the model before rounded it to float16.
SOME_LATE.append(Cell("v8", "detect", "one-to-many", "half", "onnx", "best-class"))


@pytest.mark.parametrize("cell", SOME_LATE, ids=str)
def test_late_decode_of_some_cells(cell: Cell, lively: Exporter) -> None:
    check(cell, lively, candidates=100)


@pytest.mark.slow
@pytest.mark.parametrize("cell", LATE, ids=str)
def test_late_decode_of_every_family(cell: Cell, lively: Exporter) -> None:
    check(cell, lively, candidates=100)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ALL, ids=str)
def test_every_cell(cell: Cell, lively: Exporter) -> None:
    check(cell, lively)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in ALL if cell.form == "static"], ids=str)
def test_every_cell_after_split_head(cell: Cell, lively: Exporter) -> None:
    check(cell, lively, split=True)
