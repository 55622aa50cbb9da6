"""Two models held against each other: the shipped detector, rewritten and broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.demo import demo_detector
from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.pipeline import Settings as RunSettings
from graphkit.pipeline import parse_pipeline, run_pipeline
from graphkit.verdict import Settings, Verdict, Wanted, compare_sides, open_side

STRIDES = "/model.22/Constant_15_output_0"
SCORES = "/model.22/Sigmoid_output_0"
Change = Callable[[onnx.ModelProto], None]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verdict") / "raw.onnx"
    path.write_bytes(demo_detector())
    return path


def broken(raw: Path, name: str, change: Change) -> Path:
    proto = onnx.load(raw)
    change(proto)
    path = raw.with_name(f"{name}.onnx")
    path.write_bytes(proto.SerializeToString())
    return path


def rewritten(raw: Path, name: str, passes: str) -> Path:
    path = raw.with_name(f"{name}.onnx")
    pipeline = parse_pipeline(f"version: 1\npasses:\n  - {passes}\n", name)
    run_pipeline(pipeline, Model.load(raw), RunSettings(verify=False)).model.save(path)
    return path


def verdict(left: Path, right: Path, **wanted: Any) -> Verdict:
    return compare_sides(open_side(left), open_side(right), Settings(Wanted(**wanted)))[0]


def times(tensor: str, factor: float) -> Change:
    def change(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            node.output[:] = ["before" if name == tensor else name for name in node.output]
        proto.graph.initializer.append(numpy_helper.from_array(np.array(factor, np.float32), "factor"))
        place = next(n for n, node in enumerate(proto.graph.node) if "before" in node.output)
        proto.graph.node.insert(place + 1, helper.make_node("Mul", ["before", "factor"], [tensor]))

    return change


def initializer(name: str, change: Callable[[Any], Any]) -> Change:
    def apply(proto: onnx.ModelProto) -> None:
        tensor = next(item for item in proto.graph.initializer if item.name == name)
        values = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(change(values)).astype(values.dtype), name))

    return apply


def strides(proto: onnx.ModelProto) -> None:
    node = next(node for node in proto.graph.node if node.output[0] == STRIDES)
    values = numpy_helper.to_array(node.attribute[0].t).copy()
    values[values == 16] = 32
    node.attribute[0].t.CopyFrom(numpy_helper.from_array(values))


def test_a_model_is_itself(raw: Path) -> None:
    found = verdict(raw, raw)
    assert found.equal
    assert found.findings == ()
    assert [part.name for part in found.worst()] == ["boxes", "scores"]
    assert found.detections is not None
    assert found.detections.agreeing == found.detections.left >= 50
    assert found.plain_equal is True
    assert found.to_dict()["equal"] is True


@pytest.mark.parametrize(
    "passes",
    [
        "split-head",
        pytest.param("split-head: {layout: nc, coding: corners}", marks=pytest.mark.slow),
        "split-head: {cut: raw}",
        pytest.param("split-head: {cut: rknn}", marks=pytest.mark.slow),
        "embed-nms: {confidence: 0.05}",
        pytest.param("embed-nms: {layout: ultralytics, semantics: multi-label}", marks=pytest.mark.slow),
        "embed-nms: {backend: efficientnms}",
        "pin-opset: 13",
    ],
)
def test_rewriting_changes_nothing(raw: Path, passes: str) -> None:
    found = verdict(raw, rewritten(raw, "rewritten", passes))
    assert found.equal, (found.findings, found.failed, found.uncompared)
    assert found.detections is not None
    assert found.detections.pairs >= 13


def test_scores_that_are_scaled_are_seen_where_a_plain_norm_sees_nothing(raw: Path) -> None:
    found = verdict(raw, broken(raw, "scaled", times(SCORES, 1.001)))
    assert not found.equal
    assert [(item.where, item.kind) for item in found.findings] == [("scores", "scale")]
    assert [part.ok for part in found.worst()] == [True, False]
    assert found.plain_equal is True


def test_a_wrong_stride_is_of_the_boxes_of_that_level(raw: Path) -> None:
    found = verdict(raw, broken(raw, "stride", strides))
    assert [(item.where, item.kind, item.strides) for item in found.findings] == [("boxes", "scale", (16,))]


def test_a_late_layer_off_by_one_percent(raw: Path) -> None:
    rng = np.random.default_rng(0)
    change = initializer(
        "model.22.cv3.0.2.weight", lambda values: values * (1 + 0.01 * rng.standard_normal(values.shape))
    )
    found = verdict(raw, broken(raw, "late", change))
    assert not found.equal
    assert [(item.where, item.strides) for item in found.findings] == [("scores", (8,))]


def test_a_level_that_no_input_reaches_is_said(raw: Path) -> None:
    # The picture has no object large enough for stride 32, whose scores are all 0.
    assert any("no score of stride 32 reaches" in note for note in verdict(raw, raw).notes)


def test_red_for_blue(raw: Path) -> None:
    found = verdict(raw, broken(raw, "bgr", initializer("model.0.conv.weight", lambda values: values[:, ::-1])))
    assert [(item.where, item.kind) for item in found.findings] == [("inputs", "channels")]


def test_thresholds_inside(raw: Path) -> None:
    left = rewritten(raw, "low", "embed-nms: {confidence: 0.02}")
    right = rewritten(raw, "high", "embed-nms: {confidence: 0.5}")
    found = verdict(left, right)
    assert not found.equal
    assert [(item.where, item.kind) for item in found.findings] == [("detections", "confidence")]
    assert any("confidence 0.02 and 0.5" in note for note in found.notes)


def test_a_tolerance_that_is_asked_for(raw: Path) -> None:
    other = broken(raw, "scaled", times(SCORES, 1.001))
    settings = Settings(tolerance=0.01)
    assert compare_sides(open_side(raw), open_side(other), settings)[0].equal


def identity(path: Path, shape: list[int | str], output: str = "out") -> Path:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["in"], [output])],
        "identity",
        [helper.make_tensor_value_info("in", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
    )
    opset = [helper.make_opsetid("", 17)]
    path.write_bytes(helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString())
    return path


def test_models_without_a_head_are_compared_by_their_outputs(tmp_path: Path) -> None:
    left, right = identity(tmp_path / "a.onnx", [2, 8]), identity(tmp_path / "b.onnx", [2, 8])
    found = verdict(left, right)
    assert found.equal
    assert (found.compared, found.detections) == (16, None)


def test_nothing_in_common_is_never_equal(raw: Path, tmp_path: Path) -> None:
    found = verdict(raw, identity(tmp_path / "picture.onnx", [1, 3, 320, 320]))
    assert found.compared == 0
    assert not found.equal
    assert found.uncompared == ('"output0" of raw.onnx [1, 84, 2100]',)


def test_an_output_that_is_gone_is_not_equal(tmp_path: Path) -> None:
    left, right = identity(tmp_path / "a.onnx", [2, 8]), identity(tmp_path / "b.onnx", [2, 8])
    proto = onnx.load(left)
    proto.graph.node.append(helper.make_node("Shape", ["in"], ["size"]))
    proto.graph.output.append(helper.make_tensor_value_info("size", TensorProto.INT64, [2]))
    left.write_bytes(proto.SerializeToString())
    found = verdict(left, right)
    assert not found.equal
    assert found.uncompared == ('"size" of a.onnx [2]',)
    assert verdict(right, left).equal, "what the second model returns besides is only noted"


def test_a_batch_and_a_size_that_only_one_runs_on(tmp_path: Path) -> None:
    left = identity(tmp_path / "a.onnx", ["batch", 3, "height", "width"])
    right = identity(tmp_path / "b.onnx", ["batch", 3, "height", "width"])
    assert len(verdict(left, right).feeds) == 5, "noise, a picture, a batch, and both at another size"

    def frozen(proto: onnx.ModelProto) -> None:
        proto.graph.node[0].output[0] = "free"
        proto.graph.initializer.append(numpy_helper.from_array(np.array([1, 3, 320, 320]), "shape"))
        proto.graph.node.append(helper.make_node("Reshape", ["free", "shape"], ["out"]))

    found = verdict(left, broken(right, "frozen", frozen))
    assert not found.equal
    assert len(found.failed) == 3
    assert all("does not run on" in sentence for sentence in found.failed)


@pytest.mark.parametrize(
    ("shapes", "words"),
    [
        (([1, 3, 64, 64], [1, 3, 32, 32]), "64 × 64"),
        (([2, 3, 64, 64], [1, 3, 64, 64]), "batches of 2"),
        (([1, 8], [1, 3, 64, 64]), "take other inputs"),
    ],
)
def test_inputs_that_do_not_fit(tmp_path: Path, shapes: tuple[Any, Any], words: str) -> None:
    left, right = (identity(tmp_path / f"{name}.onnx", shape) for name, shape in zip("ab", shapes, strict=True))
    with pytest.raises(UsageError, match=words):
        verdict(left, right)


def test_a_batch_or_a_size_that_is_fixed_cannot_be_chosen(raw: Path) -> None:
    with pytest.raises(UsageError, match="leave --batch out"):
        verdict(raw, raw, batches=(4,))
    with pytest.raises(UsageError, match="leave --imgsz out"):
        verdict(raw, raw, sizes=((640, 640),))
