from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin

X = np.array([-1e9, -3.75, -1.25, -0.25, 0, 0.25, 0.75, 1.25, 2.6, 64, 1e9], np.float32)


@pytest.mark.parametrize("zero", ["", "uint8", "int8"])
def test_quantize(zero: str) -> None:
    tail = f", {zero} z" if zero else ""
    dtype = zero or "uint8"
    proto = parse(
        f"""g (float[n] x, float s{tail}) => ({dtype}[n] y) {{
            y = QuantizeLinear(x, s{", z" if zero else ""})
        }}""",
        10,
    )
    after = pin(proto, 9)
    assert "QuantizeLinear" not in ops(after)
    given = {"x": X, "s": np.array(0.5, np.float32)} | ({"z": np.array(3, zero)} if zero else {})
    assert_same(proto, after, given)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32"])
@pytest.mark.parametrize("shifted", [True, False])
def test_dequantize(dtype: str, shifted: bool) -> None:
    zero = shifted and dtype != "int32"
    proto = parse(
        f"""g ({dtype}[n] x, float s{f", {dtype} z" if zero else ""}) => (float[n] y) {{
            y = DequantizeLinear(x, s{", z" if zero else ""})
        }}""",
        10,
    )
    after = pin(proto, 9)
    info = np.iinfo(dtype)
    given = {"x": np.array([info.min, 0, 7, info.max], dtype), "s": np.array(0.3, np.float32)}
    assert_same(proto, after, given | ({"z": np.array(info.min, dtype)} if zero else {}))


@pytest.mark.parametrize("scale", [1.0, 0.0, -1.0])
def test_dynamic(scale: float) -> None:
    proto = parse("g (float[a,b] x) => (uint8[a,b] y, float s, uint8 z) { y, s, z = DynamicQuantizeLinear(x) }", 11)
    x = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
    given = {"x": (abs(x) * scale if scale != 1 else x).astype(np.float32)}
    after = pin(proto, 10)
    assert ops(after)["QuantizeLinear"] == 2
    for target in (10, 9):
        assert_same(proto, pin(proto, target), given)
