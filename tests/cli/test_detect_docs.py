"""docs/detect.md does what it says: its commands and its example run."""

import re
import shlex
from pathlib import Path

import pytest

from graphkit.demo import demo_picture, write_demo
from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[2] / "docs" / "detect.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_demo(Path("demo"))


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(line: str) -> None:
    result = graphkit(*shlex.split(line)[1:])
    assert result.status == 0, result.stderr
    assert result.stdout


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("hotcoco", reason="hotcoco is not installed (pip install onnx-graphkit[metrics])")
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    Path("images").mkdir()
    Path("images/shapes.png").write_bytes(demo_picture().read_bytes())
    Path("labels").mkdir()
    Path("labels/shapes.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    names = "\n".join(f"  {index}: name{index}" for index in range(80))
    Path("coco.yaml").write_text(f"path: .\nval: images\nnames:\n{names}\n")
    exec(example.replace("yolov8n.onnx", "demo/detector.onnx"), {})
    figures = [float(word) for word in capsys.readouterr().out.split()]
    assert len(figures) == 3
    assert all(0 <= figure <= 1 for figure in figures)
