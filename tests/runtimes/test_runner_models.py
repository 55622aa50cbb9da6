"""What runners read of a model, and do to it, before a runtime gets it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper

from graphkit.runtimes.runners import find
from graphkit.runtimes.runners.ncnn_pnnx import as_in_a_model
from graphkit.runtimes.runners.outputs import input_shapes, open_inputs, output_ranks, without_last_ones


def parse(text: str) -> ModelProto:
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> {text}')


def test_inputs_that_leave_their_shape_open() -> None:
    model = parse("g (float[1, n] a, float[2] b, float[1, 2] c) => (float[1, 2] y) { y = Relu (c) }")
    assert open_inputs(model) == []
    model.graph.input[1].type.tensor_type.shape.dim[0].dim_value = -1
    model.graph.input[2].type.tensor_type.ClearField("shape")
    model.graph.input.append(helper.make_tensor_sequence_value_info("d", TensorProto.FLOAT, None))
    assert open_inputs(model) == ["b", "c"]


def test_ranks_of_outputs() -> None:
    model = parse("g (float[1, n] x) => (float[1, n] y, float z) { y = Relu (x) z = ReduceSum (x) }")
    model.graph.output.append(helper.make_tensor_value_info("x", TensorProto.FLOAT, None))
    assert output_ranks(model, Path()) == {"y": 2, "z": 0, "x": None}


@pytest.mark.parametrize(
    ("shape", "rank", "fitted"),
    [
        ((1, 4, 12, 1), 3, (1, 4, 12)),
        ((1, 1), 0, ()),
        ((1, 4, 12, 2), 3, (1, 4, 12, 2)),
        ((1, 4), 3, (1, 4)),
        ((4, 1), None, (4, 1)),
    ],
)
def test_dimensions_behind_those_of_the_model(
    shape: tuple[int, ...], rank: int | None, fitted: tuple[int, ...]
) -> None:
    assert without_last_ones(np.zeros(shape), rank).shape == fitted


def test_what_stands_in_front_of_a_node_changes_nothing() -> None:
    inputs = "float[1, 3, 4] a, float16[1, 2, 2, 2] b, int64[1, 2, 3] c, float[4] d"
    model = parse(f"g ({inputs}) => (float[1, 3, 4] y) {{ y = Add (a, d) }}")
    told = as_in_a_model(model, input_shapes(model, Path()))
    assert [node.op_type for node in told.graph.node] == ["Conv", "Conv", "Neg", "Neg", "Add"]
    assert [node.input[0] for node in told.graph.node] == ["a", "b", "d", "d/between", "a/behind"]
    assert told.graph.node[-1].input[1] == "d/behind"
    assert [item.dims for item in told.graph.initializer] == [[3, 1, 1], [2, 1, 1, 1]]
    assert len(model.graph.node) == 1
    rng = np.random.default_rng(0)
    feed = {
        "a": rng.normal(size=(1, 3, 4)).astype(np.float32),
        "b": np.zeros((1, 2, 2, 2), np.float16),
        "c": np.zeros((1, 2, 3), np.int64),
        "d": rng.normal(size=4).astype(np.float32),
    }
    runs = [onnxruntime.InferenceSession(item.SerializeToString()).run(None, feed)[0] for item in (model, told)]
    assert (runs[0] == runs[1]).all()


def test_nothing_stands_in_front_of_what_holds_nothing() -> None:
    model = parse("g (float[0, 3] x, float[n] z) => (float[0, 3] y) { y = Relu (x) }")
    assert len(as_in_a_model(model, input_shapes(model, Path())).graph.node) == 1


def run(name: str, model: ModelProto, *inputs: np.ndarray) -> np.ndarray:
    runner = find(name)
    if runner.installed() is None:
        pytest.skip(f"{name} is not installed")
    with runner.process(timeout=60, alone=True) as process:
        feeds = dict(zip((item.name for item in model.graph.input), inputs, strict=True))
        return np.asarray(process.run(model.SerializeToString(), feeds)["y"])


def test_ncnn_converts_for_the_sizes_that_are_fed() -> None:
    value = np.arange(48, dtype=np.float32).reshape(1, 3, 4, 4)
    model = parse("g (float[1, 3, h, w] x) => (float[1, h, w, 3] y) { y = Transpose <perm = [0, 2, 3, 1]> (x) }")
    assert (run("ncnn", model, value) == value.transpose(0, 2, 3, 1)).all()


def test_tvm_is_told_a_shape_where_the_model_has_none() -> None:
    value = np.array([[-1.0, 2.0]], np.float32)
    model = parse("g (float[1, 2] x) => (float[1, 2] y) { y = Relu (x) }")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    assert run("tvm", model, value).tolist() == [[0.0, 2.0]]


def test_mnn_keeps_no_fourth_dimension_behind_a_convolution() -> None:
    value, weight = np.ones((1, 2, 5), np.float32), np.ones((3, 2, 1), np.float32)
    model = parse("g (float[1, 2, 5] x) => (float[1, 3, 5] y) { y = Conv (x, w) }")
    model.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    got = run("mnn", model, value)
    assert got.shape == (1, 3, 5)
    assert (got == 2).all()
