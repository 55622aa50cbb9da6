"""What answers at once: help, version, the list of passes and a mistake in a pipeline."""

import subprocess
import sys
from pathlib import Path

import pytest

from graphkit.version import __version__
from tests.cli.command import command, graphkit

HEAVY = ("numpy", "onnx", "onnx_graphsurgeon", "onnxsim", "onnxruntime", "torch", "ultralytics", "PIL")

_IMPORTED = """
import sys
sys.argv[1:] = {arguments!r}
from graphkit.cli import main
try:
    main()
except SystemExit:
    pass
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["passes"],
        ["passes", "embed-nms"],
        ["schema"],
        ["run", "WRONG", "m.onnx"],
    ],
)
def test_nothing_heavy_is_imported(arguments: list[str], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("version: 1\npasses: [simplfy, {embed-nms: {iuo: 1}}]\n")
    code = _IMPORTED.format(arguments=[str(wrong) if a == "WRONG" else a for a in arguments], heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_version() -> None:
    assert graphkit("--version").stdout == f"graphkit {__version__}\n"


def test_no_arguments_show_the_help() -> None:
    result = graphkit()
    assert "run" in result.stdout + result.stderr
    assert result.status == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rum"], "Did you mean 'run'"),
        (["run", "--jsn", "a", "b"], "--json"),
        (["run"], "Missing argument"),
        (["passes", "embd-nms"], 'did you mean "embed-nms"?'),
        (["run", "yolo-onnxruntme", "m.onnx"], "did you mean yolo-onnxruntime?"),
    ],
)
def test_a_mistyped_line_is_answered_with_the_right_one(arguments: list[str], said: str) -> None:
    result = graphkit(*arguments)
    assert result.status == 2
    assert said in result.sentence


def test_mistakes_in_a_pipeline_come_all_at_once_before_the_model_is_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("version: 1\npasses:\n  - simplfy\n  - embed-nms: {iuo: 0.5}\n")
    result = graphkit("run", path, tmp_path / "no-such-model.onnx")
    assert result.status == 2
    assert result.sentence.splitlines() == [
        f'{path}:3:5: there is no pass "simplfy"; did you mean "simplify"?',
        f'{path}:4:17: unknown option "iuo" for embed-nms; did you mean "iou"?',
    ]


def test_the_list_of_passes_is_not_cut_in_a_pipe() -> None:
    result = command("passes", NO_COLOR="1")
    assert result.status == 0
    assert "…" not in result.stdout
    assert "\x1b" not in result.stdout
    assert "embed-nms" in result.stdout


def test_a_pass_is_explained_with_its_options() -> None:
    result = graphkit("passes", "embed-nms")
    for word in ("backend", "onnx | efficientnms", "max-detections", "300", "Declines"):
        assert word in result.stdout
    entry = graphkit("passes", "embed-nms", "--json").json()
    assert {option["name"] for option in entry["options"]} >= {"backend", "iou", "confidence", "max-detections"}


def test_a_page_is_filled_to_the_terminal() -> None:
    lines = command("passes", "pin-opset", COLUMNS="70").stdout.splitlines()
    assert "Declines:" in lines
    assert max(len(line.rstrip()) for line in lines) <= 70
    assert not any(line.strip() and len(line.split()) == 1 and not line.endswith(":") for line in lines[2:12])
