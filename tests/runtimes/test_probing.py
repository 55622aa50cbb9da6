"""Probing: which cases there are, what becomes of them, and the rows that come of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.cli.probe import single_node_at
from graphkit.errors import UsageError
from graphkit.runtimes import Source, parse_table
from graphkit.runtimes.probing import (
    Case,
    Leniency,
    Outcome,
    Settings,
    difference,
    held_out,
    measure,
    measured_table,
    observe,
    probe,
    variants,
)
from graphkit.runtimes.probing.detector_cases import detector_cases
from graphkit.runtimes.probing.journal import Journal, read_journal
from graphkit.runtimes.runners import Process, Runner

STRICT = Leniency()
SOURCE = Source("p", "probe", "pip fake", "1.0", "2026-11", "MIT", "graphkit probe")


def case(text: str, name: str = "test_abs", **values: Any) -> Case:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    inputs = {key: np.asarray(value, np.float32) for key, value in values.items()}
    return Case(name, model, inputs, {"y": np.abs(inputs["x"])}, 1e-3, 1e-7)


ABS = case("(float[1,2] x) => (float[1,2] y) { y = Abs(x) }", x=[[-1.5, 2.0]])


def fake(choice: str, **options: Any) -> Process:
    return Process("fake", "tests.runtimes.fake_runtime", choice, **options)


# --- which cases


def test_a_fixed_third_of_the_tests_is_held_out() -> None:
    names = ("test_relu", "test_abs", "test_add", "test_conv", "test_exp", "test_softmax_axis_0")
    assert [name for name in names if held_out(name)] == ["test_abs"]
    assert held_out("test_gelu_default_1") == held_out("test_gelu_default_1_expanded_ver20")
    share = sum(held_out(f"test_{number}") for number in range(3000)) / 3000
    assert 0.3 < share < 0.37


def test_inputs_are_given_and_constant_at_every_definition() -> None:
    text = "(float[2,3] x, float[3] z) => (float[2,3] y) { y = Add(x, z) }"
    made = list(variants(case(text, "test_add", x=np.ones((2, 3)), z=np.ones(3)), single_node_at))
    assert [(item.key, item.level) for item in made] == [
        ("test_add@17", 0),
        ("test_add@17 constant=1", 0),
        ("test_add@17 constant=0", 1),
        ("test_add@13", 2),
        ("test_add@13 constant=1", 2),
        ("test_add@12", 2),
        ("test_add@12 constant=1", 2),
    ]
    # Of each other definition the last opset: 13 before 14, 12 before 13; those that ended before opset 7 are left out.
    assert [item.opset for item in made] == [17, 17, 17, 13, 13, 12, 12]


def test_what_has_become_invalid_or_another_operator_is_no_case() -> None:
    def wrong(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
        made = onnx.ModelProto()
        made.CopyFrom(model)
        made.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 7
        return made

    assert [item.level for item in variants(ABS, wrong)] == [0]
    assert [item.level for item in variants(ABS, lambda model, opset: None)] == [0]


def test_the_cases_of_detectors() -> None:
    made = list(detector_cases())
    counts = Counter(item.model.graph.node[0].op_type for item in made)
    assert {"Conv", "Resize", "TopK", "NonMaxSuppression", "Softmax", "MaxPool"} <= set(counts)
    assert len({item.test for item in made}) == len(made)
    for item in made:
        onnx.checker.check_model(item.model)
        assert set(item.inputs) == {info.name for info in item.model.graph.input}
        assert not held_out(item.test) or item.test.startswith("detector: ")


# --- what becomes of them


@pytest.mark.parametrize(
    ("choice", "kind", "reason"),
    [
        ("", "right", ""),
        ("wrong", "wrong", "y: off by up to"),
        ("other shape", "wrong", "y: shape [2] instead of [1, 2]"),
        ("other type", "wrong", "y: float64 instead of float32"),
        ("nothing", "wrong", "the output y is missing"),
        ("refuse", "refused", "it has no such operator"),
        ("crash running", "crashed", "SIGSEGV while running"),
        ("other types", "unmeasured", "float8"),
    ],
)
def test_outcomes(choice: str, kind: str, reason: str) -> None:
    with fake(choice) as process:
        outcome = probe(process, ABS, STRICT)
    assert outcome.kind == kind
    assert reason in outcome.reason


def test_a_timeout_is_an_outcome() -> None:
    with fake("hang", timeout=0.3) as process:
        assert probe(process, ABS, STRICT).kind == "timeout"


def test_what_may_be_the_fault_of_an_earlier_case_is_tried_again() -> None:
    with fake("crash once") as process:
        assert [probe(process, ABS, STRICT).kind for _ in range(4)] == ["right"] * 4


def F(values: Any) -> Any:  # noqa: N802  (a float32 array)
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("right", "got", "leniency", "said"),
    [
        (F([1, 2]), F([1, 2.0001]), STRICT, ""),
        (F([1, 2]), F([1, 2.1]), STRICT, "off by up to 0.1"),
        (F([1e3, 1e-3]), F([1e3, 2e-3]), STRICT, ""),  # one part in a million of what was summed
        (F([np.nan, np.inf]), F([np.nan, np.inf]), STRICT, ""),
        (F([np.nan, 1]), F([0, 1]), STRICT, "NaN or infinity in other places"),
        (F([[1, 2]]), F([1, 2]), STRICT, "shape"),
        (F([[1, 2]]), F([1, 2]), Leniency(ones=True), ""),
        (F([[1, 2]]), F([[1], [2]]), Leniency(ones=True), ""),
        (F([[1, 2], [3, 4]]), F([1, 2, 3, 4]), Leniency(ones=True), "shape"),
        (np.array([1, 2]), np.array([1, 2], np.int32), STRICT, "int32 instead of int64"),
        (np.array([1, 2]), np.array([1, 2], np.int32), Leniency(types=True), ""),
        (np.array([1, 2]), np.array([1, 3]), STRICT, "1 of 2 values differ"),
        (np.array(["a"]), np.array(["a"], object), STRICT, ""),
        (np.array(["a"]), np.array(["b"], object), STRICT, "other strings"),
        ([F([1])], [F([1])], STRICT, ""),
        ([F([1])], [F([1]), F([1])], STRICT, "another sequence"),
        (None, None, STRICT, ""),
        (None, F([1]), STRICT, "only one of them is empty"),
    ],
)
def test_how_outputs_are_judged(right: Any, got: Any, leniency: Leniency, said: str) -> None:
    found = difference({"y": right}, {"y": got}, 1e-3, 1e-7, leniency)
    assert said in found
    assert bool(found) == bool(said)


# --- the journal


ABOUT = {"runtime": "fake", "version": "1.0", "onnx": "1.0"}


def test_a_journal_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a" / "journal"
    with Journal(path, ABOUT, resume=True) as journal:
        journal.note("one", Outcome("right"))
        journal.note("two", Outcome("refused", "no → not here"))
    with path.open("a") as file:
        file.write('{"case": "three", "outc')
    with Journal(path, ABOUT, resume=True) as journal:
        assert journal.outcomes == {"one": Outcome("right"), "two": Outcome("refused", "no → not here")}
        journal.note("three", Outcome("wrong"))
    assert list(read_journal(path)) == ["one", "two", "three"]
    with Journal(path, ABOUT, resume=False) as journal:
        assert journal.outcomes == {}


def test_a_journal_about_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal(path, ABOUT, resume=False):
        pass
    with pytest.raises(UsageError, match=r"is about runtime fake, version 1\.0.*not about.*version 2.*--resume"):
        Journal(path, ABOUT | {"version": "2"}, resume=True)
    path.write_text("something\n")
    with pytest.raises(UsageError, match="no journal of a probe"):
        Journal(path, ABOUT, resume=True)


def test_a_probe_that_was_stopped_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner("fake", "Fake", (("onnx",),), (), "MIT", "tests.runtimes.fake_runtime")
    cases = [replace(ABS, test=f"test_{number}") for number in range(5)]
    seen: list[tuple[int, int]] = []

    def watch(done: int, of: int, outcome: Outcome) -> None:
        seen.append((done, of))

    path = tmp_path / "journal"
    first = measure(runner, cases[:2], path, Settings(), watch)
    assert first.complete
    again = measure(runner, cases, path, Settings(jobs=2, resume=True), watch)
    assert [outcome.kind for outcome in again.outcomes.values()] == ["right"] * 5
    assert seen == [(1, 2), (2, 2), (3, 5), (4, 5), (5, 5)]
    over = measure(runner, cases, path, Settings(budget=0.0), watch)
    assert not over.complete


def test_cases_become_rows_of_a_table_that_keeps_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner("fake", "Fake runtime", (("onnx",),), (), "MIT", "tests.runtimes.fake_runtime")
    old = parse_table(
        "# graphkit support table, format 1\nruntime: fake\ntitle: Fake\nversion: 0.9\nabsent: none\nopsets: 7-13\n"
        "source d: doc | a/b | 1 | 2026-01 | MIT | ops.md\n"
        "source p: probe | pip fake | 0.9 | 2026-01 | MIT | probe\n---\n"
        "Abs\t\t6\t\tfloor\tnone\t\t\tnot yet\td\nAbs\t\t6\t6\tkernel\tnone\t\t\tno\tp\n"
        "Relu\t\t6\t6\tkernel\tfull\t\t\t\tp\n",
        "fake@0.9.tsv",
    )
    observations = observe([ABS], {ABS.key: Outcome("right"), "another": Outcome("wrong")})
    text = measured_table(runner, "1.0", observations, old)
    table = parse_table(text, "fake@1.0.tsv")
    assert (table.name, table.absent, table.opsets) == ("fake@1.0", "unknown", (None, None))
    found = [(row.op, row.status, row.source.key, row.source.commit) for row in table]
    assert found == [("Abs", "none", "d", "1"), ("Abs", "full", "p1", "1.0"), ("Relu", "full", "p", "0.9")]
    alone = parse_table(measured_table(runner, "1.0", observations, None), "fake@1.0.tsv")
    (row,) = alone
    assert (row.since, row.until, row.match, row.when) == (13, 13, "kernel", "rank.0=2")
    assert str(row.source).startswith("pip onnx 1.0 (")


def test_what_a_converter_of_whole_graphs_refuses_alone_counts_where_nobody_names_it() -> None:
    runner = Runner("fake", "Fake", (("onnx",),), (), "MIT", "tests.runtimes.fake_runtime", judges_alone=False)
    head = "# graphkit support table, format 1\nruntime: fake\ntitle: Fake\nversion: 1.0\nabsent: unknown\nfixes: yes\n"
    source = "source d: doc | a/b | 1 | 2026-01 | MIT | ops.md\n---\n"
    refused, right = ({ABS.key: Outcome(kind)} for kind in ("refused", "right"))

    def statuses(row: str, outcomes: dict[str, Outcome]) -> list[tuple[str, str]]:
        begin = parse_table(f"{head}{source}{row}", "fake@1.0.tsv")
        made = parse_table(measured_table(runner, "1.0", observe([ABS], outcomes), begin), "fake@1.0.tsv")
        assert made.fixes
        return [(item.status, item.source.evidence) for item in made]

    named = "Abs\t\t\t\tany\tfull\t\t\t\td\n"
    assert statuses("", refused) == [("none", "probe")]
    assert statuses(named, refused) == [("full", "doc")]
    assert statuses(named, right) == [("full", "doc"), ("full", "probe")]
    assert statuses("", {ABS.key: Outcome("wrong")}) == []


def test_what_could_not_be_measured_says_nothing() -> None:
    assert observe([ABS], {ABS.key: Outcome("unmeasured")}) == []
    assert observe([ABS], {}) == []
