from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import numpy_helper

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

NAN, INF = float("nan"), float("inf")
X = {"x": np.array([NAN, INF, -INF, 0.0, -0.0, 3.5, -3.5, 1e30], np.float32)}
BOUNDS = st.sampled_from([None, -2.0, 0.0, 0.1, 3.0, INF, -INF, NAN])


def clip(kind: str, low: float | None, high: float | None, opset: int = 13, size: int = 8) -> onnx.ModelProto:
    names = f"{'a' if low is not None else ''}, {'b' if high is not None else ''}" if high is not None else "a"
    text = "x" if low is None and high is None else f"x, {names}"
    proto = parse(f"g ({kind}[{size}] x) => ({kind}[{size}] y) {{ y = Clip({text}) }}", opset)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(proto.graph.input[0].type.tensor_type.elem_type)
    for name, value in (("a", low), ("b", high)):
        if value is not None:
            proto.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
    return proto


@settings(max_examples=30, deadline=None)
@given(low=BOUNDS, high=BOUNDS)
def test_floats(low: float | None, high: float | None) -> None:
    proto = clip("float", low, high)
    for target in (11, 9, 28):
        after = pin(proto, target)
        if NAN not in (low, high) and not any(bound != bound for bound in (low, high) if bound is not None):
            assert_same(proto, after, X)
            assert_same(proto, pin(after, 28), X)


def test_bounds_become_attributes() -> None:
    after = pin(clip("float", 0.0, 6.0), 9)
    assert {item.name: item.f for item in after.graph.node[0].attribute} == {"min": 0.0, "max": 6.0}
    assert not pin(clip("float", None, None), 9).graph.node[0].attribute
    up = pin(after, 28)
    assert len(up.graph.node[0].input) == 3
    assert not up.graph.node[0].attribute


def test_bounds_of_run_time_become_max_and_min() -> None:
    proto = parse("g (float[8] x, float a, float b) => (float[8] y) { y = Clip(x, a, b) }", 13)
    after = pin(proto, 9)
    assert ops(after) == {"Max": 1, "Min": 1}
    for low, high in ((-1.0, 1.0), (2.0, 1.0)):
        bounds = {"a": np.array(low, np.float32), "b": np.array(high, np.float32)}
        assert_same(proto, after, {**X, **bounds})
    only = parse("g (float[8] x, float b) => (float[8] y) { y = Clip(x, , b) }", 13)
    assert ops(pin(only, 9)) == {"Min": 1}
    assert_same(only, pin(only, 9), {"x": X["x"][3:].repeat(2)[:8], "b": np.array(1.0, np.float32)})


def test_doubles_keep_bounds_that_no_float_holds() -> None:
    x = {"x": np.array([-1e300, 1e300, 0.05, 0.3, 1.0, 2.0, -2.0, 0.0])}
    for low, high in ((0.1, 0.2), (None, 0.1), (0.5, 1.0), (None, None)):
        proto = clip("double", low, high)
        assert_same(proto, pin(proto, 9), x)
    assert ops(pin(clip("double", 0.1, None), 9)) == {"Max": 1, "Min": 1}
    assert ops(pin(clip("double", 0.5, 1.0), 9)) == {"Clip": 1}


def test_attributes_of_doubles_and_halves() -> None:
    proto = parse("g (double[2] x) => (double[2] y) { y = Clip(x) }", 9)
    after = pin(proto, 11)
    assert [float(numpy_helper.to_array(item)) for item in after.graph.initializer] == [
        float(np.finfo(np.float32).min),
        float(np.finfo(np.float32).max),
    ]
    half = parse("g (float16[2] x) => (float16[2] y) { y = Clip<min = -2.5>(x) }", 9)
    up = pin(half, 11)
    assert list(up.graph.node[0].input[:1]) == ["x"]
    assert numpy_helper.to_array(up.graph.initializer[0]) == np.float16(-2.5)
    down = pin(up, 9)
    limit = float(np.finfo(np.float16).max)
    assert {item.name: item.f for item in down.graph.node[0].attribute} == {"min": -2.5, "max": limit}


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("bounds", [(2, 5), (5, 2), (2, None), (None, 5), (None, None)])
def test_integers(kind: str, bounds: tuple[int | None, int | None]) -> None:
    proto = clip(kind, *bounds, size=6)
    limits = np.iinfo(kind)
    x = {"x": np.array([limits.min, limits.max, 1, 3, 6, 5], kind)}
    for target in (11, 9):
        after = pin(proto, target)
        assert_same(proto, after, x)


def test_integer_bounds_of_run_time() -> None:
    for kind in ("uint8", "int32", "uint32"):
        proto = parse(f"g ({kind}[3] x, {kind} a, {kind} b) => ({kind}[3] y) {{ y = Clip(x, a, b) }}", 13)
        after = pin(proto, 9)
        inputs = {"x": np.array([1, 5, 200], kind), "a": np.array(3, kind), "b": np.array(7, kind)}
        assert_same(proto, after, inputs)


def test_overridable_bounds_are_no_attributes() -> None:
    proto = parse("g (float[2] x, float a) => (float[2] y) <float a = {1}> { y = Clip(x, a) }", 13)
    assert ops(pin(proto, 9)) == {"Max": 1}


def test_bfloat16_stops_at_13() -> None:
    refused(parse("g (bfloat16[2] x) => (bfloat16[2] y) { y = Clip(x) }", 13), 12, "bfloat16")


def test_an_unknown_type_is_refused() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { a = other.Op(x)  y = Clip(a) }", 12, more=', "other" : 1')
    refused(proto, 9, 'the type of "a" is not known')
