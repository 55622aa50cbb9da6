"""set-input-shape on small graphs and on exports."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.errors import PassRefused, PipelineError
from graphkit.model import Model
from graphkit.passes.set_input_shape import SetInputShape
from graphkit.pipeline import parse_pipeline, run_pipeline
from tests.passes.helpers import evaluate, feeds, live, ops, parse

# What exporters write for a flatten and for anchor points: Shape, Gather, Concat, Range, Expand.
GRAPH = """g (float[batch,2,height,width] x) => (float[batch,2,cells] y)
<int64[1] zero = {0}, int64[1] three = {3}, int64[1] rest = {-1}, int64[1] two = {2}, int64[0] scalar = {},
 int64 start = {0}, int64 step = {1}> {
    shape = Shape(x)
    batch = Gather<axis = 0>(shape, zero)
    target = Concat<axis = 0>(batch, two, rest)
    flat = Reshape(x, target)
    w = Gather<axis = 0>(shape, three)
    end = Reshape(w, scalar)
    index = Range(start, end, step)
    first = Cast<to = 1>(index)
    mean = ReduceMean<keepdims = 0>(first)
    y = Add(flat, mean)
}"""


def run(proto: onnx.ModelProto, **options: Any) -> tuple[onnx.ModelProto, Any]:
    model = Model(proto)
    result = SetInputShape(**options).run(model)
    model.set_metadata(result.metadata)
    return live(model.proto()), result


def dims(info: onnx.ValueInfoProto) -> list[int | str]:
    return [dim.dim_value or dim.dim_param for dim in info.type.tensor_type.shape.dim]


@pytest.mark.parametrize(
    "options",
    [
        {"shape": [1, 2, 4, 6]},
        {"x": [1, 2, 4, 6]},
        {"batch": 1, "height": 4, "width": 6},
        {"x": [1, None, "height", 6], "height": 4},
    ],
    ids=["bare", "named", "symbols", "mixed"],
)
def test_whole(options: dict[str, Any]) -> None:
    before = parse(GRAPH)
    after, result = run(before, **options)
    assert dims(after.graph.input[0]) == [1, 2, 4, 6]
    assert dims(after.graph.output[0]) == [1, 2, 24]
    assert ops(after) == {"Reshape": 1, "Add": 1}
    assert result.rewrites == 3 + 8
    inputs = feeds(after)
    np.testing.assert_array_equal(evaluate(before, inputs)["y"], evaluate(after, inputs)["y"])
    again, second = run(after, **options)
    assert second.rewrites == 0
    assert "already" in second.declined[0].reason
    assert ops(again) == ops(after)


def test_in_part() -> None:
    before = parse(GRAPH)
    after, result = run(before, batch=3)
    assert dims(after.graph.input[0]) == [3, 2, "height", "width"]
    assert dims(after.graph.output[0])[:2] == [3, 2]
    # The target of the Reshape no longer depends on the input; the Range does.
    assert ops(after) == {"Shape": 1, "Gather": 1, "Reshape": 2, "Range": 1, "Cast": 1, "ReduceMean": 1, "Add": 1}
    assert result.rewrites == 1 + 2
    for height, width in ((4, 6), (3, 5)):
        inputs = feeds(after, sizes={"height": height, "width": width})
        np.testing.assert_array_equal(evaluate(before, inputs)["y"], evaluate(after, inputs)["y"])


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9))
def test_any_size(batch: int, height: int, width: int) -> None:
    before = parse(GRAPH)
    after, _ = run(before, shape=[batch, 2, height, width])
    assert ops(after) == {"Reshape": 1, "Add": 1}
    assert dims(after.graph.output[0]) == [batch, 2, height * width]
    inputs = feeds(after)
    np.testing.assert_array_equal(evaluate(before, inputs)["y"], evaluate(after, inputs)["y"])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "needs a shape: the inputs are x [batch, 2, height, width]"),
        ({"hight": 4}, 'found no dimension "hight"; the inputs are x [batch, 2, height, width]'),
        ({"image": [1, 2, 4, 4]}, 'found no input "image"'),
        ({"x": 4}, 'found no dimension "x"'),
        ({"batch": [4]}, 'found no input "batch"'),
        ({"x": [1, 2, 4]}, 'cannot give "x" the shape [1, 2, 4]: it has 4 dimensions, [batch, 2, height, width]'),
        ({"x": [1, 3, 4, 4]}, "dimension 1 is 2, not 3"),
        ({"x": [1, "n", 4, 4]}, "dimension 1 is 2, not n"),
        ({"x": [2, 2, 4, 4], "batch": 1}, 'cannot give "batch" two sizes, 1 and 2'),
    ],
)
def test_refusals(options: dict[str, Any], told: str) -> None:
    with pytest.raises(PassRefused) as caught:
        run(parse(GRAPH), **options)
    assert told in str(caught.value)


def test_one_symbol_has_one_size() -> None:
    square = parse("g (float[n,n] x) => (float[n,n] y) { y = Relu(x) }")
    with pytest.raises(PassRefused, match=r'cannot give "n" two sizes, 2 and 3'):
        run(square, shape=[2, 3])
    two = parse("g (float[n,2] a, float[n,2] b) => (float[n,2] y) { y = Add(a, b) }")
    with pytest.raises(PassRefused, match="needs to know which input is meant"):
        run(two, shape=[2, 2])
    after, result = run(two, a=[5, 2])
    assert [dims(info) for info in (*after.graph.input, *after.graph.output)] == [[5, 2]] * 3
    assert result.rewrites == 2


def test_what_was_fixed_before() -> None:
    after, _ = run(parse(GRAPH), batch=3)
    assert run(after, batch=3)[1].rewrites == 0
    with pytest.raises(PassRefused, match='cannot give "batch" the size 2: it was fixed to 3 before'):
        run(after, batch=2)
    assert run(after, batch=3, height=4)[1].rewrites == 1


def test_a_size_that_does_not_fit() -> None:
    proto = parse(
        """g (float[1,1,h,4] x) => (float[1,2,a,b] y) {
            small = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(x)
            scales = Constant<value = float[4] {1.0, 1.0, 2.0, 2.0}>()
            large = Resize<mode = "nearest">(small, , scales)
            y = Concat<axis = 1>(large, x)
        }"""
    )
    with pytest.raises(PassRefused, match=r"Concat does not fit there: .* Choose another one"):
        run(proto, h=5)
    assert run(proto, h=6)[1].rewrites == 1


def test_what_shape_inference_never_took() -> None:
    """onnx's inference does not know that "ai.onnx" is another name of the default domain."""
    proto = parse("g (float[N, 3] x) => (float[N, 3] y) { a = Relu(x) y = Neg(a) }")
    proto.graph.node[0].domain = "ai.onnx"
    with pytest.raises(
        PassRefused, match=r"cannot tell which shapes follow: .*Relu.* failed on the model as it was, too"
    ):
        run(proto, shape=[1, 3])


def test_defaults_of_inputs_are_no_constants() -> None:
    proto = parse(
        """g (float[n,4] x, int64[2] target) => (float[a,b] y) <int64[2] target = {-1, 2}> { y = Reshape(x, target) }"""
    )
    after, result = run(proto, n=3)
    assert result.rewrites == 1
    assert [item.name for item in after.graph.input] == ["x", "target"]
    other = {"x": np.arange(12, dtype=np.float32).reshape(3, 4), "target": np.array([1, 12])}
    assert evaluate(after, other)["y"].shape == (1, 12)


def test_subgraphs_are_entered() -> None:
    proto = parse(
        """g (float[n,4] x, bool c) => (int64[2] y) {
            y = If(c) <then_branch = t () => (int64[2] a) { a = Shape(x) },
                       else_branch = e () => (int64[2] b) { s = Shape(x) b = Neg(s) }>
        }"""
    )
    after, result = run(proto, n=3)
    assert ops(after)["Shape"] == 1  # the one that the branch returns itself
    assert result.rewrites == 2
    for flag in (True, False):
        inputs = {"x": np.zeros((3, 4), np.float32), "c": np.array(flag)}
        np.testing.assert_array_equal(evaluate(proto, inputs)["y"], evaluate(after, inputs)["y"])


def test_bad_options_in_yaml() -> None:
    for value in ("{batch: 1.5}", "{batch: 0}", "{batch: true}", "{images: [1, 0]}", "{shape: x}", "x"):
        with pytest.raises(PipelineError, match="a size from 1, or a list of sizes"):
            parse_pipeline(f"version: 1\npasses:\n  - set-input-shape: {value}\n", "test")


@pytest.mark.parametrize("name", ["yolov8n", "yolo26n"])
def test_exports(export: Callable[..., Path], name: str) -> None:
    model = Model.load(export(name, dynamic=True))
    static = Model.load(export(name))
    text = "version: 1\npasses:\n  - set-input-shape: {images: [1, 3, 64, 64]}\n"
    outcome = run_pipeline(parse_pipeline(text, "test"), model)
    record = outcome.report.passes[0]
    assert record.proof is not None
    assert record.proof.passed
    assert not {"Shape", "Range", "Expand", "ConstantOfShape", "Gather"} & set(ops(outcome.model.proto()))
    simple = run_pipeline(parse_pipeline("version: 1\npasses: [simplify]\n", "test"), static)
    assert outcome.model.node_count <= simple.model.node_count
    assert outcome.model.metadata["imgsz"] == "[64, 64]"
    assert ast.literal_eval(outcome.model.metadata["args"])["dynamic"] is False
