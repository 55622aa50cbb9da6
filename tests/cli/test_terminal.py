"""What every command prints: whole and without codes in a pipe, inside of the width in a terminal."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from graphkit.cli.app import app
from tests.cli.terminal import CODES, Shown, cells, in_a_pipe, in_a_terminal

if sys.platform == "win32":
    pytest.skip("there is no pty", allow_module_level=True)

NAMES = [item.name or item.callback.__name__ for item in app.registered_commands if item.callback is not None]
MODEL = "d/detector.onnx"
FAST = [
    "demo d",
    "--help",
    "--version",
    *(f"{name} --help" for name in NAMES),
    f"inspect {MODEL}",
    f"inspect {MODEL} --op Conv",
    f"inspect {MODEL} --node /model.0/conv/Conv",
    f"inspect {MODEL} --tensor images",
    f"coverage {MODEL} --runtime tensorrt",
    f"opsets {MODEL}",
    f"diff {MODEL} {MODEL}",
    "passes",
    "passes embed-nms",
    "schema",
    # Mistakes.
    "inspct d/detector.onnx",
    "inspect --jsn x",
    "inspect",
    "inspect nothing.onnx",
    "inspect d/pipeline.yaml",
    f"inspect {MODEL} --node /model.0/conv/Con",
    f"picture {MODEL}",
    f"coverage {MODEL} --runtime tensrt",
    "passes splt-head",
    f"run d/pipline.yaml {MODEL}",
    f"run yolo-tensrrt {MODEL}",
    f"detect {MODEL} nothing.png",
    f"bench {MODEL} --rounds 3",
    f"run {MODEL} d/pipeline.yaml",
    "export nothing.pt",
    "probe --runtime nothing",
    f"try {MODEL} --runtime nothing",
    f"verify {MODEL}",
    f"doctor {MODEL}",
    f"fit {MODEL}",
]
STYLED = [
    "demo d",
    "--help",
    f"inspect {MODEL}",
    f"coverage {MODEL} --runtime tensorrt",
    f"diff {MODEL} {MODEL}",
    "passes",
    "inspect --jsn x",
    "inspect nothing.onnx",
]
"""What is also run with NO_COLOR and in a dumb terminal: one of each kind."""
SLOW = [
    "demo d",
    f"run d/pipeline.yaml {MODEL} -o d/out.onnx",
    "run d/pipeline.yaml d -o e --jobs 2",
    f"verify {MODEL} d/out.onnx",
    f"diff {MODEL} d/out.onnx",
    f"detect {MODEL} d/shapes.png",
    f"bench {MODEL} --rounds 16",
    f"doctor {MODEL} d/shapes.png",
    f"coverage {MODEL}",
    f"coverage {MODEL} --ops",
    f"fit {MODEL} --runtime opencv",
    f"try {MODEL} --runtime onnxruntime-cpu",
]

Ways = dict[str, dict[str, Shown]]


def shown(lines: list[str], styled: list[str], make: Callable[[str], Path]) -> Ways:
    """Every command in every way; a folder for each, since they write files."""
    return {
        "pipe": in_a_pipe(lines, make("pipe")),
        "80": in_a_terminal(lines, make("t80"), 80),
        "plain": in_a_terminal(styled, make("plain"), 80, NO_COLOR="1"),
        "dumb": in_a_terminal(styled, make("dumb"), 80, TERM="dumb"),
    }


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    return shown(FAST, STYLED, tmp_path_factory.mktemp)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    return shown(SLOW, SLOW, tmp_path_factory.mktemp)


def check_pipe(found: Shown) -> None:
    for text in (found.out, found.err):
        assert "\x1b" not in text
        assert "…" not in text, "cut"
        assert "Traceback" not in text
        for line in text.split("\n"):
            assert line == line.rstrip()


def check_terminal(found: Shown, columns: int) -> None:
    text = CODES.sub("", found.out)
    for line in text.split("\r\n"):
        assert line == line.rstrip()
        for seen in line.split("\r"):  # progress is written over itself
            assert cells(seen) <= columns, seen


def check(line: str, ways: Ways) -> None:
    check_pipe(ways["pipe"][line])
    assert len({found[line].status for found in ways.values() if line in found}) == 1
    if line != "schema":  # JSON, for editors
        check_terminal(ways["80"][line], 80)
    if line in ways["plain"]:
        assert not re.search(r"\x1b\[[0-9;]*m", ways["plain"][line].out)
        assert "\x1b" not in ways["dumb"][line].out


@pytest.mark.parametrize("line", FAST)
def test_what_a_command_prints(line: str, fast: Ways) -> None:
    check(line, fast)
    found = fast["pipe"][line]
    assert found.out or found.err


@pytest.mark.slow
@pytest.mark.parametrize("line", SLOW)
def test_what_a_command_that_runs_models_prints(line: str, slow: Ways) -> None:
    check(line, slow)


def test_a_terminal_has_colours(fast: Ways) -> None:
    assert re.search(r"\x1b\[[0-9;]*m", fast["80"]["passes"].out)


def test_the_list_of_commands_is_not_cut(fast: Ways) -> None:
    listed = fast["pipe"]["--help"].out
    assert "..." not in listed.replace("[ARGS]...", "")
    assert all(re.search(rf"^  {name} ", listed, re.M) for name in NAMES)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("inspct d/detector.onnx", "Did you mean 'inspect'?"),
        ("inspect --jsn x", "--json"),
        ("inspect", "Missing argument 'model'"),
        ("inspect nothing.onnx", "nothing.onnx is not there"),
        (f"picture {MODEL}", "Missing option '--output'"),
        (f"run yolo-tensrrt {MODEL}", "did you mean yolo-tensorrt?"),
        (f"run {MODEL} d/pipeline.yaml", "the pipeline comes first"),
        (f"coverage {MODEL} --runtime tensrt", 'did you mean "tensorrt"?'),
    ],
)
def test_a_mistake_is_told_on_stderr(line: str, said: str, fast: Ways) -> None:
    found = fast["pipe"][line]
    assert found.status == 2
    assert found.out == ""
    assert said in found.err
