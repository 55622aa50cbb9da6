"""split-head on every family and in front of the decode: proven as a pipeline proves it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import PassRefused
from graphkit.heads import DerivedOutputs, RecoveredOutputs, recognise
from graphkit.model import Model
from graphkit.passes.split_head import SplitHead
from tests.heads.anchored import anchored
from tests.heads.build import detector
from tests.heads.running import Arrays, apply, images, run, shapes

SLOW = pytest.mark.slow


def hold(model: onnx.ModelProto, rewrite: SplitHead, feeds: Arrays) -> tuple[onnx.ModelProto, Arrays, Any]:
    """Apply, check, compare with the relation (bit for bit, or relative L2 for a cut in front), run once more."""
    made, result = apply(model, rewrite)
    if not any(item.data_type == onnx.TensorProto.FLOAT16 for item in model.graph.initializer):
        onnx.checker.check_model(made, full_check=True)  # half-precision exports are not even sorted
    assert result.rewrites == 1
    before, got = run(model, feeds), run(made, feeds)
    assert list(got) == [output.name for output in made.graph.output]
    if isinstance(result.relation, DerivedOutputs):
        expected = result.relation.derive(before)
        assert list(expected) == list(got)
        for name, value in expected.items():
            assert value.dtype == got[name].dtype
            np.testing.assert_array_equal(value, got[name], err_msg=name)
    else:
        assert isinstance(result.relation, RecoveredOutputs)
        recovered = result.relation.recover(got)
        assert recovered
        for name, value in recovered.items():
            assert value.shape == before[name].shape
            assert value.dtype == before[name].dtype
            axis = 1 if value.shape[1] < value.shape[2] else 2
            for old, new in zip(
                np.moveaxis(before[name], axis, 0), np.moveaxis(value, axis, 0), strict=True
            ):  # each channel apart: pixels would hide destroyed scores
                assert np.linalg.norm(old - new) <= 1e-4 * max(float(np.linalg.norm(old)), 1e-6)
        for name in set(before) - set(recovered):
            np.testing.assert_array_equal(before[name], got[name])
    again, second = apply(made, rewrite)
    assert second.rewrites == 0
    assert shapes(again) == shapes(made)
    return made, got, result


DECODED = [
    ("yolov8n-seg", {}, {"boxes": 4, "scores": 80, "masks": 32, "output1": 32}),
    ("yolov8n-pose", {"dynamic": True}, {"boxes": 4, "scores": 1, "keypoints": 51}),
    ("yolov8n-obb", {}, {"boxes": 4, "scores": 80, "angles": 1}),
    ("yolo26n-pose", {}, {"boxes": 4, "scores": 80, "keypoints": 51}),
    pytest.param("yolo26n-seg", {"dynamic": True}, {"boxes": 4, "scores": 80, "masks": 32, "output1": 32}, marks=SLOW),
    pytest.param("yolo11n-seg", {"half": True}, {"boxes": 4, "scores": 80, "masks": 32, "output1": 32}, marks=SLOW),
    pytest.param("yolo26n-obb", {"opset": 12}, {"boxes": 4, "scores": 80, "angles": 1}, marks=SLOW),
    pytest.param("yolo12n-pose", {"simplify": True}, {"boxes": 4, "scores": 80, "keypoints": 51}, marks=SLOW),
]


@pytest.mark.parametrize(("name", "options", "channels"), DECODED)
def test_extras_are_outputs_of_their_own(
    export: Callable[..., Path], name: str, options: dict[str, Any], channels: dict[str, int]
) -> None:
    model = Model.load(export(name, **options)).proto()
    made, got, result = hold(model, SplitHead(), images(2 if "dynamic" in options else 1))
    assert {key: value.shape[1] for key, value in got.items()} == channels
    assert made.graph.output[0].name == "boxes"
    head = recognise(Model(made).graph)
    assert (head.state, head.task) == ("split", json.loads(result.metadata["graphkit.head"])["task"])
    assert head.outputs == tuple(key for key in channels if key != "output1")


def test_extras_follow_the_layout(export: Callable[..., Path]) -> None:
    model = Model.load(export("yolov8n-seg")).proto()
    _, got, _ = hold(model, SplitHead(layout="nc", coding="corners"), images())
    assert [value.shape for value in got.values()] == [(1, 84, 4), (1, 84, 80), (1, 84, 32), (1, 32, 16, 16)]


def test_rotated_boxes_have_no_corners(export: Callable[..., Path]) -> None:
    model = Model.load(export("yolov8n-obb")).proto()
    with pytest.raises(PassRefused, match="rotated boxes") as refusal:
        apply(model, SplitHead(coding="corners"))
    assert "Leave coding" in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "options", "more"),
    [
        ("yolov10n", {}, {}),
        ("yolo26n-obb", {}, {"angles": (1, 84, 1)}),
        ("yolo26n-seg", {}, {"masks": (1, 84, 32), "output1": (1, 32, 16, 16)}),
        pytest.param("yolo26n", {"half": True}, {}, marks=SLOW),
        pytest.param("yolo26n", {"opset": 12}, {}, marks=SLOW),
        pytest.param("yolo26n-pose", {"dynamic": True}, {"keypoints": (1, 84, 51)}, marks=SLOW),
    ],
)
def test_one_to_one_heads(
    export: Callable[..., Path], name: str, options: dict[str, Any], more: dict[str, tuple[int, ...]]
) -> None:
    model = Model.load(export(name, end2end=True, **options)).proto()
    made, got, _ = hold(model, SplitHead(), images())
    assert {key: value.shape for key, value in got.items()} == {
        "boxes": (1, 84, 4),
        "scores": (1, 84),
        "classes": (1, 84),
    } | more
    assert got["classes"].dtype == np.int32
    head = recognise(Model(made).graph)
    assert head.state == "final"
    assert head.outputs[:3] == ("boxes", "scores", "classes")
    with pytest.raises(PassRefused, match="one-to-one head raw"):
        apply(model, SplitHead(cut="raw"))


@pytest.mark.parametrize("form", ["v5", "v5-slices", "v7"])
@pytest.mark.parametrize("opset", [12, 17])
@pytest.mark.parametrize("layout", ["cn", "nc"])
def test_anchor_boxes(form: Any, opset: int, layout: Any) -> None:
    model = anchored(form=form, opset=opset, batch="batch", classes=4)
    for coding in ("center-size", "corners"):
        made, got, _ = hold(model, SplitHead(layout=layout, coding=coding), images(2))
        assert got["scores"].shape == ((2, 4, 252) if layout == "cn" else (2, 252, 4))
        head = recognise(Model(made).graph)
        assert (head.state, head.family, head.coding, head.classes) == ("split", "YOLOv5-style", coding, 4)


def test_anchor_boxes_with_masks() -> None:
    _, got, _ = hold(anchored(masks=6), SplitHead(), images())
    assert {key: value.shape for key, value in got.items()} == {
        "boxes": (1, 4, 252),
        "scores": (1, 3, 252),
        "masks": (1, 6, 252),
        "prototypes": (1, 6, 16, 16),
    }


def ancestors(model: onnx.ModelProto, name: str) -> set[str]:
    makers = {output: node for node in model.graph.node for output in node.output}
    found, waiting = set[str](), [name]
    while waiting:
        tensor = waiting.pop()
        if tensor not in found:
            found.add(tensor)
            waiting.extend(makers[tensor].input if tensor in makers else ())
    return found


def test_scores_never_share_a_tensor_with_pixels() -> None:
    model = anchored()
    made, got, _ = hold(model, SplitHead(), images())
    assert got["boxes"].max() > 8
    mixed = ancestors(made, "boxes") & ancestors(made, "scores")
    both = onnx.ModelProto.FromString(made.SerializeToString())
    constants = {item.name for item in made.graph.initializer}
    maps = sorted(mixed - constants - {"images"})
    assert maps
    both.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in maps)
    sigmoids = {output for node in made.graph.node if node.op_type == "Sigmoid" for output in node.output}
    values = run(both, images())
    assert all(values[name].max() <= 1 for name in maps if name in sigmoids)
    assert not any(node.op_type in ("Pow", "Concat") and set(node.output) & mixed for node in made.graph.node)


RAW = [
    ("yolov8n", {}, 6),
    ("yolov8n", {"dynamic": True}, 6),
    ("yolov8n-obb", {}, 9),
    ("yolo11n-pose", {}, 9),
    ("yolo26n-pose", {}, 9),
    ("yolo26n-seg", {}, 10),
    pytest.param("yolo26n-obb", {"opset": 12}, 9, marks=SLOW),
    pytest.param("yolov8n-seg", {"simplify": True}, 10, marks=SLOW),
    pytest.param("yolov5n", {}, 6, marks=SLOW),
    pytest.param("yolov9t", {}, 6, marks=SLOW),
    pytest.param("yolo12n-obb", {"dynamic": True}, 9, marks=SLOW),
]


@pytest.mark.parametrize(("name", "options", "count"), RAW)
def test_in_front_of_the_decode(export: Callable[..., Path], name: str, options: dict[str, Any], count: int) -> None:
    model = Model.load(export(name, **options)).proto()
    made, got, result = hold(model, SplitHead(cut="raw"), images(2 if "dynamic" in options else 1))
    assert len(got) == count
    assert sum(key.startswith(("boxes_stride", "logits_stride")) for key in got) == 6
    made_by = {output: node.op_type for node in made.graph.node for output in node.output}
    assert all(made_by[key] == "Conv" for key in got if "_stride" in key)
    told = json.loads(result.metadata["graphkit.head"])
    assert told["cut"] == "raw"
    assert told["strides"] == [8, 16, 32]
    assert told["bins"] == (1 if name.startswith("yolo26") else 16)
    assert told["boxes"] == [f"boxes_stride{stride}" for stride in (8, 16, 32)]
    assert any("stride" in step for step in told["decode"])
    assert "no longer decodes" in result.warnings[-1]
    _, rknn, _ = hold(model, SplitHead(cut="rknn"), images(2 if "dynamic" in options else 1))
    assert len(rknn) == count + 3
    for stride in (8, 16, 32):
        scores = rknn[f"scores_stride{stride}"]
        assert scores.min() >= 0
        np.testing.assert_allclose(
            rknn[f"sums_stride{stride}"], np.clip(scores.sum(axis=1, keepdims=True), 0, 1), atol=1e-5
        )
    _, six, _ = hold(model, SplitHead(cut="rknn", sums=False), images(2 if "dynamic" in options else 1))
    assert len(six) == count


@pytest.mark.parametrize("form", ["v5", "v7"])
@pytest.mark.parametrize("cut", ["raw", "rknn"])
def test_anchor_boxes_in_front_of_the_decode(form: Any, cut: Any) -> None:
    made, got, result = hold(anchored(form=form), SplitHead(cut=cut), images())
    assert {key: value.shape for key, value in got.items()} == {
        f"boxes_stride{stride}": (1, 24, 64 // stride, 64 // stride) for stride in (8, 16, 32)
    }
    told = json.loads(result.metadata["graphkit.head"])
    assert told["anchors"][0] == [[10, 13], [16, 30], [33, 23]]
    assert any(node.op_type == "Sigmoid" for node in made.graph.node) == (cut == "rknn")


@pytest.mark.parametrize("coding", ["center-size", "corners"])
@pytest.mark.parametrize("transposed", [False, True])
def test_the_recipe_gives_any_arrangement_back(coding: Any, transposed: bool) -> None:
    hold(detector(coding=coding, transposed=transposed, batch=2), SplitHead(cut="raw"), images(2))


def test_a_split_head_can_still_be_cut_in_front() -> None:
    made, _ = apply(detector(), SplitHead(layout="nc", coding="corners"))
    _, got, _ = hold(made, SplitHead(cut="raw"), images())
    assert len(got) == 6


def test_a_recipe_that_is_wrong_would_be_noticed() -> None:
    model = detector()
    for item in model.graph.initializer:
        values = onnx.numpy_helper.to_array(item)
        if values.shape == (1, 16, 1, 1):  # bins that do not count 0, 1, 2 …
            item.CopyFrom(onnx.numpy_helper.from_array(values * 1.5, item.name))
    with pytest.raises(AssertionError):
        hold(model, SplitHead(cut="raw"), images())


def test_a_cut_head_is_refused_with_its_own_reason() -> None:
    made, _ = apply(detector(), SplitHead(cut="raw"))
    with pytest.raises(PassRefused, match=r"already cut the head in front of its decode \(cut: raw\)"):
        apply(made, SplitHead())
    with pytest.raises(PassRefused, match="before it was cut"):
        apply(made, SplitHead(cut="rknn"))


def test_a_head_without_its_convolutions_is_refused() -> None:
    from tests.passes.test_split_head import TEXT

    with pytest.raises(PassRefused, match="one convolution a level") as refusal:
        apply(onnx.parser.parse_model(TEXT), SplitHead(cut="raw"))
    assert "cut: decoded" in str(refusal.value)


@pytest.mark.parametrize("cut", ["raw", "rknn"])
def test_a_trained_model_with_scores_near_zero_is_cut_and_proven(coco_model: Path, cut: str, tmp_path: Path) -> None:
    """onnxruntime's Sigmoid is exact to 1e-7 only, which is a large part of a score of 1e-4."""
    from tests.cli.command import graphkit

    (tmp_path / "p.yaml").write_text(f"version: 1\npasses:\n  - split-head: {{cut: {cut}}}\n")
    result = graphkit("run", tmp_path / "p.yaml", coco_model, "-o", tmp_path / "out.onnx", "--json")
    assert result.status == 0, result.stderr
    assert len(result.json()["after"]["outputs"]) == {"raw": 6, "rknn": 9}[cut]
