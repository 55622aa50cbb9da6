from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin


def model(dtype: str) -> str:
    return f"g ({dtype} a, {dtype} b, {dtype} d) => ({dtype}[n] y) {{ y = Range(a, b, d) }}"


@settings(max_examples=40, deadline=None)
@given(start=st.integers(-9, 9), limit=st.integers(-9, 9), delta=st.integers(-4, 4).filter(bool))
def test_integers(start: int, limit: int, delta: int) -> None:
    for dtype in ("int16", "int32", "int64"):
        after = pin(parse(model(dtype), 11), 9)
        values = {"a": start, "b": limit, "d": delta}
        given_ = {name: np.array(value, dtype) for name, value in values.items()}
        np.testing.assert_array_equal(outputs(after, given_)["y"], np.arange(start, limit, delta).astype(dtype))


@pytest.mark.parametrize(
    ("start", "limit", "delta"), [(0, 1, 0.1), (1, 0, -0.25), (0, 0, 1), (2, 1, 0.5), (0.5, 9.7, 3)]
)
@pytest.mark.parametrize("dtype", ["float", "double"])
def test_floats(start: float, limit: float, delta: float, dtype: str) -> None:
    proto = parse(model(dtype), 11)
    kind = np.float32 if dtype == "float" else np.float64
    given_ = {"a": np.array(start, kind), "b": np.array(limit, kind), "d": np.array(delta, kind)}
    after = pin(proto, 9)
    assert "Loop" not in ops(after)
    assert_same(proto, after, given_, limit=1e-6)


def test_counts_that_float32_does_not_hold() -> None:
    proto = parse(model("int64"), 11)
    start = 2**40
    given_ = {"a": np.array(start), "b": np.array(start + (1 << 24) + 1), "d": np.array(1 << 22)}
    np.testing.assert_array_equal(outputs(pin(proto, 9), given_)["y"], start + np.arange(5) * (1 << 22))


def test_half_is_computed_in_float() -> None:
    proto = parse(model("float16"), 27)
    given_ = {name: np.array(value, np.float16) for name, value in {"a": 0, "b": 1, "d": 0.1}.items()}
    after = pin(proto, 26)
    assert ops(after) == {"Cast": 4, "Range": 1}
    step = np.float32(np.float16(0.1))
    wanted = (np.arange(11, dtype=np.float32)[: int(np.ceil(1 / step))] * step).astype(np.float16)
    for target in (26, 9):
        np.testing.assert_array_equal(outputs(pin(proto, target), given_)["y"], wanted)


def test_stash_type_means_nothing_for_others() -> None:
    proto = parse("g (float a, float b, float d) => (float[n] y) { y = Range<stash_type = 11>(a, b, d) }", 27)
    after = pin(proto, 26)
    assert ops(after) == {"Range": 1}
    assert not after.graph.node[0].attribute
