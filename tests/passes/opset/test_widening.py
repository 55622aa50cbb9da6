"""Types by way of wider ones: Add, Sub, Mul, Div, Max, Min, Relu, Equal, Pow, Mod, Erf, Range and others."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, reference, refused

INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
SMALL = INTEGERS[:4]
FLOATS = ("float16", "float", "double")


def numpy_type(kind: str) -> np.dtype:
    return np.dtype({"float": "float32", "double": "float64"}.get(kind, kind))


def extremes(kind: str) -> np.ndarray:
    """Values whose sums, products and quotients wrap."""
    bounds = np.iinfo(numpy_type(kind))
    values = [bounds.min, bounds.min + 1, 1, 2, 3, 7, bounds.max // 2, bounds.max - 1, bounds.max]
    return np.array(values, numpy_type(kind))


def binary(op: str, kind: str, opset: int, result: str | None = None) -> onnx.ModelProto:
    return parse(f"g ({kind}[N,1] a, {kind}[1,M] b) => ({result or kind}[N,M] y) {{ y = {op}(a, b) }}", opset=opset)


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("kind", SMALL)
def test_arithmetic_of_small_integers(op: str, kind: str) -> None:
    before = binary(op, kind, 14)
    after = pin(before, 9)
    assert ops(after) == {"Cast": 3, op: 1}
    values = extremes(kind)
    inputs = {"a": values.reshape(-1, 1), "b": values.reshape(1, -1)}
    if op == "Div":
        inputs["b"][inputs["b"] == 0] = 5
    np.testing.assert_array_equal(reference(before, inputs), reference(after, inputs))


def test_arithmetic_of_other_types_stays() -> None:
    assert ops(pin(binary("Add", "float", 14), 9)) == {"Add": 1}
    refused(binary("Add", "bfloat16", 14), 12, "bfloat16")


@pytest.mark.parametrize("op", ["Max", "Min"])
@pytest.mark.parametrize("kind", INTEGERS)
def test_extremes_of_integers(op: str, kind: str) -> None:
    before = parse(
        f"g ({kind}[9] a, {kind}[3,1,1] b, {kind}[9,1] c) => ({kind}[3,9,9] y) {{ y = {op}(a, b, c) }}", opset=13
    )
    after = pin(before, 9)
    assert ops(after) == ({"Less": 2, "Where": 2} if "64" in kind else {"Cast": 4, op: 1})
    values = extremes(kind)
    inputs = {"a": values, "b": values[[0, 4, 8]].reshape(3, 1, 1), "c": values.reshape(-1, 1)}
    np.testing.assert_array_equal(reference(before, inputs), reference(after, inputs))


def test_extreme_of_one() -> None:
    one = parse("g (int64[3] a) => (int64[3] y) { y = Max(a) }", opset=13)
    assert ops(pin(one, 9)) == {"Identity": 1}


@pytest.mark.parametrize("kind", ["int8", "int16", "int32", "int64"])
def test_relu_of_integers(kind: str) -> None:
    before = parse(f"g ({kind}[9] x) => ({kind}[9] y) {{ y = Relu(x) }}", opset=14)
    after = pin(before, 13)
    assert ops(after) == {"Max": 1}
    for target in (13, 9):
        done = pin(before, target)
        np.testing.assert_array_equal(reference(done, {"x": extremes(kind)}), np.maximum(extremes(kind), 0))


@pytest.mark.parametrize("kind", [*INTEGERS, *FLOATS])
def test_equal(kind: str) -> None:
    before = binary("Equal", kind, 11, "bool")
    after = pin(before, 9)
    if kind in FLOATS:
        values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1, 60000], numpy_type(kind))
        assert ops(after)["IsNaN"] == 2
    else:
        values = extremes(kind)
    inputs = {"a": values.reshape(-1, 1), "b": values.reshape(1, -1)}
    np.testing.assert_array_equal(reference(after, inputs), values[:, None] == values[None])
    if kind in ("float", "double", "int32", "int64"):
        assert_same(before, after, inputs)


def test_equal_of_strings_is_refused() -> None:
    refused(binary("Equal", "string", 19, "bool"), 18, r"tensor\(string\) is not admitted")


def power(base: str, exponent: str, constant: str = "") -> onnx.ModelProto:
    declared = (
        f"({base}[4] x) => ({base}[4] z) <{constant}>"
        if constant
        else f"({base}[4] x, {exponent}[4] y) => ({base}[4] z)"
    )
    return parse(f"g {declared} {{ z = Pow(x, y) }}", opset=13)


@pytest.mark.parametrize(
    ("base", "exponent"),
    [("float", "int64"), ("float", "double"), ("float16", "float"), ("double", "uint8"), ("int32", "float"),
     ("int64", "float"), ("int32", "int32"), ("int32", "int8"), ("float", "float")],
)  # fmt: skip
def test_powers(base: str, exponent: str) -> None:
    before = power(base, exponent)
    after = pin(before, 9)
    x = np.array([1, 2, 3, 5], numpy_type(base))
    y = np.array([0, 1, 3, 2], numpy_type(exponent))
    old, new = reference(before, {"x": x, "y": y}), reference(after, {"x": x, "y": y})
    assert old.dtype == new.dtype
    np.testing.assert_allclose(old, new, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 64), st.sampled_from(["int32", "int64"]))
def test_integer_powers_wrap(exponent: int, kind: str) -> None:
    before = power(kind, "int64", f"int64 y = {{{exponent}}}")
    after = pin(before, 9)
    assert set(ops(after)) <= {"Mul", "Identity"}
    x = np.array([-7, 2, 3, 10], kind)
    np.testing.assert_array_equal(reference(after, {"x": x}), x ** np.array(exponent, kind))


def test_powers_with_constants() -> None:
    assert ops(pin(power("float", "int64", "int64 y = {2}"), 9)) == {"Pow": 1}
    refused(power("int64", "int64", "int64 y = {65}"), 11, "it is an integer power of int64, with an exponent")
    refused(power("int64", "int64"), 11, r"with an exponent \(y\) that is no constant from 1 to 64")


@pytest.mark.parametrize("kind", FLOATS)
def test_floor_modulo_of_floats(kind: str) -> None:
    before = binary("Mod", kind, 28)
    after = pin(before, 13)
    values = np.array([-np.inf, -7.5, -2, -0.0, 0.0, 0.3, 2, 7.5, np.inf, np.nan], numpy_type(kind))
    inputs = {"a": values.reshape(-1, 1), "b": values.reshape(1, -1)}
    result = reference(after, inputs)
    with np.errstate(all="ignore"):
        expected = np.mod(values[:, None], values[None])
    zero = np.broadcast_to((values[:, None] == 0) & (values[None] != 0), expected.shape)
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(np.signbit(result[zero]), np.broadcast_to(np.signbit(values), expected.shape)[zero])


def test_other_remainders_stay() -> None:
    assert ops(pin(binary("Mod", "int64", 28), 13)) == {"Mod": 1}
    assert ops(pin(binary("Mod<fmod=1>", "float", 28), 13)) == {"Mod": 1}


def test_erf_of_integers_goes_up() -> None:
    before = parse("g (int32[5] x) => (int32[5] y) { y = Erf(x) }", opset=9, ir=4)
    after = pin(before, 13)
    assert ops(after) == {"Cast": 2, "Erf": 1}
    x = np.array([-9, -1, 0, 1, 9], np.int32)
    np.testing.assert_array_equal(reference(after, {"x": x}), [-1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    ("op", "opset", "older"), [("Sin", 22, 21), ("LeakyRelu", 16, 15), ("Softplus", 22, 13), ("Where", 16, 15)]
)
def test_bfloat16_through_float(op: str, opset: int, older: int) -> None:
    call = "c = Less(x, x) y = Where(c, x, x)" if op == "Where" else f"y = {op}(x)"
    before = parse(f"g (bfloat16[5] x) => (bfloat16[5] y) {{ {call} }}", opset=opset, ir=10)
    after = pin(before, older)
    assert ops(after)["Cast"] >= 2
    x = np.array([-2, -0.5, 0, 1, 3], ml_dtypes.bfloat16)
    old, new = reference(before, {"x": x}), reference(after, {"x": x})
    assert old.dtype == new.dtype
    np.testing.assert_allclose(old.astype(np.float32), new.astype(np.float32), rtol=2e-2)
    refused(before, 12, "bfloat16")


def test_a_type_that_is_not_known_is_refused() -> None:
    model = parse(
        "g (float[3] x) => (float[3] y) { a = com.test.Some(x) y = Add(a, a) }", opset=14, more=', "com.test" : 1'
    )
    for name in model.graph.output:
        name.type.Clear()
    refused(model, 13, "the type of")


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_range_of_halves(kind: str) -> None:
    before = parse(f"g ({kind} a, {kind} b, {kind} d) => ({kind}[n] y) {{ y = Range(a, b, d) }}", opset=27, ir=13)
    after = pin(before, 13)
    assert ops(after) == {"Cast": 4, "Range": 1}
    dtype = np.float16 if kind == "float16" else ml_dtypes.bfloat16
    inputs = {"a": np.array(0, dtype), "b": np.array(5000, dtype), "d": np.array(3, dtype)}
    np.testing.assert_array_equal(
        reference(before, inputs).astype(np.float32), reference(after, inputs).astype(np.float32)
    )
    double = parse(f"g ({kind} a) => ({kind}[n] y) {{ y = Range<stash_type=11>(a, a, a) }}", opset=27, ir=13)
    assert [item.i for node in pin(double, 26).graph.node[:3] for item in node.attribute] == [11, 11, 11]
    wide = parse("g (int64 a) => (int64[n] y) { y = Range<stash_type=11>(a, a, a) }", opset=27, ir=13)
    assert not pin(wide, 11).graph.node[0].attribute


def test_is_inf_of_halves() -> None:
    before = parse("g (float16[4] x) => (bool[4] y) { y = IsInf(x) }", opset=20)
    after = pin(before, 10)
    x = np.array([np.inf, -np.inf, np.nan, 65504], np.float16)
    np.testing.assert_array_equal(reference(after, {"x": x}), np.isinf(x))
