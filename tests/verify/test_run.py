from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import pytest
from numpy.typing import NDArray

from graphkit.errors import ModelError
from graphkit.model import Model
from graphkit.verify import Feed, NotRunnable, efficient_nms, run_model, run_part, run_what_works

PLUGIN = """<ir_version: 8, opset_import: ["": 17, "TRT": 1, "trt.plugins": 1]>
g (float[1, 6, 4] x, float[1, 6, 2] s) => (int32[1, 1] num, float[1, 4, 4] boxes, float[1, 4] doubled,
                                          int32[1, 4] classes, float[1, 6, 4] raw) {
  half = Constant<value = float {0.5}>()
  raw = Mul(x, half)
  num, boxes, scores, classes = DOMAINEfficientNMS_TRT<score_threshold = 0.25, iou_threshold = 0.5,
    max_output_boxes = 4, background_class = -1, score_activation = 0, box_coding = 1>(raw, s)
  doubled = Add(scores, scores)
}"""


def parsed(text: str) -> Model:
    if not text.startswith("<"):
        text = '<ir_version: 8, opset_import: ["": 17]> g ' + text
    return Model(onnx.parser.parse_model(text))


def f32(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def feed(name: str = "f", **values: Any) -> Feed:
    return Feed(name, {key: np.asarray(value) for key, value in values.items()})


def test_outputs_by_name_for_every_feed() -> None:
    model = parsed("(float[2] x) => (float[2] b, float[2] a) { a = Neg(x) b = Abs(x) }")
    results = run_model(model, [feed(x=f32([1, -2])), feed(x=f32([3, 4]), unused=f32([0]))])
    assert [list(result) for result in results] == [["b", "a"], ["b", "a"]]
    assert results[0]["b"].tolist() == [1, 2]
    assert results[1]["a"].tolist() == [-3, -4]


def test_nodes_may_be_out_of_order() -> None:
    model = parsed("(float[1] x) => (float[1] y) { y = Neg(z) z = Abs(x) }")
    assert run_model(model, [feed(x=f32([-3]))])[0]["y"].tolist() == [-3]


def test_a_newer_ir_version_is_lowered_in_a_copy() -> None:
    model = parsed("(float[1] x) => (float[1] y) { y = Neg(x) }")
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    proto.ir_version = 99
    assert run_model(Model(proto), [feed(x=f32([1]))])[0]["y"].tolist() == [-1]
    assert proto.ir_version == 99


def test_external_data_is_found_beside_the_model(tmp_path: Path) -> None:
    proto = parsed("(float[300] x) => (float[300] y) { y = Add(x, w) }").proto()
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(300, dtype=np.float32), "w"))
    path = tmp_path / "m.onnx"
    onnx.save(proto, str(path), save_as_external_data=True, location="m.data", size_threshold=0)
    result = run_model(Model.load(path), [feed(x=np.zeros(300, np.float32))])[0]["y"]
    assert result.tolist() == list(range(300))


def test_sequences_come_apart() -> None:
    model = parsed("(float[4] x) => (seq(float[N]) y) { y = SplitToSequence<axis = 0>(x) }")
    assert list(run_model(model, [feed(x=f32([1, 2, 3, 4]))])[0]) == ["y[0]", "y[1]", "y[2]", "y[3]"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            '<ir_version: 8, opset_import: ["my": 1]> g (float[1] x) => (float[1] y) { y = my.Foo(x) }',
            "operator Foo of domain 'my'",
        ),
        ("(double[1] x) => (double[1] y) { y = Mish(x) }", "Mish"),
        (
            '<ir_version: 8, opset_import: ["": 99]> g (float[1] x) => (float[1] y) { y = Sin(x) }',
            "this one is opset 99",
        ),
        ("(float[1] x) => (float[1] y) { z = Neg(y) y = Neg(z) }", "cyclic"),
    ],
)
def test_what_cannot_be_loaded_is_said_plainly(text: str, why: str) -> None:
    with pytest.raises(NotRunnable, match=why) as caught:
        run_model(parsed(text), [feed(x=np.zeros(1))])
    assert caught.value.exit_status == 1
    assert caught.value.feed is None
    assert "\n" not in str(caught.value)


def test_feeds_that_do_not_fit_are_named_and_can_be_left_out() -> None:
    model = parsed("(float[N, 3] x) => (float[N, 3] y) { y = Add(x, c) }")
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto())
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros((2, 3), np.float32), "c"))
    model = Model(proto)
    feeds = [feed("one", x=np.zeros((1, 3), np.float32)), feed("three", x=np.zeros((3, 3), np.float32))]
    with pytest.raises(NotRunnable, match=r'"three" \(x \[3, 3\]\)') as caught:
        run_model(model, feeds)
    assert caught.value.feed == "three"
    good, results, note = run_what_works(model, feeds)
    assert [item.name for item in good] == ["one"]
    assert len(results) == 1
    assert "three" in note
    with pytest.raises(NotRunnable):
        run_what_works(model, feeds[1:])
    with pytest.raises(NotRunnable, match='no value for the input "x"'):
        run_model(model, [feed("none")])


@pytest.mark.parametrize("domain", ["", "TRT.", "trt.plugins."])
def test_the_plugin_runs_in_numpy_and_the_rest_does_not(domain: str) -> None:
    rng = np.random.default_rng(0)
    x, s = rng.uniform(0, 50, (1, 6, 4)).astype(np.float32), rng.random((1, 6, 2)).astype(np.float32)
    result = run_model(parsed(PLUGIN.replace("DOMAIN", domain)), [feed(x=x, s=s)])[0]
    expected = efficient_nms(
        x * np.float32(0.5), s, score_threshold=0.25, iou_threshold=0.5, max_output_boxes=4, box_coding=1
    )
    assert list(result) == ["num", "boxes", "doubled", "classes", "raw"]
    for name, value in zip(("num", "boxes", "doubled", "classes"), expected, strict=True):
        np.testing.assert_array_equal(result[name], value * 2 if name == "doubled" else value)
    assert result["num"][0, 0] > 0
    np.testing.assert_array_equal(result["raw"], x * np.float32(0.5))


def test_a_plugin_node_without_its_attributes_is_refused() -> None:
    proto = onnx.parser.parse_model(PLUGIN.replace("DOMAIN", "TRT."))
    node = next(node for node in proto.graph.node if node.op_type == "EfficientNMS_TRT")
    node.attribute.remove(next(item for item in node.attribute if item.name == "box_coding"))
    with pytest.raises(ModelError, match="lacks the attribute box_coding"):
        run_model(Model(proto), [feed(x=np.zeros((1, 6, 4), np.float32), s=np.zeros((1, 6, 2), np.float32))])


def test_a_local_function_of_that_name_is_not_the_plugin() -> None:
    model = parsed("""<ir_version: 8, opset_import: ["": 17, "TRT": 1]>
        g (float[1] x) => (float[1] y) { y = TRT.EfficientNMS_TRT(x) }
        <domain: "TRT", opset_import: ["": 17]> EfficientNMS_TRT (a) => (b) { b = Neg(a) }""")
    assert run_model(model, [feed(x=f32([2]))])[0]["y"].tolist() == [-2]


CUT = """<ir_version: 8, opset_import: ["": 17]>
g (float[2] x, float[2] z, bool c) => (float[2] y, float[2] other, float[2] both)
<float[2] w = {10, 20}> {
  a = Neg(x)
  y = Add(a, w)
  other = Abs(z)
  both = If(c) <then_branch = t () => (float[2] p) { p = Add(a, w) }, else_branch = e () => (float[2] q) { q = Neg(z) }>
}"""


def test_a_part_runs_alone() -> None:
    result = run_part(parsed(CUT), {"a": f32([1, 2])}, ["y"])
    assert {name: value.tolist() for name, value in result.items()} == {"y": [11, 22]}


def test_a_part_sees_what_subgraphs_read() -> None:
    with pytest.raises(ModelError, match='the part behind "a" also depends on "c", "z"'):
        run_part(parsed(CUT), {"a": f32([1, 2])})
    given: dict[str, NDArray[Any]] = {"a": f32([1, 2]), "z": f32([3, 4]), "c": np.array(True)}
    assert run_part(parsed(CUT), given)["both"].tolist() == [11, 22]
    assert run_part(parsed(CUT), {**given, "c": np.array(False)})["both"].tolist() == [-3, -4]


def test_a_part_must_exist_and_lead_somewhere() -> None:
    with pytest.raises(ModelError, match='no tensor "ghost"'):
        run_part(parsed(CUT), {"ghost": f32([1])})
    dead = parsed("(float[1] x) => (float[1] y) { d = Neg(x) y = Abs(x) }")
    with pytest.raises(ModelError, match='no output of the graph depends on "d"'):
        run_part(dead, {"d": f32([1])})


def test_the_plugin_part_runs_alone() -> None:
    boxes = f32([[[5, 5, 4, 4]] * 6])
    scores = f32([[[0.9, 0.1]] * 6])
    result = run_part(parsed(PLUGIN.replace("DOMAIN", "TRT.")), {"raw": boxes, "s": scores}, ["num", "classes"])
    assert result["num"].tolist() == [[1]]


def test_external_data_behind_the_plugin_is_read(tmp_path: Path) -> None:
    proto = onnx.parser.parse_model(PLUGIN.replace("DOMAIN", "TRT.").replace("Add(scores, scores)", "Mul(scores, w)"))
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.full((1, 4), 3, np.float32), "w"))
    path = tmp_path / "m.onnx"
    onnx.save(proto, str(path), save_as_external_data=True, location="m.data", size_threshold=0)
    boxes, scores = f32([[[5, 5, 4, 4]] * 6]), f32([[[0.5, 0.1]] * 6])
    result = run_model(Model.load(path), [feed(x=boxes, s=scores)])[0]
    assert result["doubled"].tolist() == [[1.5, 0, 0, 0]]


def test_what_onnxruntime_has_no_kernel_for_is_run_by_the_reference() -> None:
    text = """<ir_version: 8, opset_import: ["": VERSION]>
    g (float[1, 1, 8, 8] x, float[1, 4] rois, int64[1] index) => (float[1, 1, 2, 2] y) {
        y = RoiAlign<output_height = 2, output_width = 2, sampling_ratio = 2>(x, rois, index)
    }"""
    random = np.random.default_rng(0)
    inputs: dict[str, NDArray[Any]] = {
        "x": random.normal(size=(1, 1, 8, 8)).astype(np.float32),
        "rois": np.array([[0, 0, 6, 6]], np.float32),
        "index": np.array([0], np.int64),
    }
    feeds = [Feed("random", inputs)]
    newer, older = (parsed(text.replace("VERSION", version)) for version in ("22", "21"))
    with pytest.raises(NotRunnable, match="no CPU kernel for RoiAlign"):
        run_model(newer, feeds)
    good, results, note = run_what_works(newer, feeds)
    assert good == feeds
    assert "onnx's reference ran the model as it came, for onnxruntime has no CPU kernel for RoiAlign" in note
    np.testing.assert_allclose(results[0]["y"], run_model(older, feeds)[0]["y"], rtol=1e-5)
