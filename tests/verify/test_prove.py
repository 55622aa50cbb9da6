from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from graphkit.heads import Arrays, DerivedOutputs, DetectionOutputs, NmsContract, RawDetections, SameOutputs, Seam
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.verify import Feed, make_feeds, prove, run_model
from graphkit.verify.proving import ENOUGH

CONTRACT = NmsContract("multi-label", 0.25, 0.5, 100, keep_equal=True, suppress_equal=True)
NAMES = ("num_dets", "boxes", "scores", "classes")
SEAM = Seam("b", "s", 5, 200, None, "nc", "corners", "nc")


def parsed(text: str) -> Model:
    return Model(onnx.parser.parse_model('<ir_version: 8, opset_import: ["": 17, "TRT": 1]> g ' + text))


def small(body: str = "y = Neg(x)", out: str = "float[1, 3, 4] y") -> Model:
    return parsed(f"(float[1, 3, 4] x) => ({out}) {{ {body} }}")


def proven(before: Model, after: Model, numerics: Numerics = Numerics.EXACT, relation: Any = None) -> Any:
    feeds = make_feeds(before)
    return prove(run_model(before, feeds), after, feeds, numerics, relation)[0]


def test_identical() -> None:
    proof = proven(small(), small("z = Identity(x) y = Neg(z)"))
    assert (proof.passed, proof.identical, proof.sentence, proof.failure) == (True, True, "identical", None)
    assert proof.feeds == ("random",)
    assert proof.comparisons[0].elements == 12


def test_outputs_are_handed_on_for_the_next_proof() -> None:
    feeds = make_feeds(small())
    before = run_model(small(), feeds)
    _, after = prove(before, small(), feeds, Numerics.EXACT)
    np.testing.assert_array_equal(after[0]["y"], before[0]["y"])


SCALED = "c = Constant<value = float {1.00001}>() z = Neg(x) y = Mul(z, c)"


def test_close_is_not_exact() -> None:
    close = proven(small(), small(SCALED), Numerics.CLOSE)
    assert (close.passed, close.identical, close.sentence) == (True, False, "relative L2 1e-05")
    exact = proven(small(), small(SCALED))
    assert not exact.passed
    assert exact.failure.startswith('Output "y" on "random" is off by ')
    assert exact.failure.endswith("bit-identical was promised.")


def test_a_wrong_value_fails_both() -> None:
    wrong = small("y = Abs(x)")
    assert not proven(small(), wrong).passed
    assert not proven(small(), wrong, Numerics.CLOSE).passed


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (small("w = Neg(x)", "float[1, 3, 4] w"), 'The output "y" is missing'),
        (small("y = Neg(x) w = Neg(x)", "float[1, 3, 4] y, float[1, 3, 4] w"), 'a new output, "w"'),
        (small("z = Cast<to = 10>(x) y = Neg(z)", "float16[1, 3, 4] y"), "is float16, and was float32"),
        (small("c = Constant<value_ints = [12]>() z = Neg(x) y = Reshape(z, c)", "float[12] y"), "has the shape [12]"),
        (
            small("y = TRT.Unheard(x)"),
            "The rewritten model cannot be run: onnxruntime does not know the operator Unheard",
        ),
    ],
)
def test_what_differs_is_said(after: Model, why: str) -> None:
    proof = proven(small(), after, Numerics.CLOSE)
    assert not proof.passed
    assert why in proof.failure
    assert proof.sentence == "not proven"


def test_outputs_in_another_order_fail() -> None:
    two = "float[1, 3, 4] a, float[1, 3, 4] b"
    body = "a = Neg(x) b = Abs(x)"
    swapped = small(body, "float[1, 3, 4] b, float[1, 3, 4] a")
    assert "another order" in proven(small(body, two), swapped).failure


def test_a_proof_that_compared_nothing_fails() -> None:
    nothing = parsed("(float[4] x) => (float[N] y) <int64[1] s = {0}, int64[1] e = {0}> { y = Slice(x, s, e) }")
    proof = proven(nothing, nothing)
    assert not proof.passed
    assert "Nothing was compared" in proof.failure
    assert not prove([], small(), [], Numerics.EXACT)[0].passed


def test_derived_outputs() -> None:
    after = small("y = Neg(x) a, b = Split<axis = 1>(y, n)", "float[1, 1, 4] a, float[1, 2, 4] b")
    proto = onnx.ModelProto()
    proto.CopyFrom(after.proto())
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, 2], np.int64), "n"))

    def derive(old: Arrays) -> dict[str, Any]:
        y: Any = old["y"]
        return {"a": y[:, :1] * 1, "b": y[:, 1:] * 1}

    good = DerivedOutputs(derive, {"a": "boxes", "b": "scores"})
    proof = proven(small(), Model(proto), relation=good)
    assert proof.passed
    assert [(item.output, item.kind) for item in proof.comparisons] == [("a", "boxes"), ("b", "scores")]
    bad = DerivedOutputs(lambda old: {**derive(old), "a": old["y"][:, 1:2]}, {})
    assert '"a"' in proven(small(), Model(proto), relation=bad).failure
    broken = DerivedOutputs(lambda old: {"a": old["gone"]}, {})
    assert "cannot be computed" in proven(small(), Model(proto), relation=broken).failure


def detector() -> Model:
    """Raw boxes and scores as they come in."""
    return parsed("(float[B, 200, 4] x, float[B, 200, 5] t) => (float[B, 200, 4] raw_boxes, "
                  "float[B, 200, 5] raw_scores) { raw_boxes = Identity(x) raw_scores = Identity(t) }")  # fmt: skip


def embedded(nms: str = "", tail: str = "", score: float = 0.25, iou: float = 0.5, rows: int = 100) -> Model:
    """The same with the plugin inside; the arguments break it."""
    names = "num_dets, boxes, scores, classes"
    return parsed(f"""(float[B, 200, 4] x, float[B, 200, 5] t)
      => (int32[B, 1] num_dets, float[B, {rows}, 4] boxes, float[B, {rows}] scores, int32[B, {rows}] classes) {{
        b = Identity(x) s = Identity(t)
        {names if not tail else names.replace("scores", "raw").replace("num_dets", "count")} =
          TRT.EfficientNMS_TRT<score_threshold = {score}, iou_threshold = {iou}, max_output_boxes = {rows},
            background_class = -1, score_activation = 0, box_coding = 0{nms}>(b, s)
        {tail}
      }}""")


def relation(seam: Seam | None = SEAM, contract: NmsContract = CONTRACT) -> DetectionOutputs:
    def decode(old: Arrays) -> RawDetections:
        return RawDetections(old["raw_boxes"], old["raw_scores"])  # type: ignore[arg-type]

    return DetectionOutputs(decode, contract, NAMES, seam)


def random_feed(batch: int = 2) -> Feed:
    """Nothing in it is over the threshold."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 600, (batch, 200, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(4, 40, (batch, 200, 2))], axis=2).astype(np.float32)
    return Feed("random", {"x": boxes, "t": (rng.random((batch, 200, 5)) * 0.2).astype(np.float32)})


def proven_nms(after: Model, how: DetectionOutputs, feed: Feed | None = None) -> Any:
    feeds = [feed or random_feed()]
    return prove(run_model(detector(), feeds), after, feeds, Numerics.DETECTIONS, how)[0]


def test_detections_agree_on_made_up_boxes_where_the_feeds_have_none() -> None:
    proof = proven_nms(embedded(), relation())
    assert proof.failure is None
    found = proof.detections
    assert found.compared == found.made_up + found.lowered
    assert found.made_up >= ENOUGH
    assert found.lowered >= ENOUGH
    assert found.rounds >= 3
    assert len(found.classes) == 5
    assert proof.standard == "detections"
    assert proof.sentence.startswith(f"{found.compared} detections of 5 classes agree, IoU ≥ 1")
    json.dumps(asdict(proof))


@pytest.mark.parametrize(
    "after",
    [
        embedded(score=0.26),
        embedded(iou=0.55),
        embedded(nms=", class_agnostic = 1"),
    ],
    ids=["confidence", "iou", "class-agnostic"],
)
def test_another_contract_than_promised_fails(after: Model) -> None:
    proof = proven_nms(after, relation())
    assert not proof.passed
    assert "made-up boxes, round" in proof.failure or "at confidence" in proof.failure


def first_image_only() -> Model:
    """A known fault of exports with suppression inside: only the first image of a batch is served."""
    tail = """zero = Constant<value_ints = [0]>() one = Constant<value_ints = [1]>()
        first = Slice(count, zero, one, zero) shape = Shape(count)
        num_dets = Expand(first, shape) scores = Identity(raw)"""
    return embedded(tail=tail)


def test_a_fault_in_the_second_image_of_a_batch_is_found() -> None:
    proof = proven_nms(first_image_only(), relation())
    assert not proof.passed


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        ("num_dets = Identity(count) c = Constant<value = float {1}>() scores = Add(raw, c)", "in a padding row"),
        ("k = Constant<value = int32[1] {101}>() num_dets = Max(count, k) scores = Identity(raw)", "must be in 0..100"),
        ("num_dets = Cast<to = 7>(count) scores = Identity(raw)", "is int64 and must be int32"),
        ("num_dets = Squeeze(count) scores = Identity(raw)", "must have [2, 1]"),
    ],
)
def test_the_form_of_the_outputs_is_checked(tail: str, why: str) -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(embedded(tail=tail).proto())
    proof = proven_nms(Model(proto), relation())
    assert not proof.passed
    assert why in proof.failure


def test_too_few_detections_are_no_proof() -> None:
    nothing = random_feed()
    nothing.inputs["t"][:] = 0
    proof = proven_nms(embedded(), relation(seam=None), nothing)
    assert not proof.passed
    assert "ompared only 0 detections of 0 classes, and 50 are needed" in proof.failure
    assert "give more images" in proof.failure
    none = replace(CONTRACT, confidence=1.0, keep_equal=False)
    never = proven_nms(embedded(score=1.1), relation(contract=none), nothing)
    assert not never.passed
    assert "lower the confidence" in never.failure


def test_without_a_seam_the_feeds_can_be_enough() -> None:
    feed = random_feed()
    feed.inputs["t"] = np.random.default_rng(1).random((2, 200, 5)).astype(np.float32)
    proof = proven_nms(embedded(), relation(seam=None), feed)
    assert proof.failure is None
    assert proof.detections.compared == 200
    assert proof.detections.made_up == proof.detections.lowered == 0


def test_without_a_seam_lowered_thresholds_can_be_enough() -> None:
    """Nothing in the feed is over 0.25; the attributes of the plugin are lowered in a copy."""
    proof = proven_nms(embedded(), relation(seam=None))
    assert proof.failure is None
    assert proof.detections.compared == proof.detections.lowered >= ENOUGH


def test_few_rows_take_more_rounds() -> None:
    contract = replace(CONTRACT, max_detections=3)
    proof = proven_nms(embedded(rows=3), relation(contract=contract))
    assert proof.failure is None
    assert proof.detections.rounds > 3
    assert proof.detections.compared >= ENOUGH


def test_a_seam_that_is_not_one_is_said() -> None:
    proof = proven_nms(embedded(), relation(seam=replace(SEAM, boxes="nowhere")))
    assert 'no tensor "nowhere"' in proof.failure


def test_detections_promised_and_not_described() -> None:
    proof = proven(small(), small(), Numerics.DETECTIONS, SameOutputs())
    assert "the pass does not say" in proof.failure


def test_the_trained_model_is_itself_and_not_a_hundredth_more(coco_model: Path) -> None:
    model = Model.load(coco_model)
    feeds = make_feeds(model)[:1]
    before = run_model(model, feeds)
    proof, outputs = prove(before, model, feeds, Numerics.EXACT)
    assert proof.sentence == "identical"
    outputs[0]["output0"][:, 4:] *= np.float32(1.01)
    wrong = prove(outputs, model, feeds, Numerics.CLOSE)[0]
    assert wrong.failure is not None
    assert "of axis 1" in wrong.failure
