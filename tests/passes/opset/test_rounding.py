from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused

HALVES = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, -0.49999997, 8388609, -8388607.5, 0, 1e30])
SPECIAL = np.array([np.inf, -np.inf, np.nan])


@pytest.mark.parametrize(("name", "dtype"), [("float", np.float32), ("float16", np.float16), ("double", np.float64)])
def test_halves_go_to_the_even_number(name: str, dtype: type) -> None:
    proto = parse(f"g ({name}[n] x) => ({name}[n] y) {{ y = Round(x) }}", 11)
    with np.errstate(over="ignore"):
        x: NDArray[Any] = np.concatenate([HALVES, SPECIAL]).astype(dtype)
    after = pin(proto, 9)
    assert "Round" not in ops(after)
    np.testing.assert_array_equal(outputs(after, {"x": x})["y"], np.round(x))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(width=32), min_size=1, max_size=20))
def test_any_float(values: list[float]) -> None:
    x = np.array(values, np.float32)
    proto = parse(f"g (float[{len(x)}] x) => (float[{len(x)}] y) {{ y = Round(x) }}", 11)
    np.testing.assert_array_equal(outputs(pin(proto, 9), {"x": x})["y"], np.round(x))


@pytest.mark.parametrize("fmod", [0, 1])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_remainders_of_integers(dtype: str, fmod: int) -> None:
    proto = parse(f"g ({dtype}[7,1] a, {dtype}[6] b) => ({dtype}[7,6] y) {{ y = Mod<fmod = {fmod}>(a, b) }}", 10)
    a = np.array([-7, -6, -1, 0, 1, 6, 7])[:, None]
    b = np.array([-3, -2, -1, 1, 2, 3])
    if dtype.startswith("u"):
        a, b = abs(a), abs(b)
    a, b = a.astype(dtype), b.astype(dtype)
    after = pin(proto, 9)
    assert "Mod" not in ops(after)
    wanted = np.fmod(a, b) if fmod else np.mod(a, b)
    np.testing.assert_array_equal(outputs(after, {"a": a, "b": b})["y"], wanted)


def test_remainders_of_floats_are_refused() -> None:
    proto = parse("g (float[3] a, float[3] b) => (float[3] y) { y = Mod<fmod = 1>(a, b) }", 10)
    refused(proto, 9, "the remainder of floats is exact")
    assert_same(proto, pin(proto, 13))
