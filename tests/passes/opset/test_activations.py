from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused

AROUND = np.array([-np.inf, -3, -1, -0.5, 0, 0.25, 1, 2.5, np.inf, np.nan], np.float32)


@pytest.mark.parametrize("alpha", ["", "<alpha = 0.5>", "<alpha = -1.0>"])
def test_thresholded_relu(alpha: str) -> None:
    proto = parse(f"g (float[n] x) => (float[n] y) {{ y = ThresholdedRelu{alpha}(x) }}", 10)
    after = pin(proto, 9)
    assert ops(after) == {"Greater": 1, "Where": 1}
    assert_same(proto, after, {"x": AROUND})


def test_thresholded_relu_of_doubles() -> None:
    proto = parse("g (double[3] x) => (double[3] y) { y = ThresholdedRelu<alpha = 0.1>(x) }", 10)
    after = pin(proto, 9)
    # alpha is a float32: a double that is larger than it, but not than 0.1, is not beyond it.
    inputs = {"x": np.array([0.1, 0.10000000149, 0.2])}
    wanted = np.where(inputs["x"] > np.float64(np.float32(0.1)), inputs["x"], 0)
    np.testing.assert_array_equal(outputs(after, inputs)["y"], wanted)


def test_an_unknown_type_is_refused() -> None:
    proto = parse("g (x) => (y) { y = ThresholdedRelu(x) }", 10)
    refused(proto, 9, 'the type of "x" is not known')


@pytest.mark.parametrize(
    ("op", "opset"),
    [
        ("HardSwish", 14),
        ("Mish", 18),
        ("Celu<alpha = 2.0>", 12),
        ("Gelu", 20),
        ('Gelu<approximate = "tanh">', 20),
        ("Swish<alpha = 0.5>", 24),
        ("Elu", 22),
    ],
)
def test_written_out_in_float(op: str, opset: int) -> None:
    proto = parse(f"g (float[2,n] x) => (float[2,n] y) {{ y = {op}(x) }}", opset)
    given = {"x": np.linspace(-6, 6, 24, dtype=np.float32).reshape(2, 12)}
    for target in (opset - 1, 9):
        assert_same(proto, pin(proto, target), given, limit=1e-6)


@pytest.mark.parametrize(("op", "opset"), [("Mish", 18), ("Gelu", 20), ("Celu<alpha = 2.0>", 28), ("Swish", 24)])
def test_half_is_computed_in_float_and_rounded_once(op: str, opset: int) -> None:
    half = parse(f"g (float16[50] x) => (float16[50] y) {{ y = {op}(x) }}", opset)
    wide = parse(f"g (float[50] x) => (float[50] y) {{ y = {op}(x) }}", opset)
    x = np.linspace(-6, 6, 50).astype(np.float16)
    wanted = outputs(pin(wide, 9), {"x": x.astype(np.float32)})["y"].astype(np.float16)
    after = pin(half, 9)
    assert {node.op_type for node in after.graph.node[:1]} == {"Cast"}
    np.testing.assert_array_equal(outputs(after, {"x": x})["y"], wanted)


def test_swiglu() -> None:
    proto = parse("g (float[2,3] a, float[2,3] b) => (float[2,3] y) { y = SwiGLU<alpha = 0.5>(a, b) }", 28)
    after = pin(proto, 9)
    assert ops(after) == {"Mul": 3, "Sigmoid": 1}
    assert_same(proto, after, limit=1e-6)
