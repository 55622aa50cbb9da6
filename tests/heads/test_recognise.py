"""Recognition: by structure only, and refusals that say what is there instead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest

from graphkit.heads import Head, HeadNotFound, recognise
from graphkit.model import Model
from tests.heads.build import detector


def read(model: onnx.ModelProto) -> Head:
    mine = Model(model)
    metadata = mine.metadata
    return recognise(mine.graph, metadata)


def text(source: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {source}')


@pytest.mark.parametrize("opset", [11, 12, 13, 17, 18, 21])
@pytest.mark.parametrize("coding", ["center-size", "corners"])
def test_says_what_the_head_is(opset: int, coding: Any) -> None:
    head = read(detector(opset=opset, coding=coding, classes=5))
    assert (head.family, head.task, head.state) == ("YOLOv8-style", "detect", "joined")
    assert (head.classes, head.coding, head.strides, head.bins) == (5, coding, (8, 16, 32), 16)
    assert (head.batch, head.anchors, head.output_layout) == (1, 84, "cn")


def test_number_of_classes_and_strides_are_read_and_not_assumed() -> None:
    for classes, strides in ((1, (8, 16)), (80, (8, 16, 32)), (4, (16,))):
        head = read(detector(classes=classes, strides=strides, bins=8))
        assert (head.classes, head.strides, head.bins) == (classes, strides, 8)


def test_transposed_output_and_dynamic_batch() -> None:
    head = read(detector(transposed=True, batch="batch"))
    assert (head.output_layout, head.box_layout, head.batch, head.anchors) == ("nc", "cn", "batch", 84)


def test_names_do_not_matter_and_order_does_not() -> None:
    model = detector(extra_output=True)
    graph = gs.import_onnx(model)
    for index, tensor in enumerate(graph.tensors().values()):
        tensor.name = f"x{index}"
    for node in graph.nodes:
        node.name = "Sigmoid"
    graph.nodes.reverse()
    assert recognise(graph).classes == 3


def test_classes_are_found_where_no_shape_is_declared() -> None:
    graph = gs.import_onnx(detector(classes=7))
    for tensor in graph.tensors().values():
        if isinstance(tensor, gs.Variable):
            tensor.shape = None
    head = recognise(graph)
    assert (head.classes, head.batch, head.anchors) == (7, "batch", "anchors")


def test_warns_where_the_metadata_names_other_classes() -> None:
    assert read(detector(metadata={"names": "{1: 'b', 0: 'a', 2: 'c'}"})).names == ("a", "b", "c")
    assert read(detector(metadata={"names": "{0: 'a'}"})).warnings == ("the metadata names 1 classes, the head has 3",)
    for unreadable in ("{", "[" * 5000, "{0: 'a', 5: 'b'}", "__import__('os')"):
        assert read(detector(metadata={"names": unreadable})).names == ()


def test_a_declared_channel_count_that_is_wrong_is_refused() -> None:
    model = detector(classes=3)
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 84
    with pytest.raises(HeadNotFound, match="declared with 84 channels"):
        read(model)


@pytest.mark.parametrize(
    ("model", "kind", "words"),
    [
        (
            lambda: text("""g (float[1,3,9,9] x, float[4,3,1,1] w, float[1,3,1,1] v) => (float[1,6,162] o)
                <int64[3] flat = {1, 6, 81}> {
                a = Conv (x, w)
                b = Conv (x, v)
                p = Sigmoid (b)
                q = Sigmoid (b)
                one = Concat <axis = 1> (a, p, q)
                f = Reshape (one, flat)
                two = Concat <axis = 1> (a, p, q)
                h = Reshape (two, flat)
                o = Concat <axis = 2> (f, h) }"""),
            "yolox",
            "YOLOX head that is not decoded",
        ),
        (
            lambda: text("""g (float[1,3,4,4,7] a, float[1,3,2,2,7] b) => (float[1,3,4,4,7] p, float[1,3,2,2,7] q) {
                p = Sigmoid (a)
                q = Sigmoid (b) }"""),
            "features",
            "YOLOv5-style head",
        ),
        (
            lambda: text("g (float[1,9,64,64] x) => (float[1,9,64,64] o) { o = Relu (x) }"),
            "semantic",
            "a map over the image",
        ),
        (
            lambda: text("""g (float[1,9,4] a, float[1,9,3] b) => (float[1,9,4] boxes, float[1,9,3] scores) {
                boxes = Relu (a)
                scores = Softmax (b) }"""),
            "unknown",
            "SSD",
        ),
        (
            lambda: text("""g (float[1,9,3] a, float[1,9,32] b) =>
                (float[1,9,3] s, float[1,9,3] t, float[1,9,32] u, float[1,9,32] v) {
                s = Sigmoid (a)
                t = Sigmoid (a)
                u = Relu (b)
                v = Relu (b) }"""),
            "features",
            "PicoDet",
        ),
        (lambda: detector(further=32), "unsupported-task", "32 further channels"),
        (lambda: detector(normalised=True), "unknown", "no known head decodes"),
        (lambda: detector(sigmoid=False), "unknown", "not the output of a Sigmoid"),
        (
            lambda: text("""g (float[1,4,9] a, float[1,9,80] b) => (float[1,9,84] o) {
                boxes = Sigmoid (a)
                turned = Transpose <perm = [0, 2, 1]> (boxes)
                scores = Sigmoid (b)
                o = Concat <axis = 2> (turned, scores) }"""),
            "one-to-one",
            "RT-DETR",
        ),
        (
            lambda: text("""g (float[1,4,9,9] x, float[4,4,1,1] w) => (float[1,4,9,9] p, float[1,4,9,9] q) {
                p = Conv (x, w)
                q = Conv (p, w) }"""),
            "features",
            "raw feature maps",
        ),
        (
            lambda: text("""g (float[1,9,4] b, float[1,2,9] s, int64 k) => (int64[n,3] o) {
                o = NonMaxSuppression (b, s, k) }"""),
            "final",
            "NonMaxSuppression",
        ),
        (
            lambda: text("""g (float[1,9,6] x, float[1,9] s, int64[1] k) => (float[1,9,6] o) {
                v, i = TopK (s, k)
                u = Unsqueeze (i, k)
                e = Expand (u, k)
                o = GatherElements <axis = 1> (x, e) }"""),
            "one-to-one",
            "TopK",
        ),
        (lambda: text("g (float[1,3] x) => (float[1,3] o) { o = Relu (x) }"), "classifier", "not made of boxes"),
        (lambda: text("g (float[2,3,4] x) => (float[2,3,4] o) { o = Relu (x) }"), "unknown", "not boxes and scores"),
    ],
)
def test_refusals_say_what_is_there(model: Callable[[], onnx.ModelProto], kind: str, words: str) -> None:
    with pytest.raises(HeadNotFound, match=words) as refusal:
        read(model())
    assert refusal.value.kind == kind
    assert refusal.value.advice


def test_two_heads_are_refused() -> None:
    graph = gs.import_onnx(detector())
    second = gs.Variable("again", np.float32, graph.outputs[0].shape)
    graph.nodes.append(gs.Node("Identity", "", {}, [graph.outputs[0]], [second]))
    graph.outputs.append(second)
    with pytest.raises(HeadNotFound, match='"output0", "again"'):
        recognise(graph)


def test_cycles_and_missing_outputs_end_in_a_refusal() -> None:
    loop = gs.Variable("loop", np.float32, None)
    other = gs.Variable("other", np.float32, None)
    nodes = [gs.Node("Identity", "", {}, [loop], [other]), gs.Node("Identity", "", {}, [other], [loop])]
    with pytest.raises(HeadNotFound):
        recognise(gs.Graph(nodes, [], [loop]))
    joined = gs.Variable("joined", np.float32, None)
    with pytest.raises(HeadNotFound):
        recognise(gs.Graph([gs.Node("Concat", "", {"axis": 1}, [joined, joined], [joined])], [], [joined]))
    with pytest.raises(HeadNotFound, match="no outputs"):
        recognise(gs.Graph())


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("yolov8n", {}, (80, 1, 84)),
        ("yolov8n", {"dynamic": True}, (80, "batch", "anchors")),
        ("yolov8n", {"opset": 12}, (80, 1, 84)),
        ("yolov8n", {"half": True}, (80, 1, 84)),
        ("yolov8n", {"simplify": True}, (80, 1, 84)),
        ("yolov8n", {"classes": 1}, (1, 1, 84)),
        ("yolov8n", {"classes": 3, "dynamic": True, "simplify": True}, (3, "batch", "anchors")),
        ("yolo11n", {}, (80, 1, 84)),
        ("yolo11n", {"dynamic": True, "opset": 17}, (80, "batch", "anchors")),
        ("yolo12n", {}, (80, 1, 84)),
        ("yolov9t", {}, (80, 1, 84)),
        ("yolov5n", {}, (80, 1, 84)),
    ],
)
def test_what_ultralytics_exports(
    export: Callable[..., Path], name: str, options: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    head = read(Model.load(export(name, **options)).proto())
    assert (head.classes, head.batch, head.anchors) == expected
    assert (head.family, head.coding, head.strides, head.bins) == (
        "YOLOv8-style",
        "center-size",
        (8, 16, 32),
        16,
    )
    assert head.warnings == ()


@pytest.mark.parametrize("options", [{}, {"dynamic": True}, {"opset": 12}])
def test_what_onnxsim_leaves(export: Callable[..., Path], options: dict[str, Any]) -> None:
    import onnxsim

    model, fine = onnxsim.simplify(Model.load(export("yolov8n", **options)).proto())
    head = read(model)
    assert fine
    assert (head.classes, head.strides, head.bins, head.coding) == (80, (8, 16, 32), 16, "center-size")


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("yolov8n", {"nms": True}, "final"),
        ("yolov8n-cls", {}, "classifier"),
    ],
)
def test_what_ultralytics_exports_otherwise(
    export: Callable[..., Path], name: str, options: dict[str, Any], kind: str
) -> None:
    with pytest.raises(HeadNotFound) as refusal:
        read(Model.load(export(name, **options)).proto())
    assert refusal.value.kind == kind
