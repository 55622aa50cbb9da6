"""benchmarks.transposes: what is counted, what is wrong, and what the verdicts say."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest

from benchmarks import transposes_tools
from benchmarks.transposes_blocks import BLOCK_PATTERNS
from benchmarks.transposes_judge import Cell, Row, judge, same_rows
from benchmarks.transposes_measure import figures, permuted, quiet_options
from benchmarks.transposes_pattern import Pattern, seeded
from benchmarks.transposes_patterns import KNOWN, SMALL_PATTERNS
from benchmarks.transposes_report import grid, report, verdict
from benchmarks.transposes_tools import Refused, Tool, onnxruntime

X = "float[1,8,6,4] x"
RELU = Pattern("Relu", X, "a = T0231(x) b = Relu(a) y = T0312(b)")


@pytest.mark.parametrize(
    ("shape", "order", "moves"),
    [
        ([2, 3], [1, 0], True),
        ([2, 3], None, True),
        ([2, 3], [0, 1], False),
        ([1, 8, 6, 4], [0, 2, 3, 1], True),
        ([2, 8, 1, 1], [0, 2, 3, 1], False),
        ([1, 1, 6, 4], [2, 0, 3, 1], False),
        ([0, 8, 6], [0, 2, 1], False),
        ([], None, False),
    ],
)
def test_only_axes_that_are_larger_than_1_move(shape: list[int], order: list[int] | None, moves: bool) -> None:
    assert permuted(shape, order) is moves


def measured(pattern: Pattern) -> tuple[int, int, int]:
    """Transposes left, swallowed, and elements moved."""
    model = pattern.model()
    found = figures(model, seeded(model, pattern.sizes))
    return found.left, found.swallowed, found.elements


def test_elements_are_those_of_all_runs() -> None:
    assert measured(RELU) == (2, 0, 2 * 192)
    sizes = ({"N": 2}, {"N": 3})
    assert measured(Pattern("dynamic", "float[N,8,6] x", "y = T021(x)", sizes=sizes)) == (1, 0, 5 * 48)
    assert measured(Pattern("of size 1", "float[2,8,1,1] x", "y = T0231(x)")) == (1, 0, 0)


def test_a_branch_counts_once_and_moves_when_it_is_taken() -> None:
    body = "y = If(c) <then_branch = t () => (float[6,8] p) { p = T10(x) }, else_branch = e () => (float[6,8] q) "
    model = Pattern("If", "float[8,6] x, bool c", body + "{ q = Relu(z) }>", constants={"z": (6, 8)}).model()
    for taken, elements in ((True, 48), (False, 0)):
        found = figures(model, [{"x": np.ones((8, 6), np.float32), "c": np.array(taken)}])
        assert (found.left, found.elements) == (1, elements)


def test_transposes_in_operators_of_onnxruntime_are_counted_apart() -> None:
    pattern = Pattern("scores", "float[2,6,8] q, float[2,5,8] k", "t = T021(k) y = MatMul(q, t)")
    model = pattern.model()
    made = onnxruntime("all", model)
    assert [node.op_type for node in made.graph.node] == ["FusedMatMul"]
    found = figures(made, seeded(model))
    assert (found.left, found.swallowed, found.elements) == (0, 1, 80)


def test_every_pattern_is_a_model_that_runs_and_has_a_transpose() -> None:
    patterns = (*SMALL_PATTERNS, *BLOCK_PATTERNS)
    assert [name for name, count in Counter(item.name for item in patterns).items() if count > 1] == []
    assert len(KNOWN) == 8
    assert len(patterns) - len(KNOWN) >= 30
    for pattern in patterns:
        model = pattern.model()
        assert {item.version for item in model.opset_import} == {pattern.opset}
        found = figures(model, seeded(model, pattern.sizes))
        assert found.left > 0, pattern.name
        assert all(np.isfinite(value).all() for values in found.outputs for value in values), pattern.name


def test_a_size_that_is_not_given_is_an_error() -> None:
    model = Pattern("dynamic", "float[N,8,6] x", "y = T021(x)").model()
    with pytest.raises(KeyError, match="N"):
        seeded(model)


def without_transposes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Relu alone: right for RELU."""
    return Pattern("alone", X, "y = Relu(x)").model()


def doubled(model: onnx.ModelProto) -> onnx.ModelProto:
    """Twice what it should be."""
    return Pattern("doubled", X, "r = Relu(x) y = Add(r, r)").model()


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """The right values under another name."""
    return Pattern("renamed", X, "z = Relu(x)", "z").model()


def broken(model: onnx.ModelProto) -> onnx.ModelProto:
    """No model that runs."""
    made = without_transposes(model)
    made.graph.node[0].op_type = "NoSuchOperator"
    return made


def refusing(model: onnx.ModelProto) -> onnx.ModelProto:
    """Refuses what has Transposes."""
    if any(node.op_type == "Transpose" for node in model.graph.node):
        raise Refused("I take no Transposes")
    return model


def crashing(model: onnx.ModelProto) -> onnx.ModelProto:
    """Crashes where there are Transposes."""
    if any(node.op_type == "Transpose" for node in model.graph.node):
        raise ValueError("no\nway")
    return model


@pytest.mark.parametrize(
    ("tool", "kind", "why", "left"),
    [
        (without_transposes, "ok", "", 0),
        (doubled, "wrong", 'output "y" on "run 0"', 0),
        (renamed, "wrong", "the outputs are others", 0),
        (broken, "wrong", "does not run: ", 0),
        (refusing, "refused", "I take no Transposes", 0),
        (crashing, "crash", "ValueError: no way", 0),
        (lambda model: model, "ok", "", 2),
    ],
)
def test_a_tool_is_judged(
    tool: Tool, kind: str, why: str, left: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(transposes_tools.OTHERS, "tool", tool)
    model = RELU.model()
    cell = judge(Row.written("a", "Relu between", model, seeded(model), tmp_path), "tool")
    assert (cell.kind, cell.left) == (kind, left)
    assert cell.why.startswith(why)
    assert bool(why) is not cell.ok


def test_a_model_that_does_not_run_is_no_row(tmp_path: Path) -> None:
    model = RELU.model()
    row = Row.written("a", "shape", model, [{"x": np.ones((1, 8, 6, 5), np.float32)}], tmp_path)
    cell = judge(row, "before")
    assert cell.kind == "crash"
    assert cell.why.startswith("the model itself does not run: ")
    assert not report([cell], [], 1.0)


def test_a_model_that_says_nothing_is_no_row(tmp_path: Path) -> None:
    model = RELU.model()
    row = Row.written("a", "negative", model, [{"x": -np.ones((1, 8, 6, 4), np.float32)}], tmp_path)
    cell = judge(row, "before")
    assert (cell.kind, cell.why) == ("crash", 'output "y" is 0 everywhere, so nothing can be compared')


def test_rows_may_come_in_another_order_but_not_be_others() -> None:
    rows = np.random.default_rng(0).random((2, 5, 6)) * [100, 100, 100, 100, 1, 80]
    assert same_rows(rows, rows[:, [1, 0, 2, 4, 3]])
    other = rows.copy()
    other[1, 3, 4] += 0.01
    assert not same_rows(rows, other)
    doubled_row = rows.copy()
    doubled_row[0, 1] = doubled_row[0, 0]
    assert not same_rows(rows, doubled_row)
    assert not same_rows(rows, rows[:, :4])
    assert not same_rows(rows[0], rows[0])


def cell(tool: str, left: int, elements: int, swallowed: int = 0, kind: str = "ok", group: str = "a") -> Cell:
    """A cell of one row."""
    return Cell(group, "row", tool, kind, "" if kind == "ok" else "why", left, swallowed, elements)


def test_verdict_on_a_row_that_is_better_than_the_best() -> None:
    found = verdict("cleanup", grid([cell("before", 3, 30), cell("cleanup", 1, 10), cell("onnxsim", 2, 30)]))
    assert found.good
    assert found.fewer == found.fewer_elements == found.any_left == found.any_moved == ("a row",)


def test_verdict_on_what_must_not_be() -> None:
    mine = [cell("before", 3, 30), cell("cleanup", 2, 20)]
    worse = verdict("cleanup", grid([*mine, cell("onnxslim", 1, 10), cell("onnxsim", 2, 20)]))
    assert not worse.good
    assert worse.more == worse.more_elements == ("a row",)
    dearer = verdict("cleanup", grid([*mine, cell("ort basic", 3, 10)]))
    assert dearer.more == ()
    assert dearer.more_elements == ("a row, which takes more Transposes",)
    later = verdict("cleanup", grid([*mine, cell("ort all after cleanup", 1, 10)]))
    assert later.removed == ("a row",)
    grown = verdict("cleanup", grid([cell("before", 1, 30), cell("cleanup", 2, 20)]))
    assert grown.grown == ("a row",)
    bad = verdict("cleanup", grid([cell("before", 3, 30), cell("cleanup", 0, 0, kind="wrong")]))
    assert bad.bad == ("a row: wrong: why",)
    same = verdict("cleanup", grid([*mine, cell("onnxsim", 2, 20)]))
    assert (same.any_left, same.fewer, same.good) == (("a row",), (), False)


def test_what_does_not_count_for_the_others() -> None:
    mine = [cell("before", 3, 30), cell("cleanup", 2, 20)]
    assert verdict("cleanup", grid([*mine, cell("onnxsim", 0, 0, kind="wrong")])).more == ()
    assert verdict("cleanup", grid([*mine, cell("ort all", 0, 20, swallowed=2)])).more == ()
    swallowed = verdict("cleanup", grid([*mine, cell("ort all after cleanup", 0, 20, swallowed=2)]))
    assert swallowed.removed == ()
    outside = [cell("before", 3, 30, group="c"), cell("cleanup", 2, 20, group="c")]
    assert verdict("cleanup", grid([*outside, cell("ort all after cleanup", 0, 0, group="c")])).removed == ()


def test_optimisation_is_off_while_measuring() -> None:
    assert quiet_options().graph_optimization_level.name == "ORT_DISABLE_ALL"


@pytest.mark.slow
def test_three_rows(tmp_path: Path) -> None:
    pytest.importorskip("onnxoptimizer")
    pytest.importorskip("onnxslim")
    pytest.importorskip("pebble")
    import typer
    from typer.testing import CliRunner

    from benchmarks.transposes import main

    app = typer.Typer()
    app.command()(main)
    rows = "^(inverse pair|Relu between|Softmax of the channels)$"
    line = ["--only", "a", "--rows", rows, "--latency", "--seconds", "0.1", "--json", str(tmp_path / "cells.json")]
    ran = CliRunner().invoke(app, line)
    assert ran.exit_code in (0, 1), ran.output  # 1 where a latency of microseconds is disturbed
    assert "3 models, 36 cells" in ran.output
    made = json.loads((tmp_path / "cells.json").read_text())
    left = {(item["row"], item["tool"]): item["left"] for item in made["cells"]}
    assert left["Relu between", "onnxsim"] == left["Relu between", "before"] == 2
    assert left["Relu between", "cleanup"] == left["Relu between", "ort basic"] == 0
    assert {item["kind"] for item in made["cells"]} == {"ok"}
    assert [item["row"] for item in made["latency"]] == ["inverse pair", "Relu between", "Softmax of the channels"]
    for wrong in (["--only", "d"], ["--rows", "("], ["--rows", "no such row", "--only", "a"]):
        assert CliRunner().invoke(app, wrong).exit_code == 2
