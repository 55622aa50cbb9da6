"""Reshape: allowzero."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

RUN_TIME = "g (float[N,4] x, int64[K] s) => (float[] y) { y = Reshape<allowzero=1>(x, s) }"


@pytest.mark.parametrize("text", [
    "g (float[2,6] x) => (float[3,4] y) <int64[2] s = {3, 4}> { y = Reshape<allowzero=1>(x, s) }",
    "g (float[N,6] x) => (float[M,3] y) <int64[2] s = {-1, 3}> { y = Reshape<allowzero=1>(x, s) }",
    "g (float[2,6] x, int64[2] s) => (float[a,b] y) { y = Reshape<allowzero=1>(x, s) }",
    "g (float[0,6] x) => (float[0,3] y) <int64[2] s = {0, 3}> { y = Reshape<allowzero=1>(x, s) }",
    "g (float[2,6] x) => (float[2,6] y) <int64[2] s = {0, 6}> { y = Reshape<allowzero=0>(x, s) }",
])  # fmt: skip
def test_says_nothing(text: str) -> None:
    after = pin(parse(text), 13)
    assert ops(after) == {"Reshape": 1}
    assert not after.graph.node[0].attribute


@pytest.mark.parametrize("sizes", [
    (3, [4, 3]), (3, [2, -1]), (0, [0, 3]), (0, [3, 0]), (0, [5, 0, 0]), (0, [-1, 4]), (2, [2, 2, 2, 1]),
    (2, [8]), (0, [0]),
])  # fmt: skip
def test_run_time_shapes(sizes: tuple[int, list[int]]) -> None:
    """A zero is copied from a dimension that is zero whenever there are zeros."""
    count, shape = sizes
    before = parse(RUN_TIME.replace("K", str(len(shape))))
    after = pin(before, 13, check=False)
    x = np.arange(count * 4, dtype=np.float32).reshape(count, 4)
    assert_same(before, after, {"x": x, "s": np.array(shape)})


def test_a_zero_in_another_place() -> None:
    before = parse("g (float[N,4] x) => (float[3,0] y) <int64[2] s = {3, 0}> { y = Reshape<allowzero=1>(x, s) }")
    after = pin(before, 13)
    assert_same(before, after, {"x": np.zeros((0, 4), np.float32)})


def test_refused_where_not_even_the_rank_is_known() -> None:
    refused(parse(RUN_TIME), 13, "its allowzero=1 does not exist there, and how many sizes")


def test_an_initializer_that_can_be_overridden_is_no_constant() -> None:
    text = "g (float[N,6] x, int64[2] s = {3, 4}) => (float[a,b] y) { y = Reshape<allowzero=1>(x, s) }"
    assert ops(pin(parse(text), 13))["Expand"] == 1
