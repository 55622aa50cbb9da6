from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin


def values(*shape: int, seed: int = 0) -> np.typing.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_layer_normalization(axis: int, bias: bool, known: bool) -> None:
    names = ["2", "3", "4"] if known else ["a", "b", "c"]
    shape = ",".join(names[axis:])
    proto = parse(
        f"""g (float[{",".join(names)}] x, float[{shape}] s{f", float[{shape}] b" if bias else ""})
            => (float[{",".join(names)}] y) {{ y = LayerNormalization<axis = {axis}>(x, s{", b" if bias else ""}) }}""",
        17,
    )
    given: Arrays = {"x": values(2, 3, 4), "s": values(*(2, 3, 4)[axis:], seed=1)}
    if bias:
        given["b"] = values(*(2, 3, 4)[axis:], seed=2)
    for target in (16, 9):
        after = pin(proto, target)
        assert ops(after)["ReduceMean"] == 2
        assert "Cast" not in ops(after)
        assert_same(proto, after, given, limit=1e-6)


def test_optional_outputs() -> None:
    proto = parse(
        """g (float[n,4] x, float[4] s) => (float[n,4] y, float[n,1] m, float[n,1] d) {
            y, m, d = LayerNormalization(x, s)
        }""",
        17,
    )
    assert_same(proto, pin(proto, 9), {"x": values(3, 4), "s": values(4)}, limit=1e-6)


def test_a_large_mean_does_not_drown_the_variance() -> None:
    proto = parse("g (float[2,64] x, float[64] s) => (float[2,64] y) { y = LayerNormalization(x, s) }", 17)
    x = values(2, 64) + np.float32(10000)
    wide = x.astype(np.float64)
    wanted = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    found = outputs(pin(proto, 9), {"x": x, "s": np.ones(64, np.float32)})["y"]
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_half_is_normalised_in_float() -> None:
    proto = parse("g (float16[2,64] x, float16[64] s) => (float16[2,64] y) { y = LayerNormalization(x, s) }", 17)
    after = pin(proto, 9)
    assert ops(after)["Cast"] == 2
    x = (values(2, 64) * 300).astype(np.float16)
    wide = x.astype(np.float64)
    wanted = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5)
    found = outputs(after, {"x": x, "s": np.ones(64, np.float16)})["y"]
    np.testing.assert_allclose(found, wanted, atol=2e-3)


def test_doubles_stay_doubles() -> None:
    proto = parse("g (double[2,8] x, double[8] s) => (double[2,8] y) { y = LayerNormalization(x, s) }", 17)
    after = pin(proto, 9)
    assert "Cast" not in ops(after)
    assert_same(proto, after, limit=1e-12)


def test_without_rank_it_takes_the_long_way() -> None:
    proto = parse(
        """g (float[n] v, int64[k] shape, float[4] s) => (float y) {
            x = Reshape(v, shape)
            z = LayerNormalization<axis = 1>(x, s)
            y = ReduceSum<keepdims = 0>(z)
        }""",
        17,
    )
    after = pin(proto, 16)
    assert "Flatten" in ops(after)
    # Of a body only what is wanted is kept: not what makes InvStdDev.
    assert "Reciprocal" not in ops(after)
    assert_same(proto, after, {"v": values(12), "shape": np.array([3, 4]), "s": values(4)}, limit=1e-4)
