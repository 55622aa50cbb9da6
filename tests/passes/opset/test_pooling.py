"""Pooling: ceil_mode and dilations."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def model(op: str, attributes: str, size: int | str = 7, opset: int = 22, kind: str = "float") -> onnx.ModelProto:
    return parse(
        f"g ({kind}[1,2,{size},{size}] x) => ({kind}[1,2,h,w] y) {{ y = {op}<kernel_shape=[3,3]{attributes}>(x) }}",
        opset=opset,
        ir=10,
    )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["MaxPool", "AveragePool"]),
    st.integers(3, 9),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_ceil_mode_becomes_padding(op: str, size: int, stride: int, start: int, end: int) -> None:
    before = model(op, f", ceil_mode=1, strides=[{stride},{stride}], pads=[{start},{start},{end},{end}]", size)
    after = pin(before, 9)
    assert ops(after) == {op: 1}
    assert "ceil_mode" not in {item.name for item in after.graph.node[0].attribute}
    assert_same(before, after, limit=1e-6)
    assert_same(before, pin(before, 11), limit=1e-6)


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER", "VALID"])
def test_ceil_mode_with_automatic_padding(auto: str) -> None:
    before = model("MaxPool", f', ceil_mode=1, strides=[2,2], auto_pad="{auto}"', 8)
    assert_same(before, pin(before, 9))


def test_ceil_mode_with_unknown_sizes() -> None:
    safe = model("MaxPool", ", ceil_mode=1, strides=[2,2], pads=[1,1,1,1]", "N")
    after = pin(safe, 10)
    assert {item.name for item in after.graph.node[0].attribute} >= {"ceil_mode"}
    refused(safe, 9, "stops at opset 10: its ceil_mode=1 does not exist there, and the size of its input")
    unsafe = model("MaxPool", ", ceil_mode=1, strides=[4,4]", "N")
    refused(unsafe, 21, "stops at opset 22")
    assert ops(pin(model("MaxPool", ", ceil_mode=1, strides=[1,1]", "N"), 9)) == {"MaxPool": 1}


def test_an_average_that_counts_padding() -> None:
    """Padding that is added for rounding up does not count, so the average is a sum, divided."""
    for size in (7, 8):
        before = model("AveragePool", ", ceil_mode=1, strides=[2,2], count_include_pad=1, pads=[1,0,0,1]", size)
        after = pin(before, 9)
        assert ops(after) == {"Reshape": 2, "Conv": 1, "Div": 1}
        assert_same(before, after, limit=1e-6)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "LpPool"])
def test_dilations_of_one(op: str) -> None:
    ones = model(op, ", dilations=[1,1]")
    after = pin(ones, 9)
    assert [item.name for item in after.graph.node[0].attribute] == ["kernel_shape"]
    assert_same(ones, after, limit=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["AveragePool", "LpPool"]),
    st.sampled_from(["", ", ceil_mode=1"]),
    st.sampled_from(["", ", count_include_pad=1"]),
    st.sampled_from(["", ", pads=[1,0,2,1]", ', auto_pad="VALID"']),
    st.integers(1, 3),
    st.integers(6, 9),
)
def test_dilations(op: str, ceil: str, include: str, pads: str, stride: int, size: int) -> None:
    more = f", dilations=[2,1], strides=[{stride},{stride}]{ceil}{pads}" + (include if op == "AveragePool" else "")
    before = model(op, more, size, opset=19)
    after = pin(before, 9)
    assert op not in ops(after)
    assert_same(before, after, limit=1e-5)


def test_dilations_with_unknown_sizes() -> None:
    before = model("AveragePool", ", dilations=[2,2]", "N", opset=19)
    assert_same(
        before, pin(before, 9), {"x": np.random.default_rng(0).normal(size=(1, 2, 7, 7)).astype(np.float32)}, limit=1e-6
    )
    refused(model("AveragePool", ", dilations=[2,2], pads=[1,1,1,1]", "N"), 9, "its padding does not count")
    same = model("AveragePool", ', dilations=[2,2], auto_pad="SAME_UPPER"')
    refused(same, 9, "with its dilations, auto_pad=SAME_UPPER is read in different ways")
    refused(model("MaxPool", ", dilations=[1,2]"), 9, r"its attribute dilations=\[1, 2\] does not exist there")


def test_bytes() -> None:
    before = model("MaxPool", ", pads=[1,1,1,1]", opset=12, kind="int8")
    after = pin(before, 11)
    assert ops(after) == {"Cast": 2, "MaxPool": 1}
    assert_same(before, after)


def test_indices_are_those_of_the_input() -> None:
    before = parse(
        "g (float[1,2,8,8] x) => (float[1,2,h,w] y, int64[1,2,h,w] i) "
        "{ y, i = MaxPool<kernel_shape=[3,3], strides=[2,2], ceil_mode=1>(x) }"
    )
    assert_same(before, pin(before, 9))
