"""The judge of benchmarks.opset: what it must not let pass, or the benchmark says nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from benchmarks.corpus_nodes import Case
from benchmarks.opset_judge import Judge, different
from tests.passes.helpers import parse

X = np.array([[-1.0, 2.0, 3.0], [4.0, -5.0, 6.0]], np.float32)


def case(proto: onnx.ModelProto, *outputs: Any) -> Case:
    """A node test of X with these expected outputs."""
    return Case("test", proto, (([X], list(outputs)),), 1e-3, 1e-7)


def text(node: str, kind: str = "float[2, 3]") -> str:
    return f"g (float[2, 3] x) => ({kind} y) {{ {node} }}"


RELU = text("y = Relu(x)")


@pytest.mark.parametrize("opset", [9, 13, 18])
def test_what_gives_the_expected_outputs_is_right(opset: int) -> None:
    judge = Judge(case(parse(RELU), np.maximum(X, 0)))
    verdict = judge.verdict(parse(RELU, opset))
    assert (verdict.kind, verdict.held_to) == ("right", "expected")


@pytest.mark.parametrize(
    ("model", "opset", "reason"),
    [
        (text("y = Abs(x)"), 13, "differs in 2 of 6 numbers"),
        (text("y = Relu(x)", "float[3, 2]"), 13, "onnx.checker"),
        (text("y = Relu<alpha = 1.0>(x)"), 13, "onnx.checker"),
        (text("y = Gelu(x)"), 13, "onnx.checker"),
        (text("z = Relu(x) y = Cast<to = 11>(z)", "double[2, 3]"), 13, "outputs changed"),
        (RELU.replace(" y", " z").replace("y =", "z ="), 13, "outputs changed"),
    ],
)
def test_what_does_not_is_wrong(model: str, opset: int, reason: str) -> None:
    verdict = Judge(case(parse(RELU), np.maximum(X, 0))).verdict(parse(model, opset))
    assert verdict.kind == "wrong"
    assert reason in verdict.why


def test_where_the_original_is_off_too_it_is_the_measure() -> None:
    judge = Judge(case(parse(RELU), np.maximum(X, 0) + 1))
    verdict = judge.verdict(parse(RELU, 13))
    assert (verdict.kind, verdict.held_to) == ("right", "original")
    assert judge.verdict(parse(text("y = Abs(x)"), 13)).kind == "wrong"


def test_random_operators_are_held_to_shapes() -> None:
    proto = parse(text("y = RandomNormalLike(x)"))
    verdict = Judge(case(proto, X)).verdict(parse(text("y = RandomNormalLike(x)"), 13))
    assert (verdict.kind, verdict.held_to) == ("right", "shapes")


def test_what_no_runtime_runs_is_not_judged() -> None:
    proto = parse(text("y = my.Relu(x)"), more=', "my" : 1')
    assert Judge(case(proto, X)).verdict(parse(text("y = my.Relu(x)"), 13, more=', "my" : 1')).kind == "unjudged"


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (np.array([1.0], np.float32), np.array([1.0005], np.float32), True),
        (np.array([1.0], np.float32), np.array([1.01], np.float32), False),
        (np.array([np.nan], np.float32), np.array([np.nan], np.float32), True),
        (np.array([1.0], np.float32), np.array([1.0], np.float64), False),
        (np.array([1, 2]), np.array([1, 3]), False),
        (np.zeros((2, 0), np.float32), np.zeros((0, 2), np.float32), False),
        (np.array(["a"]), np.array(["a"], object), True),
        (np.array(["a"]), np.array(["b"], object), False),
        ([X, X], [X, X], True),
        ([X], [X, X], False),
        (None, None, True),
        (None, X, False),
    ],
)
def test_comparing(one: Any, two: Any, same: bool) -> None:
    assert (different(one, two, 1e-3, 1e-7) == "") is same
