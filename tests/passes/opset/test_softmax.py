"""Softmax, LogSoftmax and Hardmax across opset 13."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

OPERATORS = ("Softmax", "LogSoftmax", "Hardmax")


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        ("", "2,3,4", {}),
        ("<axis=2>", "2,3,4", {}),
        ("<axis=1>", "2,3,4", {"Transpose": 2}),
        ("<axis=-3>", "N,3,4", {"Transpose": 2}),
        ("<axis=1>", "N,3,1,1", {}),
        ("<axis=1>", "N,3,1,W", {"Transpose": 2}),
    ],
)
def test_down(op: str, axis: str, shape: str, expected: dict[str, int]) -> None:
    before = parse(f"g (float[{shape}] x) => (float[{shape}] y) {{ y = {op}{axis}(x) }}")
    after = pin(before, 11)
    assert ops(after) == {op: 1, **expected}
    assert_same(before, after, limit=1e-6)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(
    ("axis", "shape", "expected"),
    [
        ("", "2,3", {}),
        ("<axis=2>", "2,3,4", {}),
        ("<axis=1>", "N,3,1,1", {}),
        ("", "2,3,4", {"Flatten": 1, "Reshape": 1}),
        ("<axis=0>", "2,3,4", {"Flatten": 1, "Reshape": 1}),
        ("<axis=-2>", "N,3,4", {"Flatten": 1, "Shape": 1, "Reshape": 1}),
    ],
)
def test_up(op: str, axis: str, shape: str, expected: dict[str, int]) -> None:
    before = parse(f"g (float[{shape}] x) => (float[{shape}] y) {{ y = {op}{axis}(x) }}", opset=11)
    after = pin(before, 21)
    assert ops(after) == {op: 1, **expected}
    assert_same(before, after, limit=1e-6)


def test_axis_is_said_either_way() -> None:
    down = pin(parse("g (float[2,3] x) => (float[2,3] y) { y = Softmax(x) }"), 12)
    assert [(item.name, item.i) for item in down.graph.node[0].attribute] == [("axis", -1)]
    up = pin(parse("g (float[2,3] x) => (float[2,3] y) { y = Softmax(x) }", opset=12), 13)
    assert [(item.name, item.i) for item in up.graph.node[0].attribute] == [("axis", 1)]


def test_unknown_rank() -> None:
    unknown = "g (float[2,3] x, int64[K] s) => (float[] y) { a = Reshape(x, s) y = Softmax<axis=AXIS>(a) }"
    # Then it is written out with the operator's own definition, which needs none.
    written = pin(parse(unknown.replace("AXIS", "1")), 12, check=False)
    assert "Softmax" not in ops(written)
    assert ops(pin(parse(unknown.replace("AXIS", "-1")), 12, check=False)) == {"Reshape": 1, "Softmax": 1}


def test_unknown_rank_up() -> None:
    before = parse(
        "g (float[2,3,4] x, int64[K] s) => (float[a,b,c] y) { a = Reshape(x, s) y = Softmax<axis=1>(a) }", opset=12
    )
    after = pin(before, 13)
    assert ops(after) == {"Reshape": 2, "Flatten": 1, "Shape": 1, "Softmax": 1}
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    assert_same(before, after, {"x": x, "s": np.array([4, 3, 2])}, limit=1e-6)


def test_bfloat16_is_refused() -> None:
    model = parse("g (bfloat16[2,3] x) => (bfloat16[2,3] y) { y = Softmax<axis=0>(x) }")
    refused(model, 12, r"Softmax \(.*\) stops at opset 13: .*tensor\(bfloat16\) is not admitted")


def test_axis_outside() -> None:
    refused(parse("g (float[3] x) => (float[3] y) { y = Softmax(x) }", opset=11), 13, "axis 1 lies outside")


def test_in_a_subgraph() -> None:
    before = parse(
        "g (bool c, float[2,3,4] x) => (float[2,3,4] y) { y = If(c) <"
        " then_branch = t () => (float[2,3,4] a) { a = Softmax<axis=1>(x) },"
        " else_branch = e () => (float[2,3,4] b) { b = Identity(x) } > }"
    )
    after = pin(before, 12)
    assert ops(after) == {"If": 1, "Softmax": 1, "Transpose": 2, "Identity": 1}
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    assert_same(before, after, {"c": np.array(True), "x": x}, limit=1e-6)
