from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import outputs, pin, refused


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_shifts(direction: str, dtype: str) -> None:
    proto = parse(
        f'g ({dtype}[4,1] x, {dtype}[n] s) => ({dtype}[4,n] y) {{ y = BitShift<direction = "{direction}">(x, s) }}', 11
    )
    bits = np.iinfo(dtype).bits
    x = np.array([1, 3, np.iinfo(dtype).max, np.iinfo(dtype).max // 3])[:, None].astype(dtype)
    s = np.array([0, 1, 4, bits - 1]).astype(dtype)
    after = pin(proto, 9)
    assert "BitShift" not in ops(after)
    wanted = np.left_shift(x, s) if direction == "LEFT" else np.right_shift(x, s)
    np.testing.assert_array_equal(outputs(after, {"x": x, "s": s})["y"], wanted)


def test_shifts_of_64_bits_are_refused() -> None:
    proto = parse('g (uint64[2] x, uint64[2] s) => (uint64[2] y) { y = BitShift<direction = "LEFT">(x, s) }', 11)
    refused(proto, 10, "no older one has room for products of 64 bits")


def shifted(x: int, amount: int, bits: int, right: bool, signed: bool) -> int:
    """Of opset 28."""
    if not 0 <= amount < bits:
        return -1 if right and x < 0 else 0
    made = x >> amount if right else (x << amount) % (1 << bits)
    return made - (1 << bits) if signed and made >= 1 << (bits - 1) else made


@settings(max_examples=25, deadline=None)
@given(
    dtype=st.sampled_from(["int8", "int16", "int32", "int64", "uint8", "uint32"]),
    right=st.booleans(),
    constant=st.booleans(),
    data=st.data(),
)
def test_shifts_of_28(dtype: str, right: bool, constant: bool, data: st.DataObject) -> None:
    info = np.iinfo(dtype)
    x = data.draw(st.lists(st.integers(info.min, info.max), min_size=3, max_size=3))
    s = data.draw(st.lists(st.integers(-2 if info.min else 0, info.bits + 2), min_size=3, max_size=3))
    direction = "RIGHT" if right else "LEFT"
    text = "{" + ", ".join(map(str, s)) + "}"
    head = f"g ({dtype}[3] x) => ({dtype}[3] y) <{dtype}[3] s = {text}>"
    if not constant:
        head = f"g ({dtype}[3] x, {dtype}[3] s) => ({dtype}[3] y)"
    proto = parse(f'{head} {{ y = BitShift<direction = "{direction}">(x, s) }}', 28)
    given_ = {"x": np.array(x, dtype)} | ({} if constant else {"s": np.array(s, dtype)})
    wanted = [shifted(a, b, info.bits, right, info.min < 0) for a, b in zip(x, s, strict=True)]
    for target in (27, 9) if dtype != "uint32" else (27,):
        np.testing.assert_array_equal(outputs(pin(proto, target), given_)["y"], np.array(wanted, dtype))


@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64"])
def test_bit_by_bit(op: str, dtype: str) -> None:
    proto = parse(f"g ({dtype}[6,1] a, {dtype}[n] b) => ({dtype}[6,n] y) {{ y = {op}(a, b) }}", 18)
    info = np.iinfo(dtype)
    numbers = np.array([info.min, info.max, 0, 1, info.max // 3, info.max - 6]).astype(dtype)
    after = pin(proto, 17)
    assert op not in ops(after)
    function = {"BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor}[op]
    found = outputs(after, {"a": numbers[:, None], "b": numbers})["y"]
    np.testing.assert_array_equal(found, function(numbers[:, None], numbers))
    np.testing.assert_array_equal(outputs(pin(proto, 9), {"a": numbers[:, None], "b": numbers})["y"], found)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64"])
def test_not(dtype: str) -> None:
    proto = parse(f"g ({dtype}[4] x) => ({dtype}[4] y) {{ y = BitwiseNot(x) }}", 18)
    x = np.array([0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min], dtype)
    after = pin(proto, 17)
    assert ops(after) == {"Sub": 1}
    np.testing.assert_array_equal(outputs(after, {"x": x})["y"], ~x)


def test_64_bits_without_sign_are_refused() -> None:
    proto = parse("g (uint64[2] a, uint64[2] b) => (uint64[2] y) { y = BitwiseAnd(a, b) }", 18)
    refused(proto, 17, "64 bits without sign")


def test_bit_cast() -> None:
    same = parse("g (float[2] x) => (float[2] y) { y = BitCast<to = 1>(x) }", 26)
    assert ops(pin(same, 25)) == {"Identity": 1}
    sign = parse("g (uint8[3] x) => (int8[3] y) { y = BitCast<to = 3>(x) }", 26)
    found = outputs(pin(sign, 25), {"x": np.array([0, 127, 255], np.uint8)})["y"]
    np.testing.assert_array_equal(found, np.array([0, 127, -1], np.int8))
    other = parse("g (float[2] x) => (int32[2] y) { y = BitCast<to = 6>(x) }", 26)
    refused(other, 25, "reads the bits of float as int32")
