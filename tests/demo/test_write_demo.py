"""`write_demo` puts three files into a folder and never harms what is there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from graphkit.demo import demo_detector, demo_picture, write_demo
from graphkit.errors import UsageError, WriteError

NAMES = ["detector.onnx", "shapes.png", "pipeline.yaml"]


def test_writes_three_files_into_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    assert write_demo(folder) == [folder / name for name in NAMES]
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    assert (folder / "detector.onnx").read_bytes() == demo_detector()
    assert (folder / "shapes.png").read_bytes() == demo_picture().read_bytes()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in write_demo(tmp_path)}
    assert {path: path.stat().st_mtime_ns for path in write_demo(tmp_path)} == before


def test_only_what_is_missing_is_written(tmp_path: Path) -> None:
    detector, picture, _ = write_demo(tmp_path)
    before = detector.stat().st_mtime_ns
    picture.unlink()
    write_demo(tmp_path)
    assert picture.is_file()
    assert detector.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", NAMES)
def test_another_file_of_that_name_is_kept_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=name):
        write_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_folder_of_that_name_is_kept(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").mkdir()
    with pytest.raises(UsageError, match=r"pipeline\.yaml"):
        write_demo(tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        write_demo(tmp_path / "file")
    with pytest.raises(WriteError, match="cannot be written"):
        write_demo(tmp_path / "file" / "below")


def test_importing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys, graphkit.demo; print(*sorted({'numpy', 'onnx', 'onnxruntime', 'PIL', 'torch'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


def test_the_pipeline_is_one() -> None:
    from graphkit.pipeline import parse_pipeline

    path = demo_picture().with_name("pipeline.yaml")
    pipeline = parse_pipeline(path.read_text(encoding="utf-8"), str(path))
    names = [step.name for step in pipeline.steps]
    assert names == ["sort", "simplify", "split-head", "embed-nms", "remove-transposes"]
