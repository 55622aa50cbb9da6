"""embed-nms: late decode, the matrix backend, run-time thresholds, layouts, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import PassRefused
from graphkit.heads import DetectionOutputs
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.embed_nms.matrix_backend import repetitions
from graphkit.passes.split_head import SplitHead
from tests.heads.build import detector
from tests.heads.running import Arrays, apply, images, run, shapes
from tests.passes.helpers import live, ops
from tests.passes.nms import SEMANTICS, assert_detections, behind, crowd, feed, places


def same(left: Arrays, right: Arrays, atol: float = 1e-3) -> int:
    """The same detections, in the same order; returns how many there were."""
    assert list(left) == list(right)
    np.testing.assert_array_equal(left["num_dets"], right["num_dets"])
    for name in left:
        np.testing.assert_allclose(left[name], right[name], rtol=1e-5, atol=atol, err_msg=name)
    return int(left["num_dets"].sum())


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("batch", [1, 2, "batch"])
def test_late_gives_what_a_limit_on_all_candidates_gives(backend: Any, semantics: Any, batch: Any) -> None:
    cases: list[tuple[int, bool, Any]] = [(11, False, "center-size"), (12, True, "corners"), (18, False, "center-size")]
    for opset, transposed, coding in cases:
        model = detector(batch=batch, opset=opset, transposed=transposed, coding=coding, classes=5)
        options: dict[str, Any] = {"backend": backend, "semantics": semantics, "candidates": 30, "confidence": 0.05}
        made, result = apply(model, EmbedNms(late=True, **options))
        plain, _ = apply(model, EmbedNms(late=False, **options))
        onnx.checker.check_model(made, full_check=True)
        assert result.summary.endswith("late")
        assert result.metadata["graphkit.nms.late"] == "yes"
        # The head sees 30 columns, not 84: nothing of the size of all anchors is left behind the choice.
        kinds = ops(live(made))
        assert kinds["Softmax"] == ops(model)["Softmax"] == 1
        fed = images(3 if batch == "batch" else batch)
        assert same(run(live(made), fed), run(plain, fed)) >= 5


def test_only_the_candidates_are_decoded() -> None:
    made, _ = apply(detector(classes=5), EmbedNms(candidates=30))
    proto = onnx.shape_inference.infer_shapes(live(made))
    sizes = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in proto.graph.value_info}
    for node in proto.graph.node:
        if node.op_type in ("Softmax", "Sigmoid"):
            assert 30 in sizes[node.output[0]]  # the anchors would be 84
    assert sum(84 in sizes.get(node.output[0], []) for node in proto.graph.node if node.op_type == "Mul") == 0


def test_few_candidates_are_all_decoded_and_that_is_said() -> None:
    _, result = apply(detector(), EmbedNms())
    assert result.summary == "onnx, best class"
    assert any("only 84 candidates" in item.reason for item in result.declined)
    assert result.metadata["graphkit.nms.late"].startswith("no: ")


def test_a_nan_logit_takes_nobodys_place() -> None:
    made, _ = apply(detector(classes=2), EmbedNms(candidates=30, confidence=0.05))
    fed = images()
    clean = run(made, fed)
    fed["images"][0, :, :8, :8] = np.nan  # one anchor of the first level, and those above it
    dirty = run(made, fed)
    assert dirty["num_dets"][0, 0] >= 1
    assert np.isfinite(dirty["boxes"]).all()
    assert np.isfinite(dirty["scores"]).all()
    assert abs(int(clean["num_dets"][0, 0]) - int(dirty["num_dets"][0, 0])) <= 4


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_matrix_uses_no_operator_that_depends_on_data(semantics: Any) -> None:
    for late in (True, False):
        made, _ = apply(detector(batch="batch"), EmbedNms(backend="matrix", semantics=semantics, late=late))
        kinds = set(ops(live(made)))
        assert "MatMul" in kinds
        assert not kinds & {"NonMaxSuppression", "NonZero", "Loop", "ScatterND", "ScatterElements", "Scan", "GatherND"}


def test_matrix_is_exact_up_to_the_bound_and_loses_nothing_beyond() -> None:
    """A chain: each box overlaps the next one only, so that every second one stays."""
    long = 41
    for iterations, exact in ((40, True), (6, False)):
        rewrite = EmbedNms(backend="matrix", iou=0.3, iterations=iterations, candidates=84)
        made, result = apply(detector(classes=1), rewrite)
        raw = crowd(np.random.default_rng(0), 1, places(result), 1)
        raw.scores[:] = 0
        raw.scores[0, :long, 0] = np.linspace(0.9, 0.5, long)
        raw.boxes[0, :long] = np.arange(long)[:, None] * np.array([5, 0, 5, 0]) + np.array([0, 0, 10, 10])
        values, raw = feed(result, raw)
        got = run(behind(made, result), values)
        count = int(got["num_dets"][0, 0])
        kept = got["boxes"][0, :count, 0] / 5
        assert set(range(0, long, 2)) <= set(kept.round().astype(int).tolist())
        assert (count == 21) is exact
        assert sum(node.op_type == "MatMul" for node in made.graph.node) == repetitions(iterations, 84)
    assert [repetitions(*pair) for pair in ((7, 100), (8, 100), (100, 9), (3, 1))] == [8, 8, 8, 0]


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
@pytest.mark.parametrize("semantics", SEMANTICS)
def test_ties_flat_boxes_infinite_and_nan_scores(backend: Any, semantics: Any) -> None:
    rewrite = EmbedNms(backend=backend, semantics=semantics, max_detections=20, candidates=200, iterations=200)
    made, result = apply(detector(classes=2), rewrite)
    raw = crowd(np.random.default_rng(1), 1, places(result), 2)
    raw.boxes[0, :6, 2] = raw.boxes[0, :6, 0]
    raw.boxes[0, 10:14] = raw.boxes[0, 10]
    raw.scores[0, 20:30] = 0.5
    raw.scores[0, 40] = np.inf, 0.1
    raw.scores[0, 41] = np.nan
    values, raw = feed(result, raw)
    raw.scores[0, 41] = -1
    assert assert_detections(run(behind(made, result), values), raw, rewrite) == 20


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
def test_thresholds_at_run_time(backend: Any) -> None:
    model = detector(classes=3)
    made, result = apply(model, EmbedNms(backend=backend, runtime_thresholds=True, candidates=60))
    assert [item.name for item in made.graph.input] == ["images", "confidence_threshold", "iou_threshold"]
    assert {"confidence_threshold", "iou_threshold"} <= {item.name for item in made.graph.initializer}
    assert isinstance(result.relation, DetectionOutputs)
    assert dict(result.relation.thresholds) == {"confidence_threshold": 0.25, "iou_threshold": 0.7}
    for confidence, iou in ((0.25, 0.7), (0.05, 0.3)):
        fixed, _ = apply(model, EmbedNms(backend=backend, confidence=confidence, iou=iou, candidates=60))
        given = {
            "confidence_threshold": np.array([confidence], np.float32),
            "iou_threshold": np.array([iou], np.float32),
        }
        same(run(made, images() | given), run(fixed, images()))
    same(run(made, images()), run(apply(model, EmbedNms(backend=backend, candidates=60))[0], images()))


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
def test_equal_thresholds_are_two_initializers(backend: Any) -> None:
    made, result = apply(detector(), EmbedNms(backend=backend, confidence=0.5, iou=0.5))
    assert isinstance(result.relation, DetectionOutputs)
    names = list(result.relation.thresholds)
    assert len(names) == 2
    assert set(names) <= {item.name for item in made.graph.initializer}


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
def test_the_table_that_ultralytics_reads(backend: Any) -> None:
    model = detector(batch="batch")
    options: dict[str, Any] = {"backend": backend, "confidence": 0.05, "max_detections": 40, "candidates": 50}
    made, result = apply(model, EmbedNms(layout="ultralytics", **options))
    four = run(apply(model, EmbedNms(**options))[0], images(2))
    table = run(made, images(2))["detections"]
    assert shapes(made) == {"detections": ["batch", 40, 6]}
    assert result.metadata["end2end"] == "True"
    np.testing.assert_array_equal(table[..., :4], four["boxes"])
    np.testing.assert_array_equal(table[..., 4], four["scores"])
    np.testing.assert_array_equal(table[..., 5], np.maximum(four["classes"], 0))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"layout": "ultralytics"}, "Use layout four, or backend onnx"),
        ({"runtime_thresholds": True}, "Leave runtime-thresholds out"),
    ],
)
def test_what_the_plugin_cannot_do_is_refused(options: dict[str, Any], what: str) -> None:
    with pytest.raises(PassRefused, match=what):
        apply(detector(), EmbedNms(backend="efficientnms", **options))


def test_the_plugin_gets_late_candidates_too() -> None:
    made, result = apply(detector(batch="batch", classes=4), EmbedNms(backend="efficientnms", candidates=20))
    assert result.summary == "efficientnms, best class, late"
    node = next(node for node in made.graph.node if node.op_type == "EfficientNMS_TRT")
    values, raw = feed(result, crowd(np.random.default_rng(5), 2, 20, 4))
    into = run(behind(made, result, list(node.input)), values)
    best = raw.scores.argmax(-1)
    masked = np.where(np.arange(4) == best[..., None], raw.scores, -1)
    np.testing.assert_array_equal(into[node.input[1]], masked)
    multi, result = apply(detector(batch="batch", classes=4), EmbedNms(backend="efficientnms", semantics="multi-label"))
    assert any("3840" in item.reason for item in result.declined)
    assert "TopK" not in ops(live(multi))


EXPORTS = [
    ("yolov8n", {"dynamic": True}),
    ("yolov8n", {"opset": 12}),
    ("yolov8n", {"half": True}),
    ("yolov8n", {"batch": 2}),
]


@pytest.mark.parametrize("backend", ["onnx", "matrix"])
@pytest.mark.parametrize(("name", "options"), EXPORTS)
@pytest.mark.parametrize("split", [False, True])
def test_late_on_exports(
    export: Callable[..., Path], backend: Any, name: str, options: dict[str, Any], split: bool
) -> None:
    model = Model.load(export(name, **options)).proto()
    if split:
        model, _ = apply(model, SplitHead())
    fed = images(2 if {"dynamic", "batch"} & set(options) else 1)
    before = run(model, fed)
    rewrite = EmbedNms(backend=backend, candidates=40, confidence=0.0, iou=1.0, max_detections=60)
    made, result = apply(model, rewrite)
    assert result.summary.endswith("late")
    assert isinstance(result.relation, DetectionOutputs)
    raw = result.relation.decode(before)
    got = run(live(made), fed)
    # Untrained scores are all but equal, so which 40 win is open; each row must be a candidate of the model.
    half = "half" in options
    for image, count in enumerate(got["num_dets"][:, 0]):
        assert count == 40
        best = raw.scores[image].max(-1)
        least = np.sort(best)[-40]
        for box, score, label in zip(
            got["boxes"][image, :count], got["scores"][image, :count], got["classes"][image, :count], strict=True
        ):
            distance = np.abs(raw.boxes[image] - box).max(-1)
            index = int(distance.argmin())
            assert distance[index] <= (0.3 if half else 1e-3)
            # onnxruntime's Sigmoid has steps of 2**-24 near 0, and is not monotone to the last step.
            assert score >= least * (1 - (2e-2 if half else 0)) - 2e-7
            np.testing.assert_allclose(raw.scores[image, index, label], score, rtol=2e-2 if half else 1e-4, atol=2e-7)


@pytest.mark.parametrize("layout", ["four", "ultralytics"])
@pytest.mark.parametrize("split", [False, True])
def test_a_one_to_one_head_is_filtered_and_sorted(export: Callable[..., Path], layout: Any, split: bool) -> None:
    model = Model.load(export("yolo26n", nms=False)).proto()
    table = run(model, images())["output0"][0]
    least = float(table[:, 4].min() * 0.99)  # untrained scores are all but equal
    if split:
        model = live(apply(model, SplitHead())[0])
    made, result = apply(model, EmbedNms(layout=layout, confidence=least, max_detections=400))
    assert isinstance(result.relation, DetectionOutputs)
    assert not result.relation.contract.suppress
    assert "NonMaxSuppression" not in ops(made)
    got = run(live(made), images())
    expected = table[table[:, 4] > np.float32(least)]
    expected = expected[np.argsort(-expected[:, 4], kind="stable")]
    count = len(expected)
    assert count > 5
    if layout == "ultralytics":
        np.testing.assert_array_equal(got["detections"][0, :count], expected)
        assert not got["detections"][0, count:].any()
    else:
        assert got["num_dets"].tolist() == [[count]]
        np.testing.assert_array_equal(got["boxes"][0, :count], expected[:, :4])
        np.testing.assert_array_equal(got["classes"][0, :count], expected[:, 5])
