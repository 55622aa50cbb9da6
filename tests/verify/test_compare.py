from __future__ import annotations

import re
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from graphkit.numerics import Numerics
from graphkit.verify import Comparison, compare
from graphkit.verify.comparing import SIGMOID_ERROR, outputs_of_sigmoids


def f32(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def held(expected: Any, got: Any) -> Comparison:
    return compare("y", "other", "random", np.asarray(expected), np.asarray(got))


def raw_output(seed: int = 0) -> Any:
    """[1, 84, 8400]: boxes in pixels, few scores that are not nearly 0."""
    rng = np.random.default_rng(seed)
    value = np.concatenate([rng.uniform(0, 640, (1, 4, 8400)), rng.random((1, 80, 8400)) ** 40], axis=1)
    return value.astype(np.float32)


def test_identical_means_every_bit() -> None:
    assert held(f32([1, np.nan, np.inf]), f32([1, np.nan, np.inf])).identical
    assert not held(f32([0.0]), f32([-0.0])).identical
    assert not held(f32([1]), np.nextafter(f32([1]), np.float32(2))).identical


def test_exact_takes_nothing_less() -> None:
    near = held(f32([1]), np.nextafter(f32([1]), np.float32(2)))
    assert not near.meets(Numerics.EXACT)
    assert near.meets(Numerics.CLOSE)


@pytest.mark.parametrize("transposed", [False, True])
def test_scores_scaled_by_a_hundredth_are_caught_beside_pixels(transposed: bool) -> None:
    expected = raw_output()
    got = expected.copy()
    got[:, 4:] *= np.float32(1.01)
    whole = np.linalg.norm(got - expected) / np.linalg.norm(expected)
    assert whole < 1e-4  # what one number over the tensor would say
    if transposed:
        expected, got = expected.transpose(0, 2, 1), got.transpose(0, 2, 1)
    result = held(expected, got)
    assert not result.meets(Numerics.CLOSE)
    assert result.relative_l2 == pytest.approx(0.01, rel=0.01)
    assert result.slice is not None
    assert result.slice.endswith("of axis 2" if transposed else "of axis 1")


def test_one_broken_channel_is_caught_and_named() -> None:
    expected = raw_output()
    got = expected.copy()
    got[:, 21] *= np.float32(1.001)
    assert held(expected, got).slice == "channel 21 of axis 1"
    assert "channel 21 of axis 1" in held(expected, got).sentence


def test_half_precision_scores_scaled_by_a_hundredth_are_caught() -> None:
    expected = raw_output().astype(np.float16)
    got = expected.copy()
    got[:, 4:] *= np.float16(1.01)
    assert not held(expected, got).meets(Numerics.CLOSE)
    rounded = np.nextafter(expected, np.float16(np.inf))
    assert held(expected, np.where(expected > 1e-3, rounded, expected)).meets(Numerics.CLOSE)


def test_a_channel_of_dust_is_not_judged_alone() -> None:
    expected = raw_output()
    expected[:, 7] = 1e-9
    got = expected.copy()
    got[:, 7] = 1.1e-9
    assert held(expected, got).meets(Numerics.CLOSE)
    got[:, 7] = 0.3
    assert not held(expected, got).meets(Numerics.CLOSE)


def test_zero_norms() -> None:
    zeros = np.zeros((2, 3), np.float32)
    assert held(zeros, zeros).relative_l2 == 0
    assert held(zeros, zeros + np.float32(1e-30)).relative_l2 == np.inf
    assert not held(zeros, zeros + np.float32(1e-30)).meets(Numerics.CLOSE)


def test_large_values_do_not_overflow() -> None:
    expected = np.full((2, 2), 1e300)
    assert held(expected, expected * (1 + 1e-6)).relative_l2 == pytest.approx(1e-6, rel=1e-3)


def test_where_and_how_much() -> None:
    expected = f32([[1, 2], [3, 4]])
    result = held(expected, f32([[1, 2], [3.5, 4]]))
    assert (result.where, result.expected, result.got, result.max_error) == ((1, 0), 3.0, 3.5, 0.5)
    assert result.sentence.startswith('output "y" on "random" is off by 0.5 at [1, 0], where 3.5 should be 3')


@pytest.mark.parametrize(
    ("expected", "got", "why"),
    [
        (np.zeros(2, np.float32), np.zeros(2, np.float64), "is float64, and was float32"),
        (np.zeros((1, 2), np.float32), np.zeros(2, np.float32), r"has the shape \[2\], and had \[1, 2\]"),
        (f32([1, 2]), f32([1, np.nan]), r"is nan at \[1\], where it should be 2"),
        (f32([np.inf]), f32([-np.inf]), r"is -inf at \[0\], where it should be inf"),
    ],
)
def test_what_cannot_be_subtracted_is_said(expected: Any, got: Any, why: str) -> None:
    result = held(expected, got)
    assert re.search(why, result.sentence)
    assert not result.meets(Numerics.CLOSE)
    assert not result.identical


def test_finite_values_beside_nan_are_still_judged() -> None:
    assert held(f32([np.nan, 1]), f32([np.nan, 1.00001])).meets(Numerics.CLOSE)
    assert not held(f32([np.nan, 1]), f32([np.nan, 2])).meets(Numerics.CLOSE)


@pytest.mark.parametrize(("expected", "got"), [([1000000], [1000001]), ([True], [False]), (["a"], ["b"])])
def test_indices_and_labels_are_never_close(expected: Any, got: Any) -> None:
    assert held(expected, expected).meets(Numerics.EXACT)
    assert not held(expected, got).meets(Numerics.CLOSE)


def test_outputs_of_sigmoids_are_known_however_they_are_moved() -> None:
    graph = onnx.parser.parse_graph(
        "g (float[2, 3] x) => (float[2, 3] a, float[3, 2] b, float[2, 3] c, float[2, 3] x2) "
        "{ a = Sigmoid(x) t = Transpose(a) b = Identity(t) c = Mul(a, x) x2 = Identity(x) }"
    )
    assert outputs_of_sigmoids(graph) == {"a", "b"}


def test_a_channel_of_scores_near_zero_is_as_exact_as_a_sigmoid() -> None:
    expected = np.full((1, 2, 4), 0.5, np.float32)
    expected[0, 1] = 3e-7
    got = expected.copy()
    got[0, 1] += np.float32(1.5e-7)
    assert not compare("y", "other", "random", expected, got).meets(Numerics.CLOSE)
    assert compare("y", "other", "random", expected, got, ignore=2 * SIGMOID_ERROR).meets(Numerics.CLOSE)
