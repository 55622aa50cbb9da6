from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_cumsum(exclusive: int, reverse: int, axis: int) -> None:
    proto = parse(
        f"""g (float[n,3,m] x) => (float[n,3,m] y) <int64 axis = {{{axis}}}> {{
            y = CumSum<exclusive = {exclusive}, reverse = {reverse}>(x, axis)
        }}""",
        11,
    )
    after = pin(proto, 9)
    assert ops(after)["Scan"] == 1
    assert_same(proto, after, limit=1e-6)
    assert_same(proto, after, {"x": np.array([[[np.inf, 1], [2, np.nan], [3, 4]]], np.float32)})


def test_cumsum_of_static_shape_needs_one_constant_and_one_scan() -> None:
    proto = parse("g (int32[2,3] x) => (int32[2,3] y) <int32 axis = {1}> { y = CumSum(x, axis) }", 14)
    after = pin(proto, 10)
    assert ops(after) == {"ConstantOfShape": 1, "Scan": 1, "Add": 1, "Identity": 1}
    assert_same(proto, after)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
def test_an_axis_of_run_time_is_chosen_then(axis: int) -> None:
    proto = parse("g (int64[2,3,4] x, int32 axis) => (int64[2,3,4] y) { y = CumSum(x, axis) }", 11)
    after = pin(proto, 9)
    assert ops(after)["Scan"] == 3
    given: Arrays = {"x": np.arange(24).reshape(2, 3, 4), "axis": np.array(axis, np.int32)}
    assert_same(proto, after, given)


def test_one_dimension_has_one_axis() -> None:
    proto = parse("g (double[n] x, int64 axis) => (double[n] y) { y = CumSum(x, axis) }", 11)
    after = pin(proto, 9)
    assert ops(after)["Scan"] == 1
    assert_same(proto, after, {"x": np.arange(5.0), "axis": np.array(-1)})


@pytest.mark.parametrize(("exclusive", "reverse"), [(0, 0), (1, 0), (0, 1), (1, 1)])
def test_cumprod(exclusive: int, reverse: int) -> None:
    proto = parse(
        f"""g (float[2,n] x) => (float[2,n] y) <int64 axis = {{1}}> {{
            y = CumProd<exclusive = {exclusive}, reverse = {reverse}>(x, axis)
        }}""",
        26,
    )
    x = np.array([[2, 3, 0.5], [1, -1, 4]], np.float32)
    turned = x[:, ::-1] if reverse else x
    wanted = np.cumprod(turned, 1)
    if exclusive:
        wanted = np.concatenate([np.ones((2, 1), np.float32), wanted[:, :-1]], 1)
    wanted = wanted[:, ::-1] if reverse else wanted
    for target in (25, 9):
        np.testing.assert_allclose(outputs(pin(proto, target), {"x": x})["y"], wanted, rtol=1e-6)


def test_in_a_subgraph() -> None:
    proto = parse(
        """g (bool c, float[2,3] x) => (float[2,3] y) <int64 axis = {1}> {
            y = If (c) <
                then_branch = t () => (float[2,3] a) { a = CumSum(x, axis) },
                else_branch = e () => (float[2,3] b) { b = CumSum<reverse = 1>(x, axis) }
            >
        }""",
        11,
    )
    after = pin(proto, 9)
    assert ops(after)["Scan"] == 2
    for flag in (True, False):
        given: Arrays = {"c": np.array(flag), "x": np.ones((2, 3), np.float32)}
        assert_same(proto, after, given)


def test_an_unknown_rank_is_refused() -> None:
    proto = parse("g (float x, int64 axis) => (float y) { z = Reshape(x, x_shape) y = CumSum(z, axis) }", 11)
    proto.graph.input.add().CopyFrom(
        parse("g (int64[n] x_shape) => (int64[n] q) { q = Identity(x_shape) }").graph.input[0]
    )
    refused(proto, 10, "the rank of")
