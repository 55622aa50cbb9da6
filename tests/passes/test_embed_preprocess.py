"""embed-preprocess."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import PassRefused, ProofFailed
from graphkit.model import Model
from graphkit.passes.embed_preprocess import EmbedPreprocess
from tests.heads.build import detector
from tests.passes.helpers import evaluate, ops, parse
from tests.passes.proving import proven, sentences, twice

NETWORK = "g (float[N, 3, 6, 8] images) => (float[N, 3, 6, 8] y) { y = Sigmoid(images) }"


def first(proto: onnx.ModelProto) -> tuple[str, int, list[int | str]]:
    item = proto.graph.input[0]
    tensor = item.type.tensor_type
    return item.name, tensor.elem_type, [dim.dim_param or dim.dim_value for dim in tensor.shape.dim]


def test_bgr_bytes_as_opencv_reads_them() -> None:
    outcome = twice(parse(NETWORK), "embed-preprocess")
    proto = outcome.model.proto()
    assert first(proto) == ("images", onnx.TensorProto.UINT8, ["N", 6, 8, 3])
    assert ops(proto) == {"Transpose": 1, "Gather": 1, "Cast": 1, "Div": 1, "Sigmoid": 1}
    assert sentences(outcome)[0] == "identical"
    pixels = np.random.default_rng(0).integers(0, 256, (2, 6, 8, 3), np.uint8)
    given = pixels[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
    expected = evaluate(parse(NETWORK), {"images": np.ascontiguousarray(given)})["y"]
    np.testing.assert_array_equal(evaluate(proto, {"images": pixels})["y"], expected)
    assert json.loads(outcome.model.metadata["graphkit.preprocess"])["color"] == "bgr"


@pytest.mark.parametrize("model_layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("color", ["bgr", "rgb", "keep"])
@pytest.mark.parametrize("resize", ["none", "stretch"])
def test_every_combination_is_proven(model_layout: str, layout: str, color: str, resize: str) -> None:
    shape = "N, 3, 6, 8" if model_layout == "nchw" else "N, 6, 8, 3"
    proto = parse(f"g (float[{shape}] images) => (float[{shape}] y) {{ y = Sigmoid(images) }}", opset=13)
    step = (
        f"embed-preprocess: {{layout: {layout}, color: {color}, resize: {resize}, mean: [0.4, 0.5, 0.6], "
        "std: [0.2, 0.25, 0.3]}"
    )
    outcome = twice(proto, step)
    assert sentences(outcome)[0] == "identical"
    moves = (layout != model_layout) if resize == "none" else (layout == "nhwc") + (model_layout == "nhwc")
    assert ops(outcome.model.proto()).get("Transpose", 0) == int(moves)
    assert ops(outcome.model.proto()).get("Gather", 0) == (color == "bgr")


@pytest.mark.parametrize("opset", [11, 12, 13, 17, 18, 21])
@pytest.mark.parametrize("batch", ["N", "1"])
def test_resize_in_every_opset(opset: int, batch: str) -> None:
    proto = parse(NETWORK.replace("N,", f"{batch},"), opset=opset)
    outcome = proven(proto, "embed-preprocess: {resize: stretch, size: [5, 13]}")
    assert first(outcome.model.proto())[2] == [int(batch) if batch == "1" else batch, 5, 13, 3]
    assert sentences(outcome)[0] == "identical"
    onnx.checker.check_model(outcome.model.proto(), full_check=True)


def test_half_inputs_are_rounded_once() -> None:
    proto = parse("g (float16[1, 3, 4, 4] images) => (float16[1, 3, 4, 4] y) { y = Identity(images) }")
    assert sentences(twice(proto, "embed-preprocess")) == ["identical", ""]


def test_other_inputs_and_places_stay() -> None:
    proto = parse(
        "g (float[2] k, float[1, 3, 4, 4] a, float[1, 3, 4, 4] b) => (float[1, 3, 4, 4] y) "
        "{ s = Add(a, b) y = Add(s, s) }"
    )
    with pytest.raises(PassRefused, match="or several") as refusal:
        EmbedPreprocess().run(Model(proto))
    assert '"k" float32 [2], "a" float32 [1,3,4,4]' in str(refusal.value)
    after = proven(proto, "embed-preprocess: {input: b}").model.proto()
    assert [item.name for item in after.graph.input] == ["k", "a", "b"]
    assert [item.type.tensor_type.elem_type for item in after.graph.input] == [1, 1, 2]


def test_subgraphs_read_the_converted_input() -> None:
    proto = parse(
        """g (float[1, 3, 4, 4] x, bool[1] c) => (float[1, 3, 4, 4] y) {
            y = If(c) <
                then_branch = t () => (float[1, 3, 4, 4] a) { a = Relu(x) },
                else_branch = e () => (float[1, 3, 4, 4] b) { b = Neg(x) }
            >
        }"""
    )
    assert sentences(twice(proto, "embed-preprocess")) == ["identical", ""]


@pytest.mark.parametrize(
    ("graph", "options", "words"),
    [
        ("g (float[1, 1000] x) => (float[1, 1000] y) { y = Relu(x) }", {}, "found no input for pictures"),
        (NETWORK, {"input": "image"}, 'found no input "image"; there are: "images"'),
        (
            "g (float[1, 9] x) => (float[1, 9] y) { y = Relu(x) }",
            {"input": "x"},
            "it is not float32 or float16 [B,C,H,W]",
        ),
        ("g (uint8[1, 3, 4, 4] x) => (uint8[1, 3, 4, 4] y) { y = Identity(x) }", {"input": "x"}, "cannot convert"),
        ("g (float[1, 1, 4, 4] x) => (float[1, 1, 4, 4] y) { y = Relu(x) }", {}, "Set color: keep"),
        (NETWORK, {"mean": [0.5]}, "1 values of mean for the 3 channels"),
        (NETWORK.replace("6, 8", "H, W"), {"resize": "stretch"}, "whose height and width are not fixed"),
        (NETWORK, {"size": [4, 4]}, "Set resize: stretch"),
        (
            "g (float[1, 3, 4, 4] x) => (float[1, 3, 4, 4] x, float[1, 3, 4, 4] y) { y = Relu(x) }",
            {},
            "hands it out as it is",
        ),
    ],
)
def test_refusals(graph: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PassRefused) as refusal:
        EmbedPreprocess(**options).run(Model(parse(graph)))
    assert words in str(refusal.value)


def test_old_opsets_and_other_options_are_refused() -> None:
    with pytest.raises(PassRefused, match="needs opset 11"):
        EmbedPreprocess().run(Model(parse(NETWORK, opset=9)))
    made = proven(parse(NETWORK), "embed-preprocess").model
    with pytest.raises(PassRefused, match="already embedded with other options \\(color: bgr\\)"):
        EmbedPreprocess(color="rgb").run(made)


def test_a_grey_network_keeps_its_channel() -> None:
    proto = parse("g (float[1, 1, 4, 4] x) => (float[1, 1, 4, 4] y) { y = Relu(x) }")
    outcome = twice(proto, "embed-preprocess: {color: keep}")
    assert first(outcome.model.proto())[2] == [1, 4, 4, 1]


def test_a_graph_that_does_something_else_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.passes.embed_preprocess import graph

    honest = graph.embed

    def wrong(made: Any, place: Any, options: EmbedPreprocess) -> None:
        honest(made, place, options.model_copy(update={"divisor": 256.0}))

    monkeypatch.setattr(graph, "embed", wrong)
    with pytest.raises(ProofFailed, match="changed what the model computes"):
        proven(parse(NETWORK), "embed-preprocess")


def test_a_detector_with_nms_behind_it() -> None:
    outcome = proven(detector(batch="batch"), "embed-preprocess", "embed-nms", "embed-preprocess")
    assert sentences(outcome)[0] == "identical"
    assert "detections" in sentences(outcome)[1]
    assert outcome.report.passes[2].rewrites == 0
    after = proven(detector(), "embed-nms", "embed-preprocess")
    assert "made-up detections agree" in sentences(after)[1]


FAMILIES = [
    ("yolov8n", {}), ("yolov8n", {"dynamic": True}), ("yolo11n", {}), ("yolo26n", {"end2end": True}),
    ("yolov8n-seg", {}), ("yolov8n-pose", {"half": True}), ("yolov8n-obb", {}),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("nms", [False, True], ids=["raw", "nms"])
@pytest.mark.parametrize(("name", "options"), FAMILIES)
def test_families(export: Callable[..., Path], name: str, options: dict[str, Any], nms: bool) -> None:
    passes = ["sort"] if "half" in options else []
    if nms:
        passes.append("embed-nms: {backend: matrix}" if "obb" in name else "embed-nms")
    outcome = proven(export(name, **options), *passes, "embed-preprocess", "embed-preprocess")
    assert sentences(outcome)[-2].startswith("identical")
    assert outcome.report.passes[-1].rewrites == 0
