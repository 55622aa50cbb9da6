"""RNN, GRU and LSTM with the batch first."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.passes.helpers import feeds, ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def model(op: str, layout: int, wanted: str = "y, h", directions: int = 2) -> onnx.ModelProto:
    """Batch 2, sequence 3, input 4, hidden 5."""
    gates = GATES[op] * 5
    cell = op == "LSTM"
    first = "2,3" if layout else "3,2"
    states = f"2,{directions}" if layout else f"{directions},2"
    y = f"2,3,{directions},5" if layout else f"3,{directions},2,5"
    made = {"y": f"float[{y}] y", "h": f"float[{states},5] h", "c": f"float[{states},5] c"}
    names = [name.strip() for name in wanted.split(",")]
    direction = "bidirectional" if directions == 2 else "forward"
    more, given = (f", float[{states},5] c0", ", c0") if cell else ("", "")
    return parse(
        f"g (float[{first},4] x, float[{directions},{gates},4] w, float[{directions},{gates},5] r, "
        f"float[{states},5] h0{more}) => ({', '.join(made[n] for n in names if n)}) {{ {wanted} = {op}"
        f'<hidden_size=5, layout={layout}, direction="{direction}">(x, w, r, , , h0{given}) }}'
    )


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("directions", [1, 2])
def test_batch_first(op: str, directions: int) -> None:
    """Checked against the node with the sequence first, which is what runtimes have kernels for."""
    wanted = "y, h, c" if op == "LSTM" else "y, h"
    before = model(op, 1, wanted, directions)
    after = pin(before, 13)
    assert ops(after) == {op: 1, "Transpose": 6 if op == "LSTM" else 4}
    inputs = feeds(before)
    swapped = dict(inputs)
    for name in ("x", "h0", "c0"):
        if name in swapped:
            swapped[name] = np.swapaxes(swapped[name], 0, 1)
    expected = outputs(model(op, 0, wanted, directions), swapped)
    result = outputs(after, inputs)
    np.testing.assert_array_equal(result["y"], expected["y"].transpose(2, 0, 1, 3))
    for name in {"h", "c"} & set(result):
        np.testing.assert_array_equal(result[name], np.swapaxes(expected[name], 0, 1))


def test_an_output_that_is_left_out() -> None:
    after = pin(model("GRU", 1, ", h"), 13)
    assert ops(after) == {"GRU": 1, "Transpose": 3}
    assert not after.graph.node[2].output[0]


@pytest.mark.parametrize("op", GATES)
def test_sequence_first_stays(op: str) -> None:
    before = model(op, 0)
    after = pin(before, 9)
    assert ops(after) == {op: 1}
    assert "layout" not in {item.name for item in after.graph.node[0].attribute}
    assert_same(before, after)
