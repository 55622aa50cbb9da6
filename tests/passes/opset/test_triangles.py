from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


@pytest.mark.parametrize("dtype", ["float", "int64", "bool", "uint8", "double"])
@pytest.mark.parametrize("upper", [0, 1])
def test_constant_mask(dtype: str, upper: int) -> None:
    proto = parse(f"g ({dtype}[2,3,4] x) => ({dtype}[2,3,4] y) {{ y = Trilu<upper = {upper}>(x) }}", 14)
    after = pin(proto, 13)
    assert ops(after) == {"Where": 1}
    kind = {"float": np.float32, "double": np.float64}.get(dtype, dtype)
    x = np.arange(1, 25).reshape(2, 3, 4).astype(kind)
    for target in (13, 9):
        np.testing.assert_array_equal(outputs(pin(proto, target), {"x": x})["y"], (np.triu if upper else np.tril)(x))


@settings(max_examples=20, deadline=None)
@given(
    rows=st.integers(1, 4), columns=st.integers(1, 4), k=st.integers(-5, 5), upper=st.booleans(), known=st.booleans()
)
def test_sizes_and_k_of_run_time(rows: int, columns: int, k: int, upper: bool, known: bool) -> None:
    shape = f"{rows},{columns}" if known else "n,m"
    proto = parse(
        f"g (float[2,{shape}] x, int64 k) => (float[2,{shape}] y) {{ y = Trilu<upper = {int(upper)}>(x, k) }}", 14
    )
    given_ = {"x": np.random.default_rng(0).normal(size=(2, rows, columns)).astype(np.float32), "k": np.array(k)}
    for target in (13, 9):
        assert_same(proto, pin(proto, target), given_)


def test_what_is_left_out_may_be_nan() -> None:
    proto = parse("g (float[n,n] x) => (float[n,n] y) { y = Trilu(x) }", 14)
    x = np.array([[1, 2], [np.nan, np.inf]], np.float32)
    np.testing.assert_array_equal(outputs(pin(proto, 9), {"x": x})["y"], [[1, 2], [0, np.inf]])


def test_k_of_one_element() -> None:
    proto = parse("g (float[3,3] x) => (float[3,3] y) <int64[1] k = {-1}> { y = Trilu<upper = 0>(x, k) }", 14)
    assert ops(pin(proto, 13)) == {"Where": 1}
    assert_same(proto, pin(proto, 9))


def test_strings_are_refused() -> None:
    refused(parse("g (string[2,2] x) => (string[2,2] y) { y = Trilu(x) }", 14), 13, "an empty string")


def test_a_matrix_of_unknown_rank() -> None:
    text = "g (float[3, 4] x, int64[R] shape) => (float y) { a = Reshape(x, shape) y = Trilu<upper = 0>(a) }"
    before = parse(text, 14)
    del before.graph.output[0].type.tensor_type.shape.dim[:]
    before.graph.output[0].type.tensor_type.ClearField("shape")
    inputs: Arrays = {"x": np.arange(12, dtype=np.float32).reshape(3, 4), "shape": np.array([1, 4, 3], np.int64)}
    for target in (13, 11):
        after = pin(before, target, check=False)
        assert "Trilu" not in ops(after)
        assert_same(before, after, inputs)
