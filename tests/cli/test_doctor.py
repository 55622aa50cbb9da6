"""`graphkit doctor` as a user meets it, and docs/doctor.md."""

import re
import shlex
from pathlib import Path

import pytest

from graphkit.demo import write_demo
from graphkit.doctor.collecting import MODULES
from tests.cli.command import command, graphkit
from tests.doctor.made_up import healthy, runtime

PAGE = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_demo(Path("demo"))


def test_a_healthy_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkit.doctor.collecting.collect", lambda *_: healthy())
    result = graphkit("doctor")
    assert result.status == 0
    assert "Nothing is broken." in result.stdout


def test_a_broken_one_and_the_line_that_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkit.doctor.collecting.collect", lambda *_: healthy(runtime("onnxruntime-gpu")))
    monkeypatch.setenv("COLUMNS", "60")
    result = graphkit("doctor")
    assert result.status == 1
    assert "1 thing is broken." in result.stdout
    # Whole, however narrow the terminal is.
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu\n" in result.stdout
    report = graphkit("doctor", "--json").json()
    assert report["broken"] is True
    assert [one["topic"] for one in report["findings"] if one["level"] == "broken"] == ["onnxruntime"]


def test_a_model_and_a_picture() -> None:
    result = graphkit("doctor", "demo/detector.onnx", "demo/shapes.png")
    assert result.status == 0
    said = " ".join(result.stdout.split())
    assert "Right: RGB, 0..1, letterboxed. It finds 1 blue circle" in said
    assert re.search(r"divided by 255 once more instead of 0\.\.1: nothing is found, best score 0\.\d\d", said)
    report = graphkit("doctor", "demo/detector.onnx", "demo/shapes.png", "--json").json()
    assert (report["right"]["detections"], report["nothing"]) == (13, False)


def test_a_picture_on_which_nothing_is_found_is_a_failure() -> None:
    result = graphkit("doctor", "demo/detector.onnx", "demo/shapes.png", "--confidence", "1")
    assert result.status == 1
    assert "No way of giving it this picture finds anything, best score" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo/detector.onnx"], "name a picture too"),
        (["demo/detector.onnx", "none.png"], "none.png cannot be read"),
        (["none.onnx", "demo/shapes.png"], "none.onnx does not exist"),
        (["demo/detector.onnx", "demo/shapes.png", "--provider", "X"], "--provider examines the installation"),
        (["demo/detector.onnx", "demo/shapes.png", "--imgsz", "640"], "320 × 320 only"),
    ],
)
def test_bad_usage_is_one_sentence(arguments: list[str], said: str) -> None:
    result = graphkit("doctor", *arguments)
    assert result.status == 2
    assert said in result.sentence


def test_it_examines_an_installation_in_which_nothing_can_be_imported(tmp_path: Path) -> None:
    for name in set(MODULES) - {"google.protobuf"}:
        (tmp_path / "broken" / name).mkdir(parents=True)
        (tmp_path / "broken" / name / "__init__.py").write_text("raise ImportError('taken apart')\n")
    root = Path(__file__).parents[2]
    result = command("doctor", PYTHONPATH=f"{tmp_path / 'broken'}:{root}")
    assert result.status == 1
    assert "cannot be imported (ImportError: taken apart)" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_page_run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(line)[1:]
    for slow in ("torch", "ultralytics"):
        monkeypatch.delitem(MODULES, slow)
    result = graphkit(*words)
    assert result.status == 0, result.stdout + result.stderr
    assert result.stdout
