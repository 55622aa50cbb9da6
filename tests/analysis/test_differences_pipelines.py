"""A raw export held against what each shipped pipeline makes of it: the diff lists what the run reports, no more."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import onnx
import pytest

from benchmarks.disguise import disguised
from graphkit.analysis.differences import GraphDiff, compare
from graphkit.demo import demo_detector
from graphkit.model import Model
from graphkit.pipeline import RunReport, parse_pipeline, run_pipeline

PIPELINES = sorted((Path(__file__).parents[2] / "passes").glob("*.yaml"))


@cache
def ran(path: Path) -> tuple[GraphDiff, RunReport, bytes]:
    """The diff of the demo detector and what a pipeline makes of it, and the report of that run."""
    source = Model(onnx.load_from_string(demo_detector()))
    outcome = run_pipeline(parse_pipeline(path.read_text(), str(path)), source)
    made = outcome.model.proto()
    return compare(source, Model(made)), outcome.report, made.SerializeToString()


def test_there_are_pipelines() -> None:
    assert len(PIPELINES) >= 4


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_operators_are_those_of_the_report(path: Path) -> None:
    diff, report, _ = ran(path)
    before, after = Counter(report.before.operators), Counter(report.after.operators)
    before.pop("Constant", None)
    after.pop("Constant", None)
    told = {item.op: item for item in diff.operators}
    for op in before | after:
        if op in told:
            assert (told[op].left, told[op].right) == (before[op], after[op])
            assert told[op].left - told[op].removed + told[op].added == told[op].right
        else:
            assert before[op] == after[op]
    assert set(told) <= set(before | after)
    assert diff.matched + diff.removed == before.total()
    assert diff.matched + diff.added == after.total()
    assert report.passes[-1].nodes == diff.right.nodes == after.total() + report.after.operators.get("Constant", 0)


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_inputs_outputs_and_opset_are_those_of_the_report(path: Path) -> None:
    diff, report, _ = ran(path)
    for kind, before, after in (
        ("input", report.before.inputs, report.after.inputs),
        ("output", report.before.outputs, report.after.outputs),
    ):
        changed = [item for item in diff.ends if item.kind == kind]
        gone = [item.left.name for item in changed if item.left and not item.right]
        new = [item.right.name for item in changed if item.right and not item.left]
        assert gone == [item.name for item in before if item.name not in {other.name for other in after}]
        assert new == [item.name for item in after if item.name not in {other.name for other in before}]
        both = {item.left.name for item in changed if item.left and item.right}
        shapes = {item.name: (item.dtype, item.shape) for item in before}
        assert both == {
            item.name for item in after if shapes.get(item.name, (item.dtype, item.shape)) != (item.dtype, item.shape)
        }
    opsets = [(item.left, item.right) for item in diff.settings if (item.kind, item.name) == ("opset", "ai.onnx")]
    same = report.before.opset == report.after.opset
    assert opsets == ([] if same else [(str(report.before.opset), str(report.after.opset))])


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_all_else_is_what_the_passes_say(path: Path) -> None:
    diff, report, _ = ran(path)
    metadata = {item.name: item for item in diff.settings if item.kind == "metadata"}
    assert all(name.startswith("graphkit.") and item.left is None for name, item in metadata.items())
    done = {record.name for record in report.passes if record.rewrites}
    noted = metadata["graphkit.passes"].right
    assert noted is not None
    assert {item["name"] for item in json.loads(noted)} == done
    assert any(item.retyped for item in diff.tensors) == ("to-float16" in done)
    assert bool(diff.ends) == ("embed-nms" in done)
    domains = [item.name for item in diff.settings if item.kind == "opset"]
    assert domains == (["TRT"] if "EfficientNMS_TRT" in str(report.after.operators) else [])


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_what_a_pipeline_makes_is_the_same_in_disguise(path: Path) -> None:
    _, _, made = ran(path)
    model = Model(onnx.load_from_string(made))
    assert compare(model, Model(disguised(model.proto()))).equal
