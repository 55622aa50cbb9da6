"""embed-nms: the detections of a plain greedy NMS, whatever the batch, layout, opset and number of classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from pydantic import ValidationError

from graphkit.errors import PassRefused
from graphkit.heads import DetectionOutputs, RawDetections
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.split_head import SplitHead
from tests.heads.build import detector
from tests.heads.running import apply, images, run, shapes
from tests.passes.nms import SEMANTICS, assert_detections, behind, crowd, feed, places


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    semantics=st.sampled_from(SEMANTICS),
    classes=st.integers(1, 5),
    batch=st.integers(1, 4),
    dynamic=st.booleans(),
    opset=st.sampled_from([11, 12, 13, 15, 17, 18, 20, 21]),
    split=st.sampled_from([None, ("cn", "center-size"), ("nc", "center-size"), ("cn", "corners"), ("nc", "corners")]),
    rows=st.sampled_from([1, 5, 40, 300]),
    confidence=st.sampled_from([0.0, 0.25, 0.9]),
    iou=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    candidates=st.sampled_from([None, 1, 20, 1000]),
    late=st.booleans(),
    backend=st.sampled_from(["onnx", "matrix"]),
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
    candidates: int | None,
    late: bool,
    backend: Any,
) -> None:
    model = detector(classes=classes, opset=opset, batch="batch" if dynamic else batch)
    if split is not None:
        model, _ = apply(model, SplitHead(layout=split[0], coding=split[1]))
    rewrite = EmbedNms(
        backend=backend,
        semantics=semantics,
        confidence=confidence,
        iou=iou,
        max_detections=rows,
        candidates=candidates,
        late=late,
        iterations=4096,
    )
    made, result = apply(model, rewrite)
    onnx.checker.check_model(made, full_check=True)
    assert result.rewrites == 1
    raw = crowd(np.random.default_rng(seed), batch, places(result), classes)
    raw.scores[0, :3] = np.nan
    values, raw = feed(result, raw)
    raw.scores[0, :3] = -1  # a NaN is never a detection
    assert isinstance(result.relation, DetectionOutputs)
    assert_detections(run(behind(made, result), values), raw, rewrite, candidates=result.relation.contract.candidates)


@pytest.mark.parametrize("semantics", SEMANTICS)
def test_an_empty_image_beside_a_full_one(semantics: Any) -> None:
    rewrite = EmbedNms(semantics=semantics, confidence=0.5)
    made, result = apply(detector(batch="batch", classes=4), rewrite)
    raw = crowd(np.random.default_rng(3), 3, 84, 4)
    raw.scores[1] *= 0.4
    values, raw = feed(result, raw)
    got = run(behind(made, result), values)
    assert assert_detections(got, raw, rewrite) >= 50
    assert got["num_dets"][1, 0] == 0
    raw.scores[:] = 0
    values, raw = feed(result, raw)
    assert assert_detections(run(behind(made, result), values), raw, rewrite) == 0


@pytest.mark.parametrize("semantics", SEMANTICS)
@pytest.mark.parametrize("opset", [11, 17])
def test_any_number_of_anchors(semantics: Any, opset: int) -> None:
    model = detector(batch="batch", classes=3, opset=opset)
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "anchors"
    for candidates in (None, 30):
        rewrite = EmbedNms(semantics=semantics, max_detections=50, candidates=candidates, late=False)
        made, result = apply(model, rewrite)
        part = behind(made, result)
        for anchors in (1, 7, 49, 50, 51, 333):
            values, raw = feed(result, crowd(np.random.default_rng(anchors), 2, anchors, 3))
            assert_detections(run(part, values), raw, rewrite)


@pytest.mark.parametrize("offset", [0.0, 2.0**20])
def test_by_hand(offset: float) -> None:
    """Far out, an offset by class on top would round the boxes to whole pixels and change what overlaps."""
    rewrite = EmbedNms(iou=0.5, max_detections=4)
    model, _ = apply(detector(classes=80), SplitHead(coding="corners", layout="nc"))
    made, result = apply(model, rewrite)
    boxes = np.zeros((1, 84, 4), np.float32)
    boxes[0, :5] = np.array([[0, 0, 1, 8], [0, 0, 1, 7], [0, 0, 0.5, 8], [0, 0, 0.375, 8], [9, 9, 10, 10]]) + offset
    scores = np.zeros((1, 84, 80), np.float32)
    scores[0, 0, [5, 79]] = 1.0  # two best classes: the lower index, and only that
    scores[0, 1, 79] = 0.9  # another class than what it overlaps
    scores[0, 2, 5] = 0.8  # IoU 0.5 is not above the threshold
    scores[0, 3, 5] = 0.7  # IoU 0.75 with the box before
    scores[0, 4, 5] = 0.25  # not above the threshold
    values, raw = feed(result, RawDetections(boxes, scores))
    got = run(behind(made, result), values)
    assert got["num_dets"].tolist() == [[3]]
    assert got["classes"].tolist() == [[5, 79, 5, -1]]
    np.testing.assert_array_equal(got["scores"], np.array([[1, 0.9, 0.8, 0]], np.float32))
    np.testing.assert_array_equal(got["boxes"][0], [*boxes[0, :3], [0, 0, 0, 0]])
    assert_detections(got, raw, rewrite)


@pytest.mark.parametrize("batch", [1, 4, "batch"])
@pytest.mark.parametrize("semantics", SEMANTICS)
def test_as_few_nodes_for_any_batch(batch: Any, semantics: Any) -> None:
    added = []
    for opset in (11, 13, 18):
        model = detector(batch=batch, opset=opset)
        made, _ = apply(model, EmbedNms(semantics=semantics))
        added.append(len(made.graph.node) - len(model.graph.node))
        assert sum(node.op_type == "NonMaxSuppression" for node in made.graph.node) == 1
    assert max(added) <= 40


def test_outputs_take_the_place_of_the_heads() -> None:
    for model in (detector(extra_output=True), apply(detector(extra_output=True), SplitHead())[0]):
        before = model.graph.output[0].name
        made, result = apply(model, EmbedNms(max_detections=9))
        assert shapes(made) == {
            before: [1, 3, 2, 2],
            "num_dets": [1, 1],
            "boxes": [1, 9, 4],
            "scores": [1, 9],
            "classes": [1, 9],
        }
        assert result.summary == "onnx, best class"
        got = run(made, images())
        np.testing.assert_array_equal(got[before], run(model, images())[before])


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("coding", ["center-size", "corners"])
def test_the_whole_model_gives_what_its_own_outputs_decode_to(split: bool, transposed: bool, coding: Any) -> None:
    model = detector(batch="batch", transposed=transposed, coding=coding)
    if split:
        model, _ = apply(model, SplitHead(coding="corners"))
    rewrite = EmbedNms(confidence=0.1, iou=0.9)
    made, result = apply(model, rewrite)
    assert isinstance(result.relation, DetectionOutputs)
    raw = result.relation.decode(run(model, images(3)))
    assert (raw.boxes.shape, raw.scores.shape) == ((3, 84, 4), (3, 84, 3))
    assert assert_detections(run(made, images(3)), raw, rewrite) >= 30


@pytest.mark.parametrize("backend", ["onnx", "efficientnms"])
@pytest.mark.parametrize("split", [False, True])
def test_a_second_run_does_nothing_and_other_options_are_refused(backend: Any, split: bool) -> None:
    model = apply(detector(), SplitHead())[0] if split else detector()
    made, _ = apply(model, EmbedNms(backend=backend))
    again, result = apply(made, EmbedNms(backend=backend))
    assert result.rewrites == 0
    assert result.declined
    assert shapes(again) == shapes(made)
    with pytest.raises(PassRefused, match=r"confidence: 0\.25"):
        apply(made, EmbedNms(backend=backend, confidence=0.5))
    helper.set_model_props(made, {"graphkit.nms": "[1"})
    with pytest.raises(PassRefused, match="already come out of"):
        apply(made, EmbedNms(backend=backend))


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence": 1.5},
        {"confidence": float("nan")},
        {"iou": -0.1},
        {"max-detections": 0},
        {"candidates": 0},
        {"backend": "tensorrt"},
        {"max-detection": 5},
    ],
)
def test_senseless_options_are_rejected(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EmbedNms(**wrong)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("yolov8n", {"dynamic": True}),
        ("yolov8n", {"opset": 12}),
        ("yolov8n", {"half": True}),
        ("yolov8n", {"batch": 2}),
        ("yolo11n", {"classes": 3}),
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_ultralytics_exports(export: Callable[..., Path], name: str, options: dict[str, Any], split: bool) -> None:
    model = Model.load(export(name, **options)).proto()
    feeds = images(2 if {"dynamic", "batch"} & set(options) else 1)
    joined = run(model, feeds)["output0"]
    if split:
        model, _ = apply(model, SplitHead())
    # Untrained networks score next to nothing, so the threshold lies below most of their scores.
    least = float(np.quantile(joined[:, 4:].max(1), 0.05) * 0.99)
    made, result = apply(model, EmbedNms(confidence=least, iou=0.5, max_detections=100, late=False))
    assert isinstance(result.relation, DetectionOutputs)
    seam = result.relation.seam
    assert seam is not None
    assert seam.classes == options.get("classes", 80)
    part = behind(made, result)

    # Their scores tie, too, so the order of detections is checked on made-up ones behind the seam …
    strict = EmbedNms(confidence=least, iou=0.5, max_detections=100)
    values, raw = feed(result, crowd(np.random.default_rng(1), len(joined), 84, seam.classes))
    assert assert_detections(run(part, values), raw, strict) >= 10
    # … and on the whole model that exactly its own boxes and scores arrive there.
    got = run(made, feeds)
    alone = run(part, {seam.boxes: joined[:, :4].copy(), seam.scores: joined[:, 4:].copy()})
    for name, value in got.items():
        np.testing.assert_array_equal(value, alone[name])
    assert (got["num_dets"] >= 1).all()
    raw = result.relation.decode(run(model, feeds))
    assert raw.boxes.shape == (len(joined), 84, 4)
    np.testing.assert_array_equal(raw.scores, joined[:, 4:].transpose(0, 2, 1))
