"""make-dynamic on ultralytics' static exports, beside its dynamic exports of the same weights."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from graphkit.heads import recognise
from graphkit.model import Model
from graphkit.pipeline import parse_pipeline, run_pipeline
from tests.passes.helpers import evaluate

DYNAMIC = "version: 1\npasses:\n  - make-dynamic: {batch: true, height: true, width: true}\n"
HEADS = ("yolo11n", "yolo26n", "yolov8n-seg", "yolov8n-pose", "yolov8n-obb", "yolo11n-seg", "yolo26n-pose")


@pytest.mark.parametrize("name", ["yolov8n", *(pytest.param(name, marks=pytest.mark.slow) for name in HEADS)])
def test_as_a_native_dynamic_export(export: Callable[..., Path], name: str) -> None:
    native = Model.load(export(name, dynamic=True)).proto()
    outcome = run_pipeline(parse_pipeline(DYNAMIC, "test"), Model.load(export(name)))
    mine = outcome.model
    assert outcome.report.passes[0].warnings == ()
    assert "by decoding what the last layers predict" in outcome.report.note
    for shape in ((1, 3, 64, 64), (2, 3, 96, 160), (7, 3, 128, 32)):
        inputs = {"images": np.random.default_rng(shape).random(shape).astype(np.float32)}
        expected, found = evaluate(native, inputs), evaluate(mine.proto(), inputs)
        for output, value in expected.items():
            assert value.shape == found[output].shape
            assert np.linalg.norm(value - found[output]) <= 1e-4 * np.linalg.norm(value), (shape, output)
    head = recognise(mine.copy().graph, mine.metadata)
    assert head.strides == (8, 16, 32)
    assert head.anchors == "anchors"
    assert ast.literal_eval(mine.metadata["args"])["dynamic"] is True


def test_there_and_back(export: Callable[..., Path]) -> None:
    """What is fixed again computes what it did, with no node more."""
    static = Model.load(export("yolov8n"))
    fixed = "  - set-input-shape: {batch: 1, height: 64, width: 64}\n"
    outcome = run_pipeline(parse_pipeline(DYNAMIC + fixed, "test"), static)
    simple = run_pipeline(parse_pipeline("version: 1\npasses: [fold-constants, remove-identity]\n", "test"), static)
    assert outcome.model.node_count <= simple.model.node_count
    assert outcome.model.metadata["imgsz"] == "[64, 64]"
    inputs = {"images": np.random.default_rng(0).random((1, 3, 64, 64)).astype(np.float32)}
    same = evaluate(static.proto(), inputs)["output0"]
    np.testing.assert_array_equal(evaluate(outcome.model.proto(), inputs)["output0"], same)


def test_nms_behind_it(export: Callable[..., Path]) -> None:
    text = DYNAMIC + "  - embed-nms: {confidence: 0.001}\n"
    outcome = run_pipeline(parse_pipeline(text, "test"), Model.load(export("yolov8n")))
    proof = outcome.report.passes[1].proof
    assert proof is not None
    assert proof.passed
    assert [item.name for item in outcome.model.proto().graph.output] == ["num_dets", "boxes", "scores", "classes"]
