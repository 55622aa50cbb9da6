"""`graphkit probe` on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graphkit.runtimes import parse_table
from graphkit.runtimes.probing import held_out
from graphkit.runtimes.runners import registry
from tests.cli.command import graphkit

ONLY = ("--runtime", "onnxruntime-cpu", "--only", "Relu", "--timeout", "20")


def test_a_table_is_written_with_the_rows_that_there_were(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    result = graphkit("probe", *ONLY, "-o", path, "--json")
    assert result.status == 0, result.stderr
    told = result.json()
    assert told["complete"]
    count = told["cases"]
    assert count > 10
    assert told["outcomes"] == {"right": count, "wrong": 0, "refused": 0, "crashed": 0, "timeout": 0, "unmeasured": 0}
    assert told["operators"] == [{"op": "Relu", "right": count, "wrong": 0, "failed": 0, "reason": ""}]
    assert [item.name for item in tmp_path.iterdir()] == ["mine.tsv"]
    rows = [row for row in parse_table(path.read_text(), path.name).rows("Relu") if row.source.evidence == "probe"]
    assert [(row.since, row.until, row.status) for row in rows if "float" in dict(row.types)["T"]] == [(6, 14, "full")]


def test_it_tells_in_words(tmp_path: Path) -> None:
    result = graphkit("probe", *ONLY, "-o", tmp_path / "mine.tsv")
    assert re.search(r"onnxruntime-cpu \S+   (\d+) cases\n  \1 right\n", result.stdout)
    assert "1 of 1 operators ran right in every case." in result.stdout


def test_a_probe_that_ran_out_of_time_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    result = graphkit("probe", *ONLY, "-o", path, "--minutes", "0.0101", "--json")
    assert result.status == 0
    assert (result.json()["probed"] < result.json()["cases"]) == (not result.json()["complete"])
    again = graphkit("probe", *ONLY, "-o", path, "--resume", "--journal", tmp_path / "kept", "--json")
    assert again.json()["complete"]
    assert (tmp_path / "kept").exists()
    last = graphkit("probe", *ONLY, "-o", path, "--resume", "--journal", tmp_path / "kept")
    assert f"{again.json()['cases']} cases" in last.stdout


def test_all_has_the_held_out_third_too(tmp_path: Path) -> None:
    assert held_out("test_abs")
    few = graphkit("probe", *ONLY[:2], "--only", "Abs", "-o", tmp_path / "a.tsv", "--json").json()
    all_of_them = graphkit("probe", *ONLY[:2], "--only", "Abs", "-o", tmp_path / "a.tsv", "--all", "--json").json()
    assert all_of_them["cases"] > few["cases"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--runtime", "openvin"], 'did you mean "openvino"'),
        (["--runtime", "onnxruntime-qnn"], "has no QNNExecutionProvider"),
        (["--runtime", "onnxruntime-cpu", "-o", "no/such/folder/a.tsv"], "does not exist"),
        (["--runtime", "onnxruntime-cpu", "--only", "Convolution", "-o", "OUT"], "no test is about Convolution"),
        (["--runtime", "onnxruntime-cpu", "--jobs", "0"], "--jobs"),
    ],
)
def test_bad_usage(arguments: list[str], said: str, tmp_path: Path) -> None:
    result = graphkit("probe", *[str(tmp_path / "a.tsv") if item == "OUT" else item for item in arguments])
    assert result.status == 2
    assert said in result.sentence


def test_a_runtime_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_version", lambda name: None)
    result = graphkit("probe", "--runtime", "tvm")
    assert result.status == 2
    assert "pip install 'onnx-graphkit[runtimes]'" in result.sentence
