"""split-head: what comes out, bit for bit, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused
from graphkit.heads import DerivedOutputs
from graphkit.model import Model
from graphkit.passes.split_head import SplitHead
from tests.heads.build import detector
from tests.heads.running import Arrays, apply, images, run, shapes

TEXT = """<ir_version: 8, opset_import: ["" : 17]>
g (float[N,4,A] ltrb, float[N,2,A] logits) => (float[N,6,A] out)
<float[1,2,1] anchor = {3.5, 4.5}, float[1,1] stride = {8.0}, float two = {2.0},
 int64[1] i0 = {0}, int64[1] i1 = {1}, int64[1] i2 = {2}, int64[1] i4 = {4}> {
    lt = Slice (ltrb, i0, i2, i1)
    rb = Slice (ltrb, i2, i4, i1)
    a = Sub (anchor, lt)
    b = Add (anchor, rb)
    sum = Add (a, b)
    mid = Div (sum, two)
    wh = Sub (b, a)
    xywh = Concat <axis = 1> (mid, wh)
    pixels = Mul (xywh, stride)
    probs = Sigmoid (logits)
    out = Concat <axis = 1> (pixels, probs)
}"""


def hold(model: onnx.ModelProto, rewrite: SplitHead, feeds: Arrays) -> tuple[onnx.ModelProto, Arrays]:
    """Apply, check, and compare with the relation bit for bit."""
    made, result = apply(model, rewrite)
    onnx.checker.check_model(made, full_check=True)
    assert result.rewrites == 1
    assert isinstance(result.relation, DerivedOutputs)
    expected, got = result.relation.derive(run(model, feeds)), run(made, feeds)
    assert list(got) == [o.name for o in made.graph.output]
    assert set(got) == set(expected)
    for name, value in got.items():
        assert value.dtype == expected[name].dtype
        np.testing.assert_array_equal(value, expected[name])
    return made, got


def test_the_concat_goes_and_nothing_is_added() -> None:
    model = onnx.parser.parse_model(TEXT)
    made, result = apply(model, SplitHead())
    assert [node.op_type for node in made.graph.node] == [node.op_type for node in model.graph.node][:-1]
    assert shapes(made) == {"boxes": ["N", 4, "A"], "scores": ["N", 2, "A"]}
    assert result.summary == "boxes, scores"
    assert result.relation is not None
    assert isinstance(result.relation, DerivedOutputs)
    assert result.relation.kinds == {"boxes": "boxes", "scores": "scores"}
    assert json.loads(result.metadata["graphkit.head"]) == {
        "task": "detect",
        "family": "YOLO26-style",
        "classes": 2,
        "boxes": "boxes",
        "scores": "scores",
        "layout": "cn",
        "coding": "center-size",
        "strides": [8],
    }


def test_corners_by_hand() -> None:
    made, _ = apply(onnx.parser.parse_model(TEXT), SplitHead(coding="corners", layout="nc"))
    feeds = {
        "ltrb": np.array([1, 2, 3, 4], np.float32).reshape(1, 4, 1),
        "logits": np.zeros((1, 2, 1), np.float32),
    }
    got = run(made, feeds)
    # anchor (3.5, 4.5), left 1, top 2, right 3, bottom 4, times stride 8
    np.testing.assert_array_equal(got["boxes"], np.array([[[20, 20, 52, 68]]], np.float32))
    np.testing.assert_array_equal(got["scores"], np.array([[[0.5, 0.5]]], np.float32))


@pytest.mark.parametrize("layout", ["cn", "nc"])
@pytest.mark.parametrize("coding", ["center-size", "corners"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("opset", [11, 13, 18])
def test_bit_identical_in_every_arrangement(layout: Any, coding: Any, transposed: bool, opset: int) -> None:
    model = detector(transposed=transposed, opset=opset, batch="batch")
    made, got = hold(model, SplitHead(layout=layout, coding=coding), images(2))
    expected = {"boxes": ["batch", 4, 84], "scores": ["batch", 3, 84]}
    if layout == "nc":
        expected = {name: [n, a, c] for name, (n, c, a) in expected.items()}
    assert shapes(made) == expected
    assert got["scores"].min() >= 0
    assert got["boxes"].max() > 8


@settings(deadline=None, max_examples=15)
@given(
    classes=st.integers(1, 6),
    strides=st.sampled_from([(8,), (16, 32), (8, 16, 32)]),
    bins=st.integers(2, 16),
    batch=st.integers(1, 3),
    opset=st.sampled_from([11, 12, 13, 14, 17, 18, 21]),
    coding=st.sampled_from(["center-size", "corners"]),
    layout=st.sampled_from(["cn", "nc"]),
    transposed=st.booleans(),
    extra=st.booleans(),
)
def test_any_head_is_split_exactly_and_once(
    classes: int,
    strides: tuple[int, ...],
    bins: int,
    batch: int,
    opset: int,
    coding: Any,
    layout: Any,
    transposed: bool,
    extra: bool,
) -> None:
    model = detector(
        classes=classes,
        strides=strides,
        bins=bins,
        batch=batch,
        opset=opset,
        coding=coding,
        transposed=transposed,
        extra_output=extra,
    )
    rewrite = SplitHead(layout=layout, coding="corners")
    made, _ = hold(model, rewrite, images(batch))
    again, second = apply(made, rewrite)
    assert second.rewrites == 0
    assert "already boxes and scores" in second.declined[0].reason
    assert shapes(again) == shapes(made)


def test_other_outputs_stay_where_they_are() -> None:
    made, got = hold(detector(extra_output=True), SplitHead(), images())
    assert list(shapes(made))[1:] == ["boxes", "scores"]
    assert len(got) == 3


def test_a_joined_tensor_somebody_else_reads_stays() -> None:
    graph = gs.import_onnx(detector())
    total = gs.Variable("total", np.float32, [])
    graph.nodes.append(gs.Node("ReduceSum", "", {"keepdims": 0}, [graph.outputs[0]], [total]))
    graph.outputs.append(total)
    model = gs.export_onnx(graph)
    made, _ = hold(model, SplitHead(), images())
    assert len(made.graph.node) == len(model.graph.node)
    assert list(shapes(made)) == ["boxes", "scores", "total"]


def test_taken_names_are_not_taken_twice() -> None:
    model = detector()
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == "t0":
                    names[index] = "boxes"
    made, _ = hold(model, SplitHead(), images())
    assert list(shapes(made)) == ["boxes_2", "scores"]


def test_a_part_that_is_an_output_already_is_kept() -> None:
    graph = gs.import_onnx(detector())
    scores = graph.outputs[0].inputs[0].inputs[1]
    scores.dtype, scores.shape, scores.name = np.float32, [1, 3, 84], "probabilities"
    graph.outputs.append(scores)
    model = gs.export_onnx(graph)
    made, got = hold(model, SplitHead(), images())
    assert list(shapes(made)) == ["boxes", "scores", "probabilities"]
    np.testing.assert_array_equal(got["scores"], got["probabilities"])


def test_a_half_precision_head_keeps_its_output_type() -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(detector(), keep_io_types=True)
    made, result = apply(model, SplitHead(layout="nc", coding="corners"))
    assert isinstance(result.relation, DerivedOutputs)
    expected, got = result.relation.derive(run(model, images())), run(made, images())
    for name in ("boxes", "scores"):
        assert got[name].dtype == np.float32
        np.testing.assert_array_equal(got[name], expected[name])


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (SplitHead(), SplitHead(layout="nc"), r"\(cn, center-size\)|cn, center-size"),
        (SplitHead(coding="corners"), SplitHead(), "corners"),
    ],
)
def test_other_options_on_a_split_head_are_refused(first: SplitHead, second: SplitHead, words: str) -> None:
    made, _ = apply(detector(), first)
    with pytest.raises(PassRefused, match=words):
        apply(made, second)


def test_refusals_leave_the_model_alone_and_name_what_is_there() -> None:
    text = (
        '<ir_version: 8, opset_import: ["" : 17]> g (float[1,1000] x) => (float[1,1000] logits) { logits = Relu (x) }'
    )
    model = onnx.parser.parse_model(text)
    mine = Model(model)
    with pytest.raises(PassRefused) as refusal:
        SplitHead().run(mine)
    assert str(refusal.value) == (
        'found no detection head: the one output, "logits" [1,1000], is not made of boxes and scores. '
        "It looks like a classifier; passes/cleanup.yaml fits it."
    )
    assert [node.op_type for node in mine.proto().graph.node] == ["Relu"]
    with pytest.raises(PassRefused, match="corners"):
        apply(detector(coding="corners"), SplitHead())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("yolov8n", {}),
        ("yolov8n", {"dynamic": True}),
        ("yolov8n", {"opset": 12}),
        ("yolov8n", {"half": True}),
        ("yolov8n", {"classes": 1}),
        ("yolo11n", {"simplify": True}),
    ],
)
def test_ultralytics_exports(export: Callable[..., Path], name: str, options: dict[str, Any]) -> None:
    model = Model.load(export(name, **options)).proto()
    for rewrite in (SplitHead(), SplitHead(layout="nc", coding="corners")):
        made, result = apply(model, rewrite)
        assert isinstance(result.relation, DerivedOutputs)
        feeds = images(2 if "dynamic" in options else 1)
        expected, got = result.relation.derive(run(model, feeds)), run(made, feeds)
        for key in ("boxes", "scores"):
            np.testing.assert_array_equal(got[key], expected[key])
        if "dynamic" in options:
            assert shapes(made)["scores"][0] == "batch"
            wide = {"images": np.random.default_rng(1).random((1, 3, 96, 64), dtype=np.float32)}
            np.testing.assert_array_equal(run(made, wide)["boxes"], result.relation.derive(run(model, wide))["boxes"])
