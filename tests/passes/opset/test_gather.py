from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def test_constant_indices_are_counted_from_the_front() -> None:
    proto = parse("g (float[3,4] x) => (float[3,2] y) <int32[2] i = {-1, 1}> { y = Gather<axis = -1>(x, i) }", 13)
    after = pin(proto, 9)
    assert ops(after) == {"Gather": 1}
    assert after.graph.node[0].attribute[0].i == 1
    assert_same(proto, after)
    assert_same(proto, pin(after, 28))


@pytest.mark.parametrize("kind", ["int32", "int64"])
@pytest.mark.parametrize("rows", ["3", "n"])
@pytest.mark.parametrize("shape", ["", "[2]", "[2,1]"])
def test_indices_of_run_time_are_counted_where_they_are(kind: str, rows: str, shape: str) -> None:
    out = {"": "[4]", "[2]": "[2,4]", "[2,1]": "[2,1,4]"}[shape]
    proto = parse(f"g (float[{rows},4] x, {kind}{shape} i) => (float{out} y) {{ y = Gather(x, i) }}", 13)
    after = pin(proto, 9)
    size = np.prod([int(part) for part in shape.strip("[]").split(",") if part], dtype=int)
    index = np.array([-1, 2])[:size].reshape([int(part) for part in shape.strip("[]").split(",") if part]).astype(kind)
    assert_same(proto, after, {"x": X, "i": index})


def test_a_constant_index_along_an_axis_of_unknown_size() -> None:
    proto = parse("g (float[n,4] x) => (float[4] y) <int64 i = {-1}> { y = Gather(x, i) }", 13)
    assert_same(proto, pin(proto, 9), {"x": X})


def test_what_cannot_be_negative_stays() -> None:
    proto = parse(
        """
        g (float[3,4] x) => (float[4,4] y, int64[1] z) <int64[1] zero = {0}> {
            best = ArgMax<axis = 0>(x)
            row = Squeeze(best, zero)
            wide = Cast<to = 7>(row)
            y = Gather(x, wide)
            size = Shape(x)
            z = Gather(size, zero)
        }""",
        13,
    )
    after = pin(proto, 9)
    assert "Where" not in ops(after)
    assert_same(proto, after)


@pytest.mark.parametrize("depth", ["int64 d = {4}", "int64[1] d = {4}", "float d = {4}"])
@pytest.mark.parametrize("axis", [-1, 0, -2])
def test_one_hot(depth: str, axis: int) -> None:
    proto = parse(
        f"""
        g (int64[5] i) => (float[m,n] y) <{depth}, float[2] v = {{0, 1}}> {{ y = OneHot<axis = {axis}>(i, d, v) }}""",
        11,
    )
    after = pin(proto, 9)
    for values in ([0, 1, 3, 4, 9], [-1, -4, -5, -8, -9]):
        assert_same(proto, after, {"i": np.array(values)})


def test_one_hot_of_floats_and_a_depth_of_run_time() -> None:
    proto = parse("g (float[3] i, int64 d) => (int64[3,n] y) <int64[2] v = {2, 7}> { y = OneHot(i, d, v) }", 11)
    after = pin(proto, 9)
    assert_same(proto, after, {"i": np.array([-1.0, 1.0, 5.0], np.float32), "d": np.array(3)})


def test_one_hot_of_an_argmax_stays() -> None:
    proto = parse(
        """
        g (float[3,4] x) => (float[3,4] y) <int64 d = {4}, float[2] v = {0, 1}> {
            i = ArgMax<axis = 1, keepdims = 0>(x)
            y = OneHot(i, d, v)
        }""",
        13,
    )
    after = pin(proto, 9)
    assert ops(after) == {"ArgMax": 1, "OneHot": 1}
    assert_same(proto, after)
    assert_same(proto, pin(after, 28))


def test_one_hot_needs_a_rank_for_other_axes() -> None:
    text = """
        g (int64[n] x, int64[m] s) => (float[p,q] y) <int64 d = {4}, float[2] v = {0, 1}> {
            i = Reshape(x, s)
            y = OneHot<axis = -2>(i, d, v)
        }"""
    refused(parse(text, 11), 9, "its axis -2 counts from the back")
