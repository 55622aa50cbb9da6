"""`graphkit export` as a user sees it; and docs/export.md, whose commands run."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.cli.command import command, graphkit

pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")

from tests.export.tiny import tiny

PAGE = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny(tmp_path)  # in the place of ultralytics' own of that name


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_of_the_page_run(line: str) -> None:
    words = shlex.split(line)
    result = graphkit(*words[1:])
    assert result.status == 0, result.stderr
    assert Path(words[-1]).is_file()
    assert f"{words[-1]}   images [" in result.stdout
    assert "computes what PyTorch" in result.stdout
    assert ("--minShapes=images:1x3x32x32" in result.stdout) == ("--dynamic" in words)


def test_json_is_all_that_stdout_holds() -> None:
    result = command("export", "yolov8n.yaml", "imgsz=64", "--no-verify", "--json")
    report = result.json()
    assert result.status == 0
    assert result.stderr == ""
    assert report["output"] == "yolov8n.onnx"
    assert report["untrained"] is True
    assert Path("yolov8n.onnx").is_file()


def test_an_error_in_json() -> None:
    result = command("export", "yolov8n.yaml", "imgsz=64", "opset=7", "--json")
    assert result.status == 2
    assert "opset 9 is the lowest that works" in json.loads(result.stdout)["error"]["message"]
    assert sorted(path.name for path in Path().iterdir()) == ["yolov8n.yaml"]


@pytest.mark.slow
def test_debug_shows_what_ultralytics_says_on_stderr() -> None:
    result = command("export", "yolov8n.yaml", "imgsz=64", "--no-verify", "--json", "--debug")
    assert "starting export with onnx" in result.stderr
    assert result.json()["output"] == "yolov8n.onnx"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["yolov8n.pt"], "graphkit downloads nothing"),
        (["yolov8n.yaml", "imgz=640"], "did you mean imgsz?"),
        (["yolov8n.yaml", "--imgsz", "big"], 'imgsz is "big"'),
        (["yolov8n.yaml", "imgsz=64", "--imgsz", "64"], "given twice"),
        (["yolov8n.yaml", "-o", "nowhere/x.onnx"], "the folder"),
        (["yolov8n.yaml", "--images", "nowhere"], "nowhere does not exist"),
        (["yolov8n.yaml", "--dynamic", "--nms"], "batch=N"),
    ],
)
def test_bad_usage(arguments: list[str], said: str) -> None:
    result = graphkit("export", *arguments)
    assert result.status == 2
    assert said in result.sentence
    assert not list(Path().glob("*.onnx"))
