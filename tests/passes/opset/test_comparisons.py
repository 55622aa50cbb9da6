from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin

SPECIAL = np.array([-np.inf, -1, 0, 1, 2, np.inf, np.nan])


@pytest.mark.parametrize("op", ["GreaterOrEqual", "LessOrEqual"])
@pytest.mark.parametrize("dtype", ["float", "double", "float16"])
def test_floats_with_nan(op: str, dtype: str) -> None:
    proto = parse(f"g ({dtype}[7,1] a, {dtype}[7] b) => (bool[7,7] y) {{ y = {op}(a, b) }}", 16)
    kind = {"float": np.float32, "double": np.float64, "float16": np.float16}[dtype]
    a, b = SPECIAL[:, None].astype(kind), SPECIAL.astype(kind)
    compare = np.greater_equal if op == "GreaterOrEqual" else np.less_equal
    for target in (15, 11, 9):
        np.testing.assert_array_equal(outputs(pin(proto, target), {"a": a, "b": b})["y"], compare(a, b))


@pytest.mark.parametrize("op", ["GreaterOrEqual", "LessOrEqual"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_integers(op: str, dtype: type) -> None:
    proto = parse(f"g ({np.dtype(dtype)}[n] a, {np.dtype(dtype)}[n] b) => (bool[n] y) {{ y = {op}(a, b) }}", 12)
    after = pin(proto, 9)
    assert ops(after) == {"Not": 1, "Less" if op == "GreaterOrEqual" else "Greater": 1}
    a: NDArray[Any] = np.array([1, 2, 3, 100]).astype(dtype)
    b: NDArray[Any] = np.array([2, 2, 2, 100]).astype(dtype)
    compare = np.greater_equal if op == "GreaterOrEqual" else np.less_equal
    np.testing.assert_array_equal(outputs(after, {"a": a, "b": b})["y"], compare(a, b))


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("negative", [0, 1])
@pytest.mark.parametrize("dtype", ["float", "double"])
def test_is_inf(positive: int, negative: int, dtype: str) -> None:
    given = f"detect_positive = {positive}, detect_negative = {negative}"
    proto = parse(f"g ({dtype}[n] x) => (bool[n] y) {{ y = IsInf<{given}>(x) }}", 10)
    x = np.concatenate([SPECIAL, [np.finfo(np.float32).max, -np.finfo(np.float32).max]])
    inputs = {"x": x.astype(np.float32 if dtype == "float" else np.float64)}
    after = pin(proto, 9)
    assert "IsInf" not in ops(after)
    assert_same(proto, after, inputs)
