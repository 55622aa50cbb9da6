"""The models that are mutated: small, and between them of every form that a model can have."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import onnx
from onnx import ModelProto

from tests.analysis.random_graphs import random_model
from tests.heads.build import detector
from tests.model.everything import everything, numbers

EXTERNAL = "weights.bin"
"""The data file of the seed that has one."""

_IF = """
<ir_version: 8, opset_import: ["" : 17]>
main (bool c, float[2, 3] x) => (float[2, 3] y, float[2, 3] s)
<float[2, 3] w = {1, 2, 3, 4, 5, 6}, int64 n = {3}, bool yes = {1}>
{
    t = Relu(x)
    y = If (c) <
        then_branch = one () => (float[2, 3] a) { p = Add(t, w)  q = Transpose <perm = [1, 0]> (p)
                                                  a = Transpose <perm = [1, 0]> (q) },
        else_branch = other () => (float[2, 3] b) { r = Identity(t)  b = Mul(r, w) }
    >
    s = Loop (n, yes, t) <
        body = step (int64 i, bool go, float[2, 3] v) => (bool on, float[2, 3] u) { on = Identity(go)  u = Add(v, w) }
    >
}
"""
_SCAN = """
<ir_version: 9, opset_import: ["" : 18]>
main (float[3] first, float[N, 3] xs) => (float[3] last, float[N, 3] sums)
{
    last, sums = Scan <num_scan_inputs = 1,
        body = step (float[3] before, float[3] x) => (float[3] after, float[3] out) { after = Add(before, x)
                                                                                  out = Identity(after) }
    > (first, xs)
}
"""
_FUNCTION = """
<ir_version: 9, opset_import: ["" : 18, "local" : 1, "com.vendor" : 1]>
main (float[N, 4] x) => (float[N, 4] y)
{
    a = local.scaled <alpha = 0.5> (x)
    b = com.vendor.Mystery <mode = "fast"> (a)
    shape = Shape(x)
    c = Reshape(b, shape)
    y = Identity(c)
}
<domain: "local", opset_import: ["" : 18]>
scaled <alpha> (v) => (w) { k = Constant <value_float: float = @alpha> ()  w = Mul(v, k) }
"""
_LAYOUTS = """
<ir_version: 8, opset_import: ["" : 17]>
main (float[1, 3, 8, 8] x) => (float[1, 64, 4] y, int64[4] shape)
<float[4, 3, 1, 1] w = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, int64[3] flat = {1, 4, -1}, float[1] one = {1.0}>
{
    c = Conv(x, w)
    h = Transpose <perm = [0, 2, 3, 1]> (c)
    r = Relu(h)
    m = Mul(r, one)
    b = Transpose <perm = [0, 3, 1, 2]> (m)
    f = Reshape(b, flat)
    k = Cast <to = 1> (f)
    d = Dropout(k)
    y = Transpose <perm = [0, 2, 1]> (d)
    shape = Shape(b)
}
"""
_QUANTISED = """
<ir_version: 8, opset_import: ["" : 13]>
main (float[1, 4] x) => (float[1, 2] y)
<float s = {0.1}, uint8 z = {128}, float[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}, float[2] bias = {0.5, 0.25}>
{
    q = QuantizeLinear(x, s, z)
    d = DequantizeLinear(q, s, z)
    g = MatMul(d, w)
    a = Add(g, bias)
    y = Softmax <axis = -1> (a)
}
"""


def external() -> ModelProto:
    """y = x + w, with the 2 KiB of w in EXTERNAL, followed by 16 bytes that nobody reads."""
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 17]> main (float[512] x) => (float[512] y) { a = Add(x, w)  y = Relu(a) }'
    )
    tensor = model.graph.initializer.add(name="w", data_type=onnx.TensorProto.FLOAT, dims=[512])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", EXTERNAL), ("offset", "0"), ("length", "2048")):
        tensor.external_data.add(key=key, value=value)
    return model


def _small_detector() -> ModelProto:
    return detector(classes=2, strides=(16,), size=32, bins=4)


_MADE: dict[str, Callable[[], ModelProto]] = {
    "everything": everything,
    "numbers": numbers,
    "external": external,
    "if and loop": lambda: onnx.parser.parse_model(_IF),
    "scan": lambda: onnx.parser.parse_model(_SCAN),
    "function": lambda: onnx.parser.parse_model(_FUNCTION),
    "layouts": lambda: onnx.parser.parse_model(_LAYOUTS),
    "quantised": lambda: onnx.parser.parse_model(_QUANTISED),
    "detector": _small_detector,
    **{f"random {number}": partial(random_model, number, 8) for number in range(12)},
}


@cache
def _serialised(name: str) -> bytes:
    return bytes(_MADE[name]().SerializeToString())


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


def pick(chance: random.Random, exports: Sequence[Path], share: float) -> tuple[str, ModelProto]:
    """A seed and its name; one of `exports` with probability `share`."""
    if exports and chance.random() < share:
        path = chance.choice(exports)
        return path.name, ModelProto.FromString(_read(path))
    name = chance.choice(list(_MADE))
    return name, ModelProto.FromString(_serialised(name))
