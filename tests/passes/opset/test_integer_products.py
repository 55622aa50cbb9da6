from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def integers(seed: int, dtype: str, *shape: int) -> NDArray[Any]:
    info = np.iinfo(dtype)
    return np.random.default_rng(seed).integers(info.min, info.max + 1, shape).astype(dtype)


@pytest.mark.parametrize("zeros", ["", "a", "ab"])
def test_matmul_integer(zeros: str) -> None:
    heads = {"": "", "a": ", uint8 p", "ab": ", uint8 p, int8[4] q"}[zeros]
    names = {"": "", "a": ", p", "ab": ", p, q"}[zeros]
    proto = parse(
        f"g (uint8[2,3,n] a, int8[n,4] b{heads}) => (int32[2,3,4] y) {{ y = MatMulInteger(a, b{names}) }}", 10
    )
    after = pin(proto, 9)
    assert "MatMulInteger" not in ops(after)
    given = {"a": integers(0, "uint8", 2, 3, 5), "b": integers(1, "int8", 5, 4)}
    if zeros:
        given["p"] = np.array(200, np.uint8)
    if zeros == "ab":
        given["q"] = np.array([0, -128, 127, 5], np.int8)
    assert_same(proto, after, given)


@pytest.mark.parametrize("channels", [2, 40, 700])
def test_conv_integer_is_exact_whatever_the_number_of_products(channels: int) -> None:
    proto = parse(
        f"""g (uint8[1,{channels},5,5] x, uint8[2,{channels},3,3] w, uint8 p, uint8 q) => (int32[1,2,3,3] y) {{
            y = ConvInteger<pads = [1, 1, 1, 1], strides = [2, 2]>(x, w, p, q)
        }}""",
        10,
    )
    after = pin(proto, 9)
    assert ops(after)["Conv"] == {2: 1, 40: 2, 700: 3}[channels]
    given = {
        "x": integers(0, "uint8", 1, channels, 5, 5) | 0xF0,
        "w": integers(1, "uint8", 2, channels, 3, 3),
        "p": np.array(3, np.uint8),
        "q": np.array(250, np.uint8),
    }
    assert_same(proto, after, given)


def test_conv_integer_of_unknown_size_is_refused() -> None:
    proto = parse("g (uint8[1,c,5,5] x, uint8[2,c,3,3] w) => (int32[1,2,3,3] y) { y = ConvInteger(x, w) }", 10)
    refused(proto, 9, "how many products it sums up")


def test_qlinear_matmul() -> None:
    proto = parse(
        """g (uint8[3,n] a, float s, uint8 p, uint8[n,4] b, float t, uint8 q, float u, uint8 r) => (uint8[3,4] y) {
            y = QLinearMatMul(a, s, p, b, t, q, u, r)
        }""",
        10,
    )
    given = {"a": integers(0, "uint8", 3, 6), "b": integers(1, "uint8", 6, 4)}
    given |= {name: np.array(value, np.float32) for name, value in {"s": 0.02, "t": 0.03, "u": 0.11}.items()}
    given |= {name: np.array(value, np.uint8) for name, value in {"p": 120, "q": 130, "r": 128}.items()}
    assert_same(proto, pin(proto, 9), given)


@pytest.mark.parametrize("bias", [True, False])
def test_qlinear_conv(bias: bool) -> None:
    proto = parse(
        f"""g (uint8[1,3,6,6] x{", int32[4] b" if bias else ""}) => (uint8[1,4,6,6] y)
            <float s = {{0.02}}, uint8 p = {{120}}, float u = {{0.3}}, uint8 r = {{128}},
             float[4] t = {{0.03, 0.02, 0.01, 0.04}}, int8[4] q = {{0, 0, 0, 0}},
             int8[4,3,1,1] w = {{1, -2, 3, 4, 5, -6, 7, 8, -9, 100, -111, 120}}> {{
            y = QLinearConv(x, s, p, w, t, q, u, r{", b" if bias else ""})
        }}""",
        10,
    )
    given = {"x": integers(0, "uint8", 1, 3, 6, 6)}
    if bias:
        given["b"] = np.array([100, -2000, 5, 0], np.int32)
    after = pin(proto, 9)
    assert ops(after)["Conv"] == 1
    assert_same(proto, after, given)
