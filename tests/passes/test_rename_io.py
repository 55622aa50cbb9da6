"""rename-io."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.rename_io import RenameIo
from tests.heads.build import detector
from tests.passes.helpers import parse
from tests.passes.proving import proven, sentences, twice

GRAPH = """g (float[N, 2] x, float[2] k) => (float[N, 2] y, float[N, 2] z) {
    inner = Relu(x) y = Add(inner, k) z = Neg(y)
}"""


def names(proto: onnx.ModelProto) -> tuple[list[str], list[str]]:
    return [item.name for item in proto.graph.input], [item.name for item in proto.graph.output]


def test_inputs_outputs_and_dimensions() -> None:
    outcome = twice(parse(GRAPH), "rename-io: {inputs: {x: pixels}, outputs: {y: boxes}, dims: {N: batch}}")
    proto = outcome.model.proto()
    assert names(proto) == (["pixels", "k"], ["boxes", "z"])
    assert {
        dim.dim_param for info in (*proto.graph.input, *proto.graph.output) for dim in info.type.tensor_type.shape.dim
    } == {"batch", ""}
    assert list(proto.graph.node[2].input) == ["boxes"]
    assert outcome.report.passes[0].rewrites == 3
    assert outcome.report.passes[0].summary == "x → pixels, y → boxes, N → batch"
    assert sentences(outcome)[0] == "identical"


def test_names_can_be_swapped() -> None:
    outcome = proven(parse(GRAPH), "rename-io: {outputs: {y: z, z: y}}")
    assert names(outcome.model.proto())[1] == ["z", "y"]
    assert sentences(outcome) == ["identical"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inputs": {"pixel": "a"}}, 'found no input "pixel"; there are: "x", "k"'),
        ({"outputs": {"yy": "a"}}, 'Name "y" instead'),
        ({"dims": {"M": "a"}}, 'found no dimension "M"; there are: "N"'),
        ({"inputs": {"x": "inner"}}, 'cannot call "x" "inner": another tensor has that name'),
        ({"inputs": {"x": "a", "k": "a"}}, 'cannot call both "x" and "k" "a"'),
        ({"inputs": {"x": "a"}, "outputs": {"y": "a"}}, 'cannot call both "x" and "y" "a"'),
        ({"dims": {"N": "4"}}, "set-input-shape"),
        ({"dims": {"N": " "}}, "a symbolic dimension has a name"),
        ({"inputs": {"x": ""}}, "without a name"),
        ({}, "nothing to rename"),
    ],
)
def test_refusals(options: dict[str, dict[str, str]], words: str) -> None:
    proto = parse(GRAPH)
    with pytest.raises(PassRefused) as refusal:
        RenameIo(**options).run(Model(proto))
    assert words in str(refusal.value)


def test_a_dimension_does_not_become_another() -> None:
    proto = parse("g (float[N, M] x) => (float[N, M] y) { y = Relu(x) }")
    with pytest.raises(PassRefused, match="another dimension has that name"):
        RenameIo(dims={"N": "M"}).run(Model(proto))


def test_what_is_input_and_output_is_renamed_as_both() -> None:
    proto = parse("g (float[2] x) => (float[2] x, float[2] y) { y = Relu(x) }")
    with pytest.raises(PassRefused, match="an input and an output at once"):
        RenameIo(inputs={"x": "a"}).run(Model(proto))
    with pytest.raises(PassRefused, match="two new names"):
        RenameIo(inputs={"x": "a"}, outputs={"x": "b"}).run(Model(proto))
    model = Model(proto)
    RenameIo(inputs={"x": "a"}, outputs={"x": "a"}).run(model)
    assert names(model.proto()) == (["a"], ["a", "y"])


def test_subgraphs_follow_but_for_names_of_their_own() -> None:
    proto = parse(
        """g (bool[1] c, float[2] x) => (float[2] y) {
            y = If(c) <
                then_branch = t () => (float[2] a) { a = Relu(x) },
                else_branch = e () => (float[2] b) { n = Neg(x) b = Abs(n) }
            >
        }"""
    )
    outcome = twice(proto, "rename-io: {inputs: {x: pixels, c: flag}, outputs: {y: result}}")
    branches = {item.name: item.g for item in outcome.model.proto().graph.node[0].attribute}
    assert branches["then_branch"].node[0].input[0] == "pixels"
    assert branches["else_branch"].node[0].input[0] == "pixels"
    with pytest.raises(PassRefused, match="another tensor"):
        RenameIo(inputs={"x": "n"}).run(Model(proto))


def test_shadowed_names_stay() -> None:
    proto = parse(
        """g (bool c, float[2] x) => (float[2] y) {
            y = If(c) <then_branch = t () => (float[2] a) { a = Relu(x) },
                else_branch = e () => (float[2] b) { b = Neg(x) }>
        }"""
    )
    inner = next(item.g for item in proto.graph.node[0].attribute if item.name == "else_branch")
    inner.initializer.append(onnx.helper.make_tensor("x", 1, [2], [5.0, 6.0]))
    model = Model(proto)
    RenameIo(inputs={"x": "pixels"}).run(model)
    branches = {item.name: item.g for item in model.proto().graph.node[0].attribute}
    assert branches["then_branch"].node[0].input[0] == "pixels"
    assert branches["else_branch"].node[0].input[0] == "x"


def test_annotations_and_overridable_initializers_follow() -> None:
    proto = parse("g (float[2] x, float[2] a) => (float[2] y) <float[2] a = {1, 2}> { y = Add(x, a) }")
    proto.graph.quantization_annotation.add(tensor_name="x").quant_parameter_tensor_names.add(key="K", value="a")
    model = Model(proto)
    RenameIo(inputs={"a": "offset", "x": "pixels"}).run(model)
    after = model.proto()
    assert after.graph.initializer[0].name == "offset"
    assert after.graph.quantization_annotation[0].tensor_name == "pixels"
    assert after.graph.quantization_annotation[0].quant_parameter_tensor_names[0].value == "offset"


def test_metadata_of_split_head_follows() -> None:
    outcome = proven(detector(), "split-head", "rename-io: {outputs: {boxes: where, scores: what}}")
    told = json.loads(outcome.model.metadata["graphkit.head"])
    assert (told["boxes"], told["scores"]) == ("where", "what")
    assert told["layout"] == "cn"


def test_detections_stay_known_under_their_new_names() -> None:
    step = "rename-io: {inputs: {confidence_threshold: conf}, outputs: {boxes: where, num_dets: count}}"
    outcome = proven(detector(), "embed-nms: {runtime-thresholds: true}", step, "embed-nms: {runtime-thresholds: true}")
    assert "made-up detections agree" in sentences(outcome)[1]
    assert outcome.report.passes[2].rewrites == 0
    assert [item.name for item in outcome.model.proto().graph.output] == ["count", "where", "scores", "classes"]


@settings(max_examples=30, deadline=None)
@given(st.permutations(["x", "k", "y", "z"]))
def test_any_permutation_keeps_the_graph(order: list[str]) -> None:
    renamed = dict(zip(["x", "k", "y", "z"], order, strict=True))
    model = Model(parse(GRAPH))
    RenameIo(
        inputs={name: renamed[name] for name in ("x", "k")}, outputs={name: renamed[name] for name in ("y", "z")}
    ).run(model)
    back = {new: old for old, new in renamed.items()}
    for node, before in zip(model.proto().graph.node, parse(GRAPH).graph.node, strict=True):
        assert [back.get(name, name) for name in node.input] == list(before.input)
        assert [back.get(name, name) for name in node.output] == list(before.output)


def test_on_an_export(export: Callable[..., Path]) -> None:
    step = "rename-io: {inputs: {images: input}, outputs: {output0: detections}, dims: {batch: N}}"
    outcome = twice(export("yolov8n", dynamic=True), step)
    assert sentences(outcome)[0] == "identical"
