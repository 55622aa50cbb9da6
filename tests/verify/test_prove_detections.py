"""Proofs of every kind of detection outputs, and that each of them can fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest

from graphkit.heads import (
    Arrays,
    DetectionOutputs,
    NmsContract,
    RawDetections,
    RecoveredOutputs,
    Seam,
)
from graphkit.model import Model
from graphkit.numerics import Numerics
from graphkit.verify import Feed, prove, run_model
from graphkit.verify.lowering import roles

ANCHORS, CLASSES, ROWS = 120, 4, 100
NAMES = ("num_dets", "boxes", "scores", "classes")
CONTRACT = NmsContract("best-class", 0.25, 0.5, ROWS, suppress=False)
SEAM = Seam("b", "s", CLASSES, ANCHORS, None, "nc", "corners", "nc", extras={"masks": "e"}, widths={"masks": 3})


def parsed(text: str) -> Model:
    return Model(onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {text}'))


INPUTS = f"float[B, {ANCHORS}, 4] x, float[B, {ANCHORS}, {CLASSES}] t, float[B, {ANCHORS}, 3] m"


def before() -> Model:
    return parsed(f"""({INPUTS}) => (float[B, {ANCHORS}, 4] raw_boxes, float[B, {ANCHORS}, {CLASSES}] raw_scores,
      float[B, {ANCHORS}, 3] raw_masks, float[B, {ANCHORS}, 4] protos)
      {{ raw_boxes = Identity(x) raw_scores = Identity(t) raw_masks = Identity(m) protos = Neg(x) }}""")


def after(
    *,
    table: bool = False,
    extra_index: str = "wide3",
    protos: str = "protos = Neg(x)",
    front: str = "s = Identity(t)",
    given: str = "",
    threshold: float = 0.25,
) -> Model:
    """Filtering and sorting as a one-to-one head needs it, with every part of it open to be broken.

    `given` lists the threshold as an input with its initializer as default.
    """
    if table:
        outputs = f"float[B, {ROWS}, 9] table, float[B, {ANCHORS}, 4] protos"
        tail = """best3 = Unsqueeze(best_f, two) column = Unsqueeze(top, two)
                  joined = Concat<axis = 2>(chosen, column, best3, taken) table = Where(valid3, joined, zero)"""
    else:
        outputs = (
            f"int32[B, 1] num_dets, float[B, {ROWS}, 4] boxes, float[B, {ROWS}] scores, int32[B, {ROWS}] classes, "
            f"float[B, {ROWS}, 3] extra, float[B, {ANCHORS}, 4] protos"
        )
        tail = """counted = Cast<to = 6>(valid) num_dets = ReduceSum<keepdims = 1>(counted, one)
                  boxes = Identity(chosen) scores = Where(valid, top, zero) classes = Cast<to = 6>(best_k)
                  extra = Identity(taken)"""
    return parsed(f"""({INPUTS}{given}) => ({outputs})
      <float confidence = {{{threshold}}}, float zero = {{0}}, int64[1] one = {{1}}, int64[1] two = {{2}},
       int64[1] k = {{{ROWS}}}, int64[3] four = {{1, 1, 4}}, int64[3] three = {{1, 1, 3}}> {{
        b = Identity(x) e = Identity(m) {front}
        top_all = ReduceMax<axes = [2], keepdims = 0>(s) best = ArgMax<axis = 2, keepdims = 0>(s)
        top, where = TopK<axis = 1>(top_all, k) valid = Greater(top, confidence) valid3 = Unsqueeze(valid, two)
        best_k = GatherElements<axis = 1>(best, where) best_f = Cast<to = 1>(best_k)
        where3 = Unsqueeze(where, two) wide4 = Expand(where3, four) wide3 = Expand(where3, three)
        reading = Cast<to = 1>(wide3) back = Cast<to = 7>(reading) flat = Mul(back, back)
        chosen = GatherElements<axis = 1>(b, wide4) taken = GatherElements<axis = 1>(e, {extra_index})
        {protos} {tail} }}""")


def decode(old: Arrays) -> RawDetections:
    return RawDetections(old["raw_boxes"], old["raw_scores"], {"masks": old["raw_masks"]})  # type: ignore[arg-type,dict-item]


def relation(**changes: Any) -> DetectionOutputs:
    base = DetectionOutputs(decode, CONTRACT, NAMES, SEAM, {"masks": "extra"}, thresholds={"confidence": 0.25})
    return replace(base, **changes)


TABLE: dict[str, Any] = {"outputs": ("table",), "layout": "ultralytics", "extras": {}}


def feed(scale: float = 0.01, batch: int = 2) -> Feed:
    """Scores 0..scale: nothing is over the threshold where that is small, as on an untrained model."""
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 600, (batch, ANCHORS, 2))
    x = np.concatenate([corner, corner + rng.uniform(4, 40, (batch, ANCHORS, 2))], axis=2)
    inputs = {"x": x, "t": rng.random((batch, ANCHORS, CLASSES)) * scale, "m": rng.normal(0, 2, (batch, ANCHORS, 3))}
    return Feed("random", {name: value.astype(np.float32) for name, value in inputs.items()})


def proven(model: Model, how: DetectionOutputs | RecoveredOutputs, feeds: Sequence[Feed] = ()) -> Any:
    feeds = feeds or [feed()]
    return prove(run_model(before(), feeds), model, feeds, Numerics.DETECTIONS, how)[0]


def test_one_to_one_with_extras_and_prototypes() -> None:
    proof = proven(after(), relation())
    assert proof.failure is None
    assert proof.detections.lowered >= 50
    assert proof.detections.made_up >= 50
    assert [item.output for item in proof.comparisons] == ["protos"]
    assert "detections of 4 classes agree" in proof.sentence


def test_the_table_of_ultralytics() -> None:
    proof = proven(after(table=True), relation(**TABLE))
    assert proof.failure is None
    assert proof.detections.lowered >= 50


@pytest.mark.parametrize("form", ["four", "table"])
def test_extras_of_another_candidate_fail(form: str) -> None:
    wrong = "off = Add(where3, one) kept = Min(off, last) wide_off = Expand(kept, three)"
    model = after(
        table=form == "table",
        front=f"s = Identity(t) last = Constant<value_ints = [{ANCHORS - 1}]>()",
        protos=f"protos = Neg(x) {wrong}",
        extra_index="wide_off",
    )
    # The text has the index after its use: order does not matter to the proof.
    from graphkit.tidy import tidy

    tidy(model.graph)
    model.commit()
    proof = proven(model, relation(**(TABLE if form == "table" else {})))
    assert not proof.passed
    assert "masks of another candidate" in proof.failure


def test_extras_that_are_not_carried_fail() -> None:
    how = relation(extras={})
    assert "nothing says what to expect of" in proven(after(), how).failure


def test_changed_prototypes_fail() -> None:
    proof = proven(after(protos="protos = Abs(x)"), relation())
    assert not proof.passed
    assert '"protos"' in proof.failure
    assert "must stay" in proof.failure


def test_padding_rows_of_the_table_must_be_zero() -> None:
    model = after(table=True)
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    last = next(node for node in proto.graph.node if node.output[0] == "table")
    last.CopyFrom(onnx.helper.make_node("Identity", ["joined"], ["table"]))
    assert not proven(Model(proto), relation(**TABLE)).passed


def test_what_comes_before_the_seam_is_proven_by_lowered_thresholds() -> None:
    """Class 0 is mixed up in front of the place where made-up scores go in, which alone would not show."""
    swapped = "order = Constant<value_ints = [1, 0, 2, 3]>() s = Gather<axis = 2>(t, order)"
    proof = proven(after(front=swapped), relation())
    assert not proof.passed
    assert "at confidence" in proof.failure
    silent = proven(after(front=swapped), relation(thresholds={}))
    assert silent.passed, "with no threshold named there is nothing to lower, and only the part behind is proven"


def test_a_choice_that_nothing_shows_is_no_proof() -> None:
    """Fewer candidates at the seam than before: the graph chose, and no detection passed the choice."""
    few = replace(SEAM, anchors=ANCHORS - 10)
    front = f"s = Identity(t) n = Constant<value_ints = [{ANCHORS - 10}]>()"
    proof = proven(after(front=front), relation(seam=few, thresholds={}))
    assert not proof.passed
    assert "chooses 110 of 120 candidates" in proof.failure
    assert proven(after(), relation(seam=few)).passed


GIVEN = ", float confidence"


def test_thresholds_that_are_inputs_are_varied() -> None:
    proof = proven(after(given=GIVEN), relation())
    assert proof.failure is None
    assert proof.detections.varied >= 2


def test_a_threshold_that_does_nothing_fails() -> None:
    dead = after(given=GIVEN)
    proto = onnx.ModelProto()
    proto.CopyFrom(dead.proto())
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(0.25, np.float32), "fixed"))
    compare = next(node for node in proto.graph.node if node.op_type == "Greater")
    compare.input[1] = "fixed"
    proof = proven(Model(proto), relation())
    assert not proof.passed


def test_a_threshold_without_a_default_is_fed() -> None:
    proto = onnx.ModelProto()
    proto.CopyFrom(after(given=GIVEN).proto())
    kept = [tensor for tensor in proto.graph.initializer if tensor.name != "confidence"]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    proof = proven(Model(proto), relation())
    assert proof.failure is None
    assert proof.detections.varied >= 2


def test_thresholds_are_told_apart_by_value_then_by_order() -> None:
    contract = replace(CONTRACT, confidence=0.25, iou=0.5)
    assert roles(relation(contract=contract, thresholds={"p": 0.5, "q": 0.25})) == {"p": "iou", "q": "confidence"}
    same = replace(CONTRACT, confidence=0.5, iou=0.5)
    assert roles(relation(contract=same, thresholds={"p": 0.5, "q": 0.5})) == {"p": "confidence", "q": "iou"}


def recovered(factor: float = 2.0) -> tuple[Model, RecoveredOutputs]:
    """Boxes are handed out halved, and recovered by doubling them; everything else stays."""
    model = parsed(f"""({INPUTS}) => (float[B, {ANCHORS}, 4] half_boxes, float[B, {ANCHORS}, {CLASSES}] raw_scores,
      float[B, {ANCHORS}, 3] raw_masks, float[B, {ANCHORS}, 4] protos) <float two = {{2}}>
      {{ half_boxes = Div(x, two) raw_scores = Identity(t) raw_masks = Identity(m) protos = Neg(x) }}""")
    return model, RecoveredOutputs(
        lambda new: {"raw_boxes": new["half_boxes"] * np.float32(factor)},  # type: ignore[operator]
        {"raw_boxes": "boxes"},
    )


def test_outputs_that_were_cut_off_are_recovered() -> None:
    proof = proven(*recovered())
    assert proof.failure is None
    assert proof.standard == "close"
    assert [item.output for item in proof.comparisons] == ["raw_boxes", "raw_scores", "raw_masks", "protos"]


def test_a_wrong_recipe_fails() -> None:
    assert '"raw_boxes"' in proven(*recovered(2.01)).failure
    model, _ = recovered()
    nothing = RecoveredOutputs(lambda _new: {}, {})
    assert 'output "raw_boxes" is missing' in proven(model, nothing).failure
    broken = RecoveredOutputs(lambda new: {"raw_boxes": new["gone"]}, {})
    assert "cannot be computed from the new ones" in proven(model, broken).failure
