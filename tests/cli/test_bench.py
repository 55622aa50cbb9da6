"""`graphkit bench` as a user meets it, and docs/bench.md."""

import re
import shlex
from pathlib import Path

import pytest

from graphkit.demo import write_demo
from tests.cli.command import graphkit

pytestmark = pytest.mark.usefixtures("only_what_is_new_is_collected")

PAGE = (Path(__file__).parents[2] / "docs" / "bench.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines()]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    write_demo(folder / "demo")
    assert (
        graphkit("run", folder / "demo/pipeline.yaml", folder / "demo/detector.onnx", "-o", folder / "nms.onnx").status
        == 0
    )
    return folder


@pytest.fixture(autouse=True)
def here(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo)
    # Two loads are enough to see what is said; how sure it is, is tested where the clock is made up.
    for few in ("operators.LOADS", "rounds.LOADS", "rounds._LEAST_LOADS", "rounds._MOST_LOADS"):
        monkeypatch.setattr(f"graphkit.bench.{few}", 2)
    monkeypatch.setattr("graphkit.bench.measuring._PROFILE_SECONDS", 0.01)


def test_a_model_against_itself() -> None:
    result = graphkit("bench", "demo/detector.onnx", "demo/detector.onnx", "--rounds", "16", "--no-profile")
    assert (result.status, result.stderr) == (0, "")
    assert re.search(
        r"B takes [\d.]+ of A's time an image \(\S+ to \S+ with 99% confidence\): ", " ".join(result.stdout.split())
    )
    runs = [int(found) for found in re.findall(r"images \[1,3,320,320\] float32, (\d+) runs", result.stdout)]
    assert len(runs) == 2
    assert all(count >= 16 and count % 16 == 0 for count in runs)


def test_operators_and_what_changed() -> None:
    result = graphkit(
        "bench", "demo/detector.onnx", "nms.onnx", "--rounds", "16", "--json", "--images", "demo/shapes.png"
    )
    report = result.json()
    assert (result.status, report["input"], report["rounds"]) == (0, "shapes.png", 16)
    first, second = report["profiles"]
    assert {"Conv", "Softmax"} <= {item["op"] for item in first["operators"]}
    assert {item["only"] for item in second["changes"] if item["op"] == "NonMaxSuppression"} == {"B"}


def test_the_text_names_what_only_one_has_and_what_noise_hides() -> None:
    result = graphkit("bench", "demo/detector.onnx", "nms.onnx", "--rounds", "16")
    assert re.search(r"only in B, not in A: .*NonMaxSuppression", result.stdout)
    assert "NMS in nms.onnx has little to do on noise" in result.stdout
    assert re.search(r"^ +all +\d", result.stdout, re.M)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--optimise", "most"], '--optimise knows all, basic, off, not "most".'),
        (["--imgsz", "640"], "takes pictures of 320 × 320 only"),
        (["--imgsz", "large"], '"large" is no size'),
        (["--rounds", "2"], "--rounds"),
        (["--provider", "CUDAExecutionProvidr"], "has no CUDAExecutionProvidr"),
        (["--images", "nowhere.png"], "nowhere.png"),
    ],
)
def test_bad_usage_is_one_sentence(arguments: list[str], said: str) -> None:
    result = graphkit("bench", "demo/detector.onnx", *arguments)
    assert result.status == 2
    assert said in result.sentence


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_of_the_page_run(line: str) -> None:
    words = shlex.split(line)[1:]
    if words[0] == "bench" and "--rounds" not in words:
        words = [word for word in words if word not in ("--seconds", "60")] + ["--rounds", "16"]
    if words[0] == "demo" and Path("demo/detector.onnx").exists():
        return
    result = graphkit(*words)
    assert result.status == 0, result.stderr
    assert result.stdout
