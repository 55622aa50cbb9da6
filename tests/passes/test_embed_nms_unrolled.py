"""embed-nms, backend unrolled: the detections of a plain greedy NMS, in arithmetic alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused
from graphkit.heads import DetectionOutputs, RawDetections
from graphkit.model import Model
from graphkit.passes.embed_nms import ROUNDS, EmbedNms
from graphkit.passes.embed_nms.unrolled_backend import NODES, OPERATORS
from graphkit.passes.split_head import SplitHead
from graphkit.pipeline import Pipeline, run_pipeline
from tests.heads.build import detector
from tests.heads.running import apply, images, run, shapes
from tests.passes.helpers import live, ops
from tests.passes.nms import assert_detections, behind, crowd, feed

SUPPRESSING = ["best-class", "class-agnostic"]


def unrolled(**options: Any) -> EmbedNms:
    return EmbedNms(backend="unrolled", **options)


@settings(deadline=None, max_examples=15, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    semantics=st.sampled_from(SUPPRESSING),
    classes=st.integers(1, 5),
    batch=st.integers(1, 3),
    dynamic=st.booleans(),
    opset=st.sampled_from([11, 13, 17, 18, 21]),
    split=st.sampled_from([None, ("cn", "center-size"), ("nc", "center-size"), ("cn", "corners"), ("nc", "corners")]),
    rows=st.sampled_from([1, 5, 40]),
    confidence=st.sampled_from([0.0, 0.25, 0.9]),
    iou=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
)
def test_greedy_nms_everywhere(
    seed: int,
    semantics: Any,
    classes: int,
    batch: int,
    dynamic: bool,
    opset: int,
    split: tuple[Any, Any] | None,
    rows: int,
    confidence: float,
    iou: float,
) -> None:
    model = detector(classes=classes, opset=opset, batch="batch" if dynamic else batch)
    if split is not None:
        model, _ = apply(model, SplitHead(layout=split[0], coding=split[1]))
    rewrite = unrolled(semantics=semantics, confidence=confidence, iou=iou, max_detections=rows)
    made, result = apply(model, rewrite)
    onnx.checker.check_model(made, full_check=True)
    assert result.rewrites == 1
    raw = crowd(np.random.default_rng(seed), batch, 84, classes)
    raw.scores[0, :3] = np.nan
    values, raw = feed(result, raw)
    raw.scores[0, :3] = -1  # a NaN is never a detection
    assert_detections(run(behind(made, result), values), raw, rewrite)


def test_by_hand() -> None:
    """Two best classes, another class, IoU at the threshold and above it, a score at the threshold."""
    rewrite = unrolled(iou=0.5, max_detections=4)
    model, _ = apply(detector(classes=80), SplitHead(coding="corners", layout="nc"))
    made, result = apply(model, rewrite)
    boxes = np.zeros((1, 84, 4), np.float32)
    boxes[0, :5] = np.array([[0, 0, 1, 8], [0, 0, 1, 7], [0, 0, 0.5, 8], [0, 0, 0.375, 8], [9, 9, 10, 10]])
    scores = np.zeros((1, 84, 80), np.float32)
    scores[0, 0, [5, 79]] = 1.0
    scores[0, 1, 79], scores[0, 2, 5], scores[0, 3, 5], scores[0, 4, 5] = 0.9, 0.8, 0.7, 0.25
    values, raw = feed(result, RawDetections(boxes, scores))
    got = run(behind(made, result), values)
    assert got["classes"].tolist() == [[5, 79, 5, -1]]
    assert assert_detections(got, raw, rewrite) == 3


@pytest.mark.parametrize("semantics", SUPPRESSING)
def test_ties_flat_boxes_and_nan(semantics: Any) -> None:
    rewrite = unrolled(semantics=semantics, max_detections=30, iou=0.6)
    made, result = apply(detector(classes=2), rewrite)
    raw = crowd(np.random.default_rng(1), 1, 84, 2)
    raw.boxes[0, :6, 2] = raw.boxes[0, :6, 0]
    raw.boxes[0, 10:14] = raw.boxes[0, 10]
    raw.scores[0, :30] = 0.5
    raw.scores[0, 40] = np.nextafter(np.float32(0.5), np.float32(1)), 0.1
    raw.scores[0, 41] = np.nan
    values, raw = feed(result, raw)
    raw.scores[0, 41] = -1
    assert assert_detections(run(behind(made, result), values), raw, rewrite) == 30


@pytest.mark.parametrize("iou", [0.0, 1.0])
def test_a_box_is_taken_once_whatever_the_threshold(iou: float) -> None:
    rewrite = unrolled(iou=iou, max_detections=8)
    model, _ = apply(detector(classes=2), SplitHead(coding="corners", layout="nc"))
    made, result = apply(model, rewrite)
    raw = RawDetections(np.zeros((1, 84, 4), np.float32), np.zeros((1, 84, 2), np.float32))
    raw.boxes[0, :4] = np.array([[1, 1, 9, 9], [1, 1, 9, 9], [9, 1, 17, 9], [8.5, 1, 17, 9]])
    raw.scores[0, :4, 0] = [0.9, 0.8, 0.7, 0.6]
    raw.scores[0, 4, 1] = 0.5  # a box without area
    values, raw = feed(result, raw)
    assert assert_detections(run(behind(made, result), values), raw, rewrite) == (3 if iou == 0 else 5)


def test_what_is_not_finite_spoils_only_itself() -> None:
    rewrite = unrolled(max_detections=10)
    model, _ = apply(detector(classes=2), SplitHead(coding="corners", layout="nc"))
    made, result = apply(model, rewrite)
    raw = RawDetections(np.zeros((1, 84, 4), np.float32), np.zeros((1, 84, 2), np.float32))
    boxes = [[1, 1, 9, 9], [20, 20, np.inf, 30], [40, np.nan, 50, 50], [2, 1, 9, 9], [60, 60, 80, 80]]
    raw.boxes[0, :5] = np.array(boxes)
    raw.scores[0, :5, 0] = [0.9, 0.8, 0.7, 0.6, np.inf]
    got = run(behind(made, result), feed(result, raw)[0])
    assert got["num_dets"].tolist() == [[4]]
    np.testing.assert_array_equal(got["scores"][0, :4], np.array([1, 0.9, 0.8, 0.7], np.float32))
    np.testing.assert_array_equal(got["boxes"][0, :3], [[60, 60, 80, 80], [1, 1, 9, 9], [20, 20, 2**20, 30]])
    assert np.isfinite(got["boxes"]).all()


def test_nothing_and_everything() -> None:
    rewrite = unrolled(confidence=0.5, max_detections=60)
    made, result = apply(detector(batch="batch", classes=4), rewrite)
    raw = crowd(np.random.default_rng(3), 3, 84, 4)
    raw.scores[1] *= 0.4
    raw.boxes[2] = raw.boxes[2, 0]  # all but one of a class are suppressed
    values, raw = feed(result, raw)
    got = run(behind(made, result), values)
    assert assert_detections(got, raw, rewrite) >= 20
    assert got["num_dets"][1, 0] == 0
    assert got["num_dets"][2, 0] == 4
    raw.scores[:] = 0
    values, raw = feed(result, raw)
    assert assert_detections(run(behind(made, result), values), raw, rewrite) == 0


def test_corners_in_any_order_come_out_in_order() -> None:
    model, _ = apply(detector(classes=2), SplitHead(coding="corners", layout="nc"))
    made, result = apply(model, unrolled(max_detections=3))
    raw = RawDetections(np.zeros((1, 84, 4), np.float32), np.zeros((1, 84, 2), np.float32))
    raw.boxes[0, :2] = [[9, 1, 1, 9], [1, 9, 9, 2]]
    raw.scores[0, :2, 1] = [0.9, 0.8]
    got = run(behind(made, result), feed(result, raw)[0])
    assert got["num_dets"].tolist() == [[1]]
    assert got["boxes"][0, 0].tolist() == [1, 1, 9, 9]


@pytest.mark.parametrize(("classes", "semantics", "each"), [(3, "best-class", NODES), (3, "class-agnostic", NODES - 2)])
def test_so_many_nodes_a_round_and_only_these_operators(classes: int, semantics: Any, each: int) -> None:
    made = {
        rows: live(apply(detector(classes=classes), unrolled(semantics=semantics, max_detections=rows))[0])
        for rows in (2, 12)
    }
    assert len(made[12].graph.node) - len(made[2].graph.node) == 10 * each
    left = ops(live(apply(detector(classes=classes), SplitHead())[0]))
    assert {op for op, count in ops(made[2]).items() if count > left.get(op, 0)} <= OPERATORS


def test_it_is_never_late_and_makes_fewer_rows() -> None:
    assert (unrolled().max_detections, EmbedNms().max_detections) == (ROUNDS, 300)
    assert unrolled(max_detections=7).max_detections == 7
    assert EmbedNms.model_validate({"backend": "unrolled", "max-detections": 7}).max_detections == 7
    made, result = apply(detector(), unrolled(max_detections=5))
    assert shapes(made) == {"num_dets": [1, 1], "boxes": [1, 5, 4], "scores": [1, 5], "classes": [1, 5]}
    assert result.summary == "unrolled, best class"
    assert "no TopK" in result.declined[0].reason
    assert result.metadata["graphkit.nms.late"].startswith("no: ")
    assert "5 times" in result.warnings[0]
    assert apply(detector(), unrolled(late=False, max_detections=5))[1].declined == ()
    assert apply(made, unrolled(max_detections=5))[1].rewrites == 0
    with pytest.raises(PassRefused, match="max-detections: 5"):
        apply(made, unrolled(max_detections=6))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"semantics": "multi-label"}, "Use backend matrix or onnx, or semantics best-class"),
        ({"candidates": 10}, "Leave candidates out, or use backend matrix"),
    ],
)
def test_what_it_cannot_do_is_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(PassRefused, match=what):
        apply(detector(), unrolled(**options))


def test_a_number_of_boxes_that_is_not_fixed_is_refused() -> None:
    model = detector()
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "anchors"
    with pytest.raises(PassRefused, match="Fix the image size, or use backend matrix"):
        apply(model, unrolled())


def test_thresholds_at_run_time() -> None:
    made, result = apply(detector(), unrolled(runtime_thresholds=True, max_detections=20))
    assert [item.name for item in made.graph.input] == ["images", "confidence_threshold", "iou_threshold"]
    assert isinstance(result.relation, DetectionOutputs)
    fixed, _ = apply(detector(), unrolled(confidence=0.05, iou=0.9, max_detections=20))
    given = {"confidence_threshold": np.array([0.05], np.float32), "iou_threshold": np.array([0.9], np.float32)}
    got, expected = run(made, images() | given), run(fixed, images())
    assert expected["num_dets"][0, 0] >= 5
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value)


def test_the_table_that_ultralytics_reads() -> None:
    model = detector(batch="batch")
    made, _ = apply(model, unrolled(layout="ultralytics", confidence=0.05, max_detections=30))
    four = run(apply(model, unrolled(confidence=0.05, max_detections=30))[0], images(2))
    table = run(made, images(2))["detections"]
    assert shapes(made) == {"detections": ["batch", 30, 6]}
    np.testing.assert_array_equal(table[..., :4], four["boxes"])
    np.testing.assert_array_equal(table[..., 4], four["scores"])
    np.testing.assert_array_equal(table[..., 5], np.maximum(four["classes"], 0))


@pytest.mark.parametrize(("name", "kind"), [("yolov8n-seg", "masks"), ("yolov8n-pose", "keypoints")])
def test_it_is_proven_with_masks_and_keypoints(export: Callable[..., Path], name: str, kind: str) -> None:
    outcome = run_pipeline(Pipeline("test", "", (unrolled(max_detections=40),)), Model.load(export(name)))
    proof = outcome.report.passes[0].proof
    assert proof is not None
    assert proof.detections is not None
    assert proof.passed
    assert proof.detections.compared >= 50
    assert proof.detections.max_extra_error == 0
    assert kind in shapes(outcome.model.proto())


@pytest.mark.parametrize("layout", ["four", "ultralytics"])
def test_a_one_to_one_head_is_filtered_and_sorted(export: Callable[..., Path], layout: Any) -> None:
    model = Model.load(export("yolo26n", nms=False)).proto()
    least = float(run(model, images())["output0"][0, :, 4].min() * 0.99)
    options: dict[str, Any] = {"layout": layout, "confidence": least, "max_detections": 20}
    expected = run(live(apply(model, EmbedNms(**options))[0]), images())
    got = run(live(apply(model, unrolled(**options))[0]), images())
    assert list(got) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(got[name], value)
