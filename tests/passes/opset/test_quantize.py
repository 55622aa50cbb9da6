"""QuantizeLinear, DequantizeLinear and QLinearMatMul between opsets."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.passes.helpers import Arrays, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, reference, refused

X = (np.random.default_rng(0).normal(size=(2, 4, 3)) * 40).astype(np.float32)


def same(before: onnx.ModelProto, after: onnx.ModelProto, inputs: Arrays) -> None:
    old, new = reference(before, inputs), np.asarray(outputs(after, inputs)[after.graph.output[0].name])
    assert old.dtype == new.dtype
    np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("kind", ["int8", "uint8"])
@pytest.mark.parametrize("axis", [1, -1, 2])
def test_scales_along_an_axis(kind: str, axis: int) -> None:
    count = X.shape[axis]
    before = parse(
        f"g (float[N,4,3] x, float[{count}] s, {kind}[{count}] z) => ({kind}[N,4,3] y, float[N,4,3] w) "
        f"{{ y = QuantizeLinear<axis={axis}>(x, s, z) w = DequantizeLinear<axis={axis}>(y, s, z) }}",
        opset=13,
    )
    after = pin(before, 12)
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(ops(after))
    scale, zero = np.linspace(0.3, 1.7, count).astype(np.float32), np.arange(count).astype(kind)
    assert_same(before, after, {"x": X, "s": scale, "z": zero})
    assert_same(before, pin(before, 9), {"x": X, "s": scale, "z": zero})


def test_one_scale_stays() -> None:
    before = parse(
        "g (float[N,4,3] x, float s, uint8 z) => (float[N,4,3] w) "
        "{ y = QuantizeLinear<axis=0>(x, s, z) w = DequantizeLinear(y, s, z) }",
        opset=19,
    )
    after = pin(before, 10)
    assert ops(after) == {"QuantizeLinear": 1, "DequantizeLinear": 1}
    assert not after.graph.node[0].attribute
    assert_same(before, after, {"x": X, "s": np.array(0.5, np.float32), "z": np.array(7, np.uint8)})


def test_one_scale_in_one_dimension() -> None:
    before = parse("g (float[N,4,3] x, float[1] s) => (uint8[N,4,3] y) { y = QuantizeLinear<axis=0>(x, s) }", opset=13)
    inputs: Arrays = {"x": X[:1], "s": np.array([0.5], np.float32)}
    assert_same(before, pin(before, 10), inputs)


@pytest.mark.parametrize("kind", ["int8", "int16", "uint16", "uint8"])
@pytest.mark.parametrize("axis", [1, -1])
def test_blocks(kind: str, axis: int) -> None:
    shape = (2, 2, 3) if axis == 1 else (2, 4, 2)
    text = ",".join(map(str, shape))
    before = parse(
        f"g (float[2,4,3] x, float[{text}] s, {kind}[{text}] z) => ({kind}[2,4,3] y, float[2,4,3] w) "
        f"{{ y = QuantizeLinear<axis={axis}, block_size=2>(x, s, z)"
        f" w = DequantizeLinear<axis={axis}, block_size=2>(y, s, z) }}",
        opset=21,
        ir=10,
    )
    after = pin(before, 20)
    assert not {"QuantizeLinear", "DequantizeLinear"} & set(ops(after))
    random = np.random.default_rng(0)
    scale = random.uniform(0.01, 1, shape).astype(np.float32)
    same(before, after, {"x": X, "s": scale, "z": random.integers(0, 9, shape).astype(kind)})


@pytest.mark.parametrize("kind", ["int16", "uint16"])
def test_sixteen_bits(kind: str) -> None:
    before = parse(
        f"g (float[2,4,3] x, float s, {kind} z) => (float[2,4,3] w) "
        "{ y = QuantizeLinear(x, s, z) w = DequantizeLinear(y, s, z) }",
        opset=21,
    )
    bound = np.iinfo(kind).max
    inputs: Arrays = {"x": X * 1000, "s": np.array(0.3, np.float32), "z": np.array(bound - 3, kind)}
    same(before, pin(before, 13), inputs)


def test_the_type_of_the_output() -> None:
    text = "g (float[2,4,3] x, float SHAPEs) => (int8[2,4,3] y) { y = QuantizeLinear<output_dtype=3>(x, s) }"
    before = parse(text.replace("SHAPE", ""), opset=21)
    after = pin(before, 13)
    assert ops(after) == {"QuantizeLinear": 1}
    same(before, after, {"x": X, "s": np.array(0.5, np.float32)})
    along = parse(text.replace("float SHAPE", "float[4] "), opset=21)
    same(along, pin(along, 13), {"x": X, "s": np.array([0.5, 1, 2, 3], np.float32)})
    small = parse(
        "g (float[2] x, float s) => (uint4[2] y) { y = QuantizeLinear<output_dtype=21>(x, s) }", opset=21, ir=10
    )
    refused(small, 20, r"tensor\(uint4\) is not admitted")


def test_scales_of_other_types() -> None:
    before = parse(
        "g (float16[2,4,3] x, float s, uint8 z) => (float16[2,4,3] w) "
        "{ y = QuantizeLinear(x, s, z) w = DequantizeLinear<output_dtype=10>(y, s, z) }",
        opset=23,
        ir=10,
    )
    after = pin(before, 13)
    assert ops(after) == {"QuantizeLinear": 1, "DequantizeLinear": 1, "Cast": 2}
    same(before, after, {"x": X.astype(np.float16), "s": np.array(0.5, np.float32), "z": np.array(7, np.uint8)})


def test_halves() -> None:
    before = parse(
        "g (uint8[2,4,3] x, float16 s, uint8 z) => (float16[2,4,3] y) { y = DequantizeLinear(x, s, z) }", opset=19
    )
    after = pin(before, 10)
    assert ops(after) == {"Cast": 2, "DequantizeLinear": 1}
    x = np.random.default_rng(0).integers(0, 256, (2, 4, 3)).astype(np.uint8)
    same(before, after, {"x": x, "s": np.array(0.37, np.float16), "z": np.array(7, np.uint8)})
    quantized = parse(
        "g (float16[2,4,3] x, float16 s) => (uint8[2,4,3] y) { y = QuantizeLinear<saturate=0>(x, s) }", opset=19
    )
    after = pin(quantized, 13)
    assert ops(after) == {"Cast": 2, "QuantizeLinear": 1}
    assert "saturate" not in {item.name for item in after.graph.node[-1].attribute}
    same(quantized, after, {"x": np.arange(24).reshape(2, 4, 3).astype(np.float16), "s": np.array(2, np.float16)})


def test_integers_go_up_as_floats() -> None:
    before = parse("g (int32[2,3] x, float s, uint8 z) => (uint8[2,3] y) { y = QuantizeLinear(x, s, z) }", opset=13)
    after = pin(before, 21)
    assert ops(after) == {"Cast": 1, "QuantizeLinear": 1}
    inputs: Arrays = {
        "x": np.arange(6, dtype=np.int32).reshape(2, 3),
        "s": np.array(0.5, np.float32),
        "z": np.array(3, np.uint8),
    }
    assert_same(before, after, inputs)


def test_refusals() -> None:
    unknown = "g (float[24] a, int64[K] k, float[4] s) => (uint8[] y) { x = Reshape(a, k) y = QuantizeLinear(x, s) }"
    refused(parse(unknown, opset=13), 12, 'the rank of "x" is not known')
    float8 = parse(
        "g (float[2,4] x, float[2,2] s) => (float8e4m3fn[2,4] y) "
        "{ y = QuantizeLinear<block_size=2, output_dtype=17>(x, s) }",
        opset=21,
        ir=10,
    )
    refused(float8, 20, "block_size=2 does not exist there")


def test_qlinear_matmul_of_halves() -> None:
    before = parse(
        "g (uint8[2,3] a, float16 s, uint8 z, uint8[3,2] b) => (uint8[2,2] y) "
        "{ y = QLinearMatMul(a, s, z, b, s, z, s, z) }",
        opset=21,
    )
    after = pin(before, 10)
    assert ops(after) == {"Cast": 3, "QLinearMatMul": 1}
    random = np.random.default_rng(0)
    inputs: Arrays = {
        "a": random.integers(0, 9, (2, 3)).astype(np.uint8),
        "b": random.integers(0, 9, (3, 2)).astype(np.uint8),
        "s": np.array(0.37, np.float16),
        "z": np.array(3, np.uint8),
    }
    same(before, after, inputs)
