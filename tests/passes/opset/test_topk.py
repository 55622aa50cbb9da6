from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

TIES = np.array([[3, 1, 3, 2, 1], [0, 0, 5, 5, 4]])


def topk(kind: str, *, largest: int = 1, ordered: int = 1, axis: int = -1, opset: int = 11) -> str:
    return f"""
        g ({kind}[2,5] x) => ({kind}[2,3] y, int64[2,3] i) <int64[1] k = {{3}}> {{
            y, i = TopK<axis = {axis}, largest = {largest}, sorted = {ordered}>(x, k)
        }}"""


@pytest.mark.parametrize("kind", ["float", "double"])
@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [-1, 1])
def test_there_and_back(kind: str, largest: int, axis: int) -> None:
    proto = parse(topk(kind, largest=largest, axis=axis), 11)
    x = {"x": TIES.astype("float32" if kind == "float" else "float64")}
    for target in (10, 9):
        after = pin(proto, target)
        assert_same(proto, after, x)
        assert_same(proto, pin(after, 28), x)
    assert len(pin(proto, 9).graph.node[0 if largest else 1].input) == 1


def test_signs_of_zero_and_infinities_survive() -> None:
    proto = parse(topk("float", largest=0), 11)
    x = np.array([[0.0, -0.0, np.inf, -np.inf, 1], [-0.0, 0.0, 2, 3, np.inf]], np.float32)
    after = pin(proto, 9)
    assert ops(after) == {"Neg": 2, "TopK": 1}
    assert_same(proto, after, {"x": x})


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "uint32"])
@pytest.mark.parametrize("largest", [0, 1])
def test_integers(kind: str, largest: int) -> None:
    proto = parse(topk(kind, largest=largest), 11)
    x = TIES.astype(kind)
    x[0, 0], x[1, 4] = np.iinfo(kind).min, np.iinfo(kind).max
    for target in (10, 9):
        assert_same(proto, pin(proto, target), {"x": x})


def test_int64_is_refused() -> None:
    refused(parse(topk("int64"), 11), 10, "int64.* is not admitted")


def test_values_that_are_not_wanted() -> None:
    proto = parse("g (int32[5] x) => (int64[2] i) <int64[1] k = {2}> { , i = TopK<largest = 0>(x, k) }", 11)
    after = pin(proto, 9, check=False)
    assert ops(after) == {"Cast": 1, "Neg": 1, "TopK": 1}


def test_unsorted_is_sorted_there() -> None:
    after = pin(parse(topk("float", ordered=0), 11), 10)
    assert [item.name for item in after.graph.node[0].attribute] == ["axis"]


def test_other_axes_need_a_rank() -> None:
    text = """
        g (float[n] x, int64[m] s) => (float[p,q] y, int64[p,q] i) <int64[1] k = {1}> {
            r = Reshape(x, s)
            y, i = TopK<axis = -2>(r, k)
        }"""
    refused(parse(text, 11), 10, "its axis -2 counts from the back")
    pin(parse(text.replace("-2", "-1"), 11), 10)


def test_k_of_run_time_is_refused() -> None:
    proto = parse("g (float[5] x, int64[1] k) => (float[n] y, int64[n] i) { y, i = TopK(x, k) }", 11)
    pin(proto, 10)
    refused(proto, 9, r"its k \(k\) is computed at run time")


def test_bfloat16_stops_at_24() -> None:
    proto = parse("g (bfloat16[5] x) => (bfloat16[1] y, int64[1] i) <int64[1] k = {1}> { y, i = TopK(x, k) }", 24)
    refused(proto, 23, "bfloat16")
