"""The NumPy references against onnxruntime and against a slow, plain greedy NMS."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx.parser
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verify import detect, efficient_nms, non_max_suppression

QUICK = settings(deadline=None, max_examples=60)


def onnx_nms(boxes: Any, scores: Any, limit: int, iou: float, score: float | None, center: bool) -> NDArray[np.int64]:
    threshold = ", t" if score is not None else ""
    given_threshold = ", float t" if score is not None else ""
    model = onnx.parser.parse_model(f"""<ir_version: 8, opset_import: ["": 17]>
        g (float[B, N, 4] b, float[B, C, N] s, int64 k, float i{given_threshold}) => (int64[K, 3] y) {{
          y = NonMaxSuppression<center_point_box = {int(center)}>(b, s, k, i{threshold})
        }}""")
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"b": boxes, "s": scores, "k": np.int64(limit), "i": np.float32(iou)}
    if score is not None:
        feed["t"] = np.float32(score)
    result: NDArray[np.int64] = session.run(None, {name: np.asarray(value) for name, value in feed.items()})[0]
    return result


@QUICK
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 24)),
    limit=st.sampled_from([0, 1, 3, 100, -1]),
    iou=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    score=st.sampled_from([None, 0.0, 0.5]),
    center=st.booleans(),
    levels=st.sampled_from([3, 1000]),
)
def test_onnx_nms_is_onnxruntimes(
    seed: int, shape: tuple[int, int, int], limit: int, iou: float, score: float | None, center: bool, levels: int
) -> None:
    """Few levels make ties and boxes without area; corners come in any diagonal order."""
    batch, classes, count = shape
    rng = np.random.default_rng(seed)
    boxes = (rng.integers(0, 8, (batch, count, 4)) * 4).astype(np.float32)
    scores = (rng.integers(0, levels, (batch, classes, count)) / levels).astype(np.float32)
    expected = onnx_nms(boxes, scores, limit, iou, score, center)
    np.testing.assert_array_equal(non_max_suppression(boxes, scores, limit, iou, score, center), expected)


def test_onnx_nms_returns_nothing_by_default() -> None:
    boxes, scores = np.array([[[0, 0, 9, 9]]], np.float32), np.array([[[0.9]]], np.float32)
    assert non_max_suppression(boxes, scores).shape == (0, 3)
    assert non_max_suppression(boxes, scores, 1).tolist() == [[0, 0, 0]]


def test_onnx_nms_refuses_shapes_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="differ in batch"):
        non_max_suppression(np.zeros((1, 3, 4), np.float32), np.zeros((1, 2, 4), np.float32))
    with pytest.raises(ValueError, match="iou_threshold"):
        non_max_suppression(np.zeros((1, 3, 4), np.float32), np.zeros((1, 2, 3), np.float32), 1, 1.5)


def slow_iou(a: Any, b: Any) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    area = [np.float32(box[2] - box[0]) * np.float32(box[3] - box[1]) for box in (a, b)]
    inter = np.float32(width) * np.float32(height)
    return float(inter / np.float32(area[0] + area[1] - inter))


def slow_detect(boxes: Any, scores: Any, contract: NmsContract) -> list[tuple[int, int]]:
    """One image, from the definition: (candidate, class) in the order they are kept."""
    pairs = []
    for anchor in range(len(boxes)):
        best = max(range(scores.shape[1]), key=lambda label: (scores[anchor, label], -label))
        labels = range(scores.shape[1]) if contract.semantics == "multi-label" else [best]
        for label in labels:
            value, limit = scores[anchor, label], np.float32(contract.confidence)
            if value > limit or (contract.keep_equal and value == limit):
                pairs.append((anchor, label))
    pairs.sort(key=lambda pair: -scores[pair])
    kept: list[tuple[int, int]] = []
    for anchor, label in pairs[: contract.candidates]:
        for other, other_label in kept:
            if contract.semantics != "class-agnostic" and label != other_label:
                continue
            overlap, most = slow_iou(boxes[anchor], boxes[other]), float(np.float32(contract.iou))
            if overlap > most or (contract.suppress_equal and overlap == most):
                break
        else:
            kept.append((anchor, label))
    return kept[: contract.max_detections]


@QUICK
@given(
    seed=st.integers(0, 2**32 - 1),
    semantics=st.sampled_from(["best-class", "multi-label", "class-agnostic"]),
    equal=st.booleans(),
    limit=st.sampled_from([1, 5, 300]),
    candidates=st.sampled_from([None, 7]),
    iou=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    count=st.integers(0, 30),
)
def test_detect_is_the_definition(
    seed: int, semantics: Any, equal: bool, limit: int, candidates: int | None, iou: float, count: int
) -> None:
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 6, (1, count, 2)) * 4
    boxes = np.concatenate([start, start + rng.integers(0, 5, (1, count, 2)) * 4], axis=2).astype(np.float32)
    scores = (rng.integers(0, 9, (1, count, 3)) / 8).astype(np.float32)
    contract = NmsContract(semantics, 0.25, iou, limit, candidates, keep_equal=equal, suppress_equal=equal)
    found = detect(RawDetections(boxes, scores), contract)[0]
    expected = slow_detect(boxes[0], scores[0], contract)
    np.testing.assert_array_equal(found.classes, [label for _, label in expected])
    np.testing.assert_array_equal(found.scores, [scores[0][pair] for pair in expected])
    np.testing.assert_array_equal(found.boxes, [boxes[0][anchor] for anchor, _ in expected] or np.zeros((0, 4)))


@QUICK
@given(seed=st.integers(0, 2**32 - 1), agnostic=st.booleans(), coding=st.sampled_from([0, 1]))
def test_plugin_is_multi_label_detection(seed: int, agnostic: bool, coding: int) -> None:
    """Held against the plain definition, which shares no code with it."""
    rng = np.random.default_rng(seed)
    centre, size = rng.integers(0, 40, (2, 20, 2)), rng.integers(0, 10, (2, 20, 2)) * 2
    corner = np.concatenate([centre - size // 2, centre + size // 2], axis=2).astype(np.float32)
    boxes = np.concatenate([centre, size], axis=2).astype(np.float32) if coding else corner
    scores = (rng.integers(0, 9, (2, 20, 3)) / 8).astype(np.float32)
    num, out_boxes, out_scores, classes = efficient_nms(
        boxes,
        scores,
        score_threshold=0.25,
        iou_threshold=0.5,
        max_output_boxes=10,
        class_agnostic=agnostic,
        box_coding=coding,
    )
    assert [item.dtype.name for item in (num, out_boxes, out_scores, classes)] == [
        "int32",
        "float32",
        "float32",
        "int32",
    ]
    for image in range(2):
        pairs = [(a, c) for a in range(20) for c in range(3) if scores[image, a, c] >= 0.25]
        pairs.sort(key=lambda pair: -scores[image][pair])
        kept: list[tuple[int, int]] = []
        for anchor, label in pairs:
            rivals = [a for a, c in kept if agnostic or c == label]
            if all(slow_iou(corner[image, anchor], corner[image, rival]) < 0.5 for rival in rivals):
                kept.append((anchor, label))
        kept = kept[:10]
        count = int(num[image, 0])
        assert count == len(kept)
        assert classes[image, :count].tolist() == [label for _, label in kept]
        np.testing.assert_array_equal(out_boxes[image, :count], [corner[image, anchor] for anchor, _ in kept])
        assert not out_boxes[image, count:].any()
        assert not out_scores[image, count:].any()
        assert not classes[image, count:].any()


def plugin_on(boxes: Any, scores: Any, **options: Any) -> tuple[int, list[float], list[int]]:
    options = {"score_threshold": 0.5, "iou_threshold": 0.5, "max_output_boxes": 5, **options}
    num, _, out, classes = efficient_nms(np.asarray(boxes, np.float32), np.asarray(scores, np.float32), **options)
    count = int(num[0, 0])
    return count, [round(float(value), 4) for value in out[0, :count]], classes[0, :count].tolist()


def test_plugin_keeps_equal_scores_and_drops_equal_iou() -> None:
    halves = [[[0, 0, 8, 8], [0, 0, 8, 4]]]  # IoU is 0.5 to the bit
    assert plugin_on(halves, [[[0.9], [0.5]]]) == (1, [0.9], [0])
    assert plugin_on(halves, [[[0.9], [0.5]]], iou_threshold=0.51) == (2, [0.9, 0.5], [0, 0])


def test_plugin_leaves_out_the_background_class() -> None:
    apart = [[[0, 0, 8, 8], [20, 20, 28, 28]]]
    assert plugin_on(apart, [[[0.9, 0.6], [0.1, 0.8]]], background_class=0) == (2, [0.8, 0.6], [1, 1])


def test_plugin_activates_scores_and_compares_logits() -> None:
    apart = [[[0, 0, 8, 8], [20, 20, 28, 28]]]
    assert plugin_on(apart, [[[0.0], [-0.1]]], score_activation=True) == (1, [0.5], [0])
    assert plugin_on(apart, [[[0.0], [-900]]], score_activation=True, score_threshold=0)[0] == 2


def test_plugin_takes_a_box_per_class_and_half_precision() -> None:
    boxes = np.array([[[[0, 0, 8, 8], [0, 0, 4, 4]]]], np.float16)
    scores = np.array([[[0.6, 0.7]]], np.float16)
    _, out, _, classes = efficient_nms(boxes, scores, score_threshold=0.5, iou_threshold=0.5, max_output_boxes=2)
    assert out.dtype == np.float16
    assert classes.tolist() == [[1, 0]]
    assert out[0].tolist() == [[0, 0, 4, 4], [0, 0, 8, 8]]


def test_plugin_looks_at_5000_candidates_only() -> None:
    start = np.arange(6000, dtype=np.float32)[:, None] * 10
    boxes = np.concatenate([start, start, start + 5, start + 5], axis=1)[None]
    scores = np.full((1, 6000, 1), 0.9, np.float32)
    num, *_ = efficient_nms(boxes, scores, score_threshold=0.5, iou_threshold=0.5, max_output_boxes=6000)
    assert num.tolist() == [[5000]]


@pytest.mark.parametrize(
    ("boxes", "scores", "why"),
    [
        (np.zeros((1, 3, 5), np.float32), np.zeros((1, 3, 2), np.float32), "boxes must be"),
        (np.zeros((1, 3, 4), np.float32), np.zeros((1, 4, 2), np.float32), "belong together"),
        (np.zeros((1, 3, 4), np.float32), np.zeros((1, 3, 2), np.float16), "must both be float32 or both float16"),
    ],
)
def test_plugin_refuses_what_tensorrt_refuses(boxes: Any, scores: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        efficient_nms(boxes, scores, score_threshold=0.5, iou_threshold=0.5, max_output_boxes=1)


@pytest.mark.parametrize("semantics", ["best-class", "multi-label", "class-agnostic"])
def test_nan_never_passes_and_infinity_does(semantics: Any) -> None:
    boxes = np.array([[[0, 0, 8, 8], [20, 0, 28, 8], [40, 0, 48, 8]]], np.float32)
    scores = np.array([[[np.nan, 0.5], [np.inf, 0.1], [np.nan, np.nan]]], np.float32)
    found = detect(RawDetections(boxes, scores), NmsContract(semantics, 0.25, 0.5, 10))[0]
    assert found.scores.tolist() == [np.inf, 0.5]
    assert found.classes.tolist() == [0, 1]


def test_many_candidates_of_many_classes() -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform(0, 600, (1, 25200, 4)).astype(np.float32)
    boxes[..., 2:] = boxes[..., :2] + rng.uniform(5, 60, (1, 25200, 2)).astype(np.float32)
    scores = (rng.random((1, 25200, 80), np.float32) ** 8).astype(np.float32)
    found = detect(RawDetections(boxes, scores), NmsContract("multi-label", 0.001, 0.7, 300))[0]
    assert len(found) == 300
