"""Which tensors are known to be the same in every run, and so may become attributes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from graphkit.errors import PassRefused
from graphkit.model import Model
from graphkit.passes.pin_opset import PinOpset
from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused

RUN_TIME = "computed at run time, and are an attribute there"


def axes_of(proto: onnx.ModelProto) -> list[int]:
    """What ReduceSum's axes became."""
    node = next(node for node in proto.graph.node if node.op_type == "ReduceSum")
    return next(list(item.ints) for item in node.attribute if item.name == "axes")


def total(axes: str, head: str = "") -> onnx.ModelProto:
    """A sum over `axes`, which the nodes in `axes` make from the initializers in `head`."""
    return parse(f"g (float[2, 3, 4] x) => (float[a, b, c] y) {head} {{ {axes} y = ReduceSum(x, axes) }}", 18)


@pytest.mark.parametrize(
    ("axes", "head", "expected"),
    [
        ("", "<int64[2] axes = {0, 2}>", [0, 2]),
        ("axes = Constant<value = int64[1] {1}>()", "", [1]),
        ("axes = Constant<value_ints = [1, 2]>()", "", [1, 2]),
        ("axes = Identity(a)", "<int64[1] a = {1}>", [1]),
        ("axes = Cast<to = 7>(a)", "<int32[1] a = {1}>", [1]),
        ("axes = Concat<axis = 0>(a, b)", "<int64[1] a = {1}, int64[1] b = {2}>", [1, 2]),
        ("axes = Unsqueeze(a, zero)", "<int64 a = {2}, int64[1] zero = {0}>", [2]),
        ("s = Shape(x) axes = Slice(s, z, o)", "<int64[1] z = {0}, int64[1] o = {1}>", [2]),
        ("s = Shape<start = 0, end = 1>(x) axes = Sub(s, o)", "<int64[1] o = {1}>", [1]),
        ("s = Shape(x) g = Gather(s, i) axes = Reshape(g, o)", "<int64 i = {0}, int64[1] o = {1}>", [2]),
        ("axes = Div(a, b)", "<int64[1] a = {-3}, int64[1] b = {2}>", [-1]),  # integers are divided towards zero
    ],
)
def test_constants_are_found(axes: str, head: str, expected: list[int]) -> None:
    proto = total(axes, head)
    after = pin(proto, 11)
    assert [axis % 3 for axis in axes_of(after)] == [axis % 3 for axis in expected]
    assert_same(proto, after)


@pytest.mark.parametrize(
    "proto",
    [
        parse("g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceSum(x, axes) }", 18),
        parse("g (float[2, N] x) => (float[a, b] y) { s = Shape<start = 1>(x) y = ReduceSum(x, s) }", 18),
        parse("g (float[2, 3] x, int64[1] a) => (float[c, b] y) { s = Identity(a) y = ReduceSum(x, s) }", 18),
        parse("g (float[2, 3] x) => (float[a, b] y) { s = my.Axes(x) y = ReduceSum(x, s) }", 18, more=', "my" : 1'),
    ],
)
def test_what_is_computed_at_run_time_is_not(proto: onnx.ModelProto) -> None:
    refused(proto, 11, RUN_TIME)


@pytest.mark.parametrize("ir", [3, 8])
def test_an_initializer_that_is_an_input_can_be_overridden(ir: int) -> None:
    proto = parse("g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceSum(x, axes) }", 18, ir=ir)
    proto.graph.initializer.append(numpy_helper.from_array(np.array([1]), "axes"))
    refused(proto, 11, RUN_TIME)


def test_nothing_follows_from_the_value_of_an_initializer_that_is_an_input() -> None:
    """The shape that Reshape gives is that of the default value only."""
    nodes = "r = Reshape(x, s) t = Shape(r) u = Sub(t, t) y = ReduceSum(r, u)"
    proto = parse(f"g (float[8] x, int64[1] s) => (float[a] y) {{ {nodes} }}", 18)
    proto.graph.initializer.append(numpy_helper.from_array(np.array([8]), "s"))
    refused(proto, 11, RUN_TIME)


def test_a_constant_in_a_file_is_read(tmp_path: Path) -> None:
    proto = total("", "<int64[1] axes = {1}>")
    tensor = proto.graph.initializer[0]
    tensor.CopyFrom(numpy_helper.from_array(np.array([1]), "axes"))
    external_data_helper.set_external_data(tensor, "weights.bin")
    external_data_helper.save_external_data(tensor, str(tmp_path))
    tensor.ClearField("raw_data")
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    model = Model.load(path)
    PinOpset(opset=11).run(model)
    assert axes_of(model.proto()) == [1]


def test_large_constants_are_not_looked_at() -> None:
    """Axes never have a hundred thousand entries; weights do."""
    proto = parse("g (float[2, 3] x, int64[1] axes) => (float[a, b] y) { y = ReduceSum(x, axes) }", 18)
    del proto.graph.input[1]
    tensor = helper.make_tensor("axes", TensorProto.INT64, [100_000], np.zeros(100_000, np.int64))
    proto.graph.initializer.append(tensor)
    refused(proto, 11, RUN_TIME)


def test_a_long_chain_ends_in_a_value_or_a_refusal() -> None:
    """The walk back is cut off before Python's stack is."""
    chain = " ".join(f"a{index + 1} = Identity(a{index})" for index in range(3000))
    model = Model(total(f"{chain} axes = Identity(a3000)", "<int64[1] a0 = {1}>"))
    try:
        PinOpset(opset=11).run(model)
    except PassRefused as error:
        assert RUN_TIME in str(error)
    else:
        assert axes_of(model.proto()) == [1]
