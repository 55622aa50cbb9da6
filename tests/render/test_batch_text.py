"""The table of a run over many models: inside of the width in a terminal, a line a model in a pipe."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from graphkit.batch import BatchReport, Failure, ModelResult
from graphkit.model import Model
from graphkit.passes import registry
from graphkit.pipeline import parse_pipeline
from graphkit.pipeline.report import RunReport
from graphkit.pipeline.run import run_pipeline
from graphkit.render.batch_text import print_batch
from tests.batch.models import model
from tests.cli.terminal import cells

LONG = "a-long-way/down/below/the/folder/that/all/have/in/common/a-model-with-a-long-name.onnx"
WHY = "it was cut off, at least 57 bytes are missing at its end; export or copy it again, and do so in one piece"


@pytest.fixture(scope="module")
def run() -> RunReport:
    pipeline = parse_pipeline("version: 1\npasses: [sort, remove-identity]\n", "p.yaml", registry())
    return run_pipeline(pipeline, Model(model(2), Path("a.onnx"))).report


@pytest.fixture
def report(run: RunReport) -> BatchReport:
    warned = replace(run, passes=tuple(replace(record, warnings=("beware",)) for record in run.passes[:1]))
    results = (
        ModelResult("m/a.onnx", "a.onnx", "out/a.onnx", "done", 0.25, run),
        ModelResult("m/" + LONG, LONG, "out/" + LONG, "done", 61.0, replace(warned, verified=False)),
        ModelResult("m/c.onnx", "c.onnx", None, "failed", 0.1, failure=Failure("ModelError", f"m/c.onnx: {WHY}")),
        ModelResult("m/d.onnx", "d.onnx", "out/d.onnx", "skipped"),
        ModelResult("m/e\x1b[31m.onnx", "e\x1b[31m.onnx", "out/e.onnx", "done", 0.5, replace(warned, passes=())),
    )
    return BatchReport("1", "p.yaml", "0", "out", 2, 61.5, results)


def printed(report: BatchReport, width: int, *, terminal: bool) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system=None, highlight=False)
    print_batch(console, report)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("width", [80, 200])
def test_in_a_terminal_every_line_is_inside_and_nothing_is_cut(report: BatchReport, width: int) -> None:
    lines = printed(report, width, terminal=True)
    assert max(map(cells, lines)) <= width
    text = "".join("".join(lines).split())
    for whole in (LONG if width == 200 else "a-long-way/down", WHY, "1of2", "4→2", "on1input", "donebefore"):
        assert "".join(whole.split()) in text
    assert "\x1b" not in text
    row = next(line for line in lines if " a.onnx" in line)
    assert row.split() == [
        "✓",
        "a.onnx",
        "1",
        "of",
        "2",
        "4",
        "→",
        "2",
        *row.split()[8:10],
        "on",
        "1",
        "input",
        "0.2",
        "s",
    ]


def test_in_a_pipe_each_model_is_one_line(report: BatchReport) -> None:
    lines = printed(report, 250, terminal=False)
    assert len(lines) == 1 + 5 + 1 + 1 + 1
    assert lines[0].split() == ["model", "passes", "nodes", "size", "proven", "time"]
    assert lines[3].split(maxsplit=2) == ["✗", "c.onnx", WHY]
    assert lines[4].split(maxsplit=2) == ["–", "d.onnx", "done before"]
    starts = {line.index(cell) for line, cell in zip(lines[1:4], ("1 of 2", "0 of 1", WHY), strict=True)}
    assert starts == {lines[0].index("passes")}
    assert lines[-2] == "note  sort: beware (1 model)"
    assert lines[-1] == "5 models: 3 done, 1 failed, 1 done before   61.5 s in all   out"


def test_only_failures(report: BatchReport) -> None:
    lines = printed(replace(report, models=report.models[2:3]), 80, terminal=True)
    assert lines[-1] == "1 model: 0 done, 1 failed   61.5 s in all"
    assert max(map(cells, lines)) <= 80
