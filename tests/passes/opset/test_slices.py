from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.passes.opset.rules.slices import indices
from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

BOUNDS = st.sampled_from([-(2**63), -9, -4, -1, 0, 1, 3, 5, 8, 2**63 - 1])


@settings(max_examples=40, deadline=None)
@given(start=BOUNDS, end=BOUNDS, step=st.sampled_from([1, 2, 3, -1, -2]), known=st.booleans(), size=st.integers(0, 5))
def test_places_are_those_of_onnxruntime(start: int, end: int, step: int, known: bool, size: int) -> None:
    length = size if known else "n"
    proto = parse(
        f"""
        g (float[2,{length}] x) => (float[2,m] y)
        <int64[1] s = {{{start}}}, int64[1] e = {{{end}}}, int64[1] a = {{-1}}, int64[1] t = {{{step}}}> {{
            y = Slice(x, s, e, a, t)
        }}""",
        13,
    )
    inputs = {"x": np.arange(2 * size, dtype=np.float32).reshape(2, size)}
    assert_same(proto, pin(proto, 10), inputs)
    if step < 0 and end == 2**63 - 1:
        refused(proto, 9, "its end is the largest integer with a negative step")
    elif step > 0 or known:
        nine = pin(proto, 9)
        assert_same(proto, nine, inputs)
        assert_same(proto, pin(nine, 28), inputs)
    else:
        refused(proto, 9, "its step of .* does not exist there, and the size of axis 1")


@settings(max_examples=25, deadline=None)
@given(start=BOUNDS, end=BOUNDS, step=st.sampled_from([1, 2, 3]), wide=st.booleans())
def test_bounds_of_run_time(start: int, end: int, step: int, wide: bool) -> None:
    kind = "int64" if wide else "int32"
    proto = parse(
        f"""
        g (float[5,2] x, {kind}[1] s, {kind}[1] e) => (float[m,2] y) <{kind}[1] a = {{-2}}, {kind}[1] t = {{{step}}}> {{
            y = Slice(x, s, e, a, t)
        }}""",
        13,
    )
    bounds = np.clip([[start], [end]], -(2**31), 2**31 - 1).astype(kind) if not wide else np.array([[start], [end]])
    inputs = {"x": np.arange(10, dtype=np.float32).reshape(5, 2), "s": bounds[0], "e": bounds[1]}
    assert_same(proto, pin(proto, 9), inputs)


def test_places() -> None:
    assert indices(5, -1, -(2**63), -2) == [4, 2, 0]
    assert indices(5, 3, -1, -1) == []
    assert indices(0, 0, 9, 1) == indices(0, -1, -(2**63), -1) == []


def test_plain_bounds_become_attributes() -> None:
    proto = parse(
        "g (float[4,5] x) => (float[2,3] y) <int64[2] s = {1, -3}, int64[2] e = {3, 9}> { y = Slice(x, s, e) }", 13
    )
    after = pin(proto, 9)
    assert ops(after) == {"Slice": 1}
    assert sorted((item.name, list(item.ints)) for item in after.graph.node[0].attribute) == [
        ("axes", [0, 1]),
        ("ends", [3, 9]),
        ("starts", [1, -3]),
    ]
    assert_same(proto, after)
    assert_same(proto, pin(after, 28))


def test_only_the_axes_with_a_step_are_gathered() -> None:
    proto = parse(
        """
        g (float[4,6] x) => (float[2,3] y)
        <int64[2] s = {1, 5}, int64[2] e = {3, -7}, int64[2] a = {0, 1}, int64[2] t = {1, -2}> {
            y = Slice(x, s, e, a, t)
        }""",
        13,
    )
    after = pin(proto, 9)
    assert ops(after) == {"Gather": 1, "Slice": 1}
    assert_same(proto, after)


def test_axes_of_run_time_are_counted_from_the_front() -> None:
    proto = parse(
        "g (float[4,6] x, int64[1] a) => (float[m,n] y) <int64[1] s = {1}, int64[1] e = {3}> { y = Slice(x, s, e, a) }",
        13,
    )
    after = pin(proto, 10)
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    for axis in (-1, -2, 0, 1):
        assert_same(proto, after, {"x": x, "a": np.array([axis])})
    refused(proto, 9, r"its axes \(.*\) are computed at run time")


def test_steps_of_run_time_are_refused() -> None:
    proto = parse(
        """
        g (float[4] x, int64[1] t) => (float[n] y) <int64[1] s = {1}, int64[1] e = {3}, int64[1] a = {0}> {
            y = Slice(x, s, e, a, t)
        }""",
        13,
    )
    pin(proto, 10)
    refused(proto, 9, r"its steps \(t\)")


def test_axes_without_a_rank_are_counted_at_run_time() -> None:
    proto = parse(
        """
        g (float[12] x, int64[n] r) => (float[p,q] y) <int64[1] s = {1}, int64[1] e = {3}, int64[1] a = {-1}> {
            z = Reshape(x, r)
            y = Slice(z, s, e, a)
        }""",
        13,
    )
    inputs = {"x": np.arange(12, dtype=np.float32), "r": np.array([3, 4])}
    assert_same(proto, pin(proto, 10), inputs)
    refused(proto, 9, "stops at opset 10")


@pytest.mark.parametrize("kind", ["bool", "int64"])
def test_other_types(kind: str) -> None:
    proto = parse(
        f"g ({kind}[4] x) => ({kind}[2] y) <int64[1] s = {{1}}, int64[1] e = {{3}}> {{ y = Slice(x, s, e) }}", 13
    )
    assert_same(proto, pin(proto, 9))


def test_bfloat16_stops_at_13() -> None:
    proto = parse(
        "g (bfloat16[4] x) => (bfloat16[2] y) <int64[1] s = {1}, int64[1] e = {3}> { y = Slice(x, s, e) }", 13
    )
    refused(proto, 12, "bfloat16")
