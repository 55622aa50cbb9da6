"""Scatter, ScatterElements and ScatterND: names, negative indices, reductions; GatherND's batches."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

INDICES = np.array([[0, 1, 1], [-1, 1, 0]])
DATA = np.arange(12, dtype=np.float32).reshape(3, 4) + 1
UPDATES = np.array([[5, -6, 7], [8, 9, 0.5]], np.float32)
TEXT = "g (float[3,4] x, int64[2,3] i, float[2,3] u) => (float[3,4] y) { y = ScatterElements<axis=AXISMORE>(x, i, u) }"


@pytest.mark.parametrize("axis", ["0", "1", "-1"])
@pytest.mark.parametrize("reduction", ["add", "mul", "max", "min"])
@pytest.mark.parametrize("target", [17, 15, 11])
def test_reductions(axis: str, reduction: str, target: int) -> None:
    """Several updates of one element, one after the other."""
    before = parse(TEXT.replace("AXIS", axis).replace("MORE", f', reduction="{reduction}"'), opset=18)
    after = pin(before, target)
    assert ("Loop" in ops(after)) == (target < 16 or reduction in ("max", "min"))
    assert_same(before, after, {"x": DATA, "i": INDICES, "u": UPDATES})


@pytest.mark.parametrize("reduction", ["add", "mul", "max", "min"])
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("rows", ["3", "N"])
def test_reductions_of_rows(reduction: str, depth: int, rows: str) -> None:
    shape = f"{rows}" if depth == 2 else f"{rows},4"
    before = parse(
        f"g (float[3,4] x, int64[{rows},{depth}] i, float[{shape}] u) => (float[3,4] y) "
        f'{{ y = ScatterND<reduction="{reduction}">(x, i, u) }}',
        opset=18,
    )
    after = pin(before, 13)
    assert "Loop" in ops(after)
    indices = np.array([[1, 2], [1, 2], [-1, 0]])[:, :depth]
    updates = np.arange(3 if depth == 2 else 12, dtype=np.float32).reshape([3] if depth == 2 else [3, 4]) - 3
    assert_same(before, after, {"x": DATA, "i": indices, "u": updates})


def test_one_update_needs_no_loop() -> None:
    before = parse(
        "g (float[3,4] x, int64[1,4] i, float[1,4] u) => (float[3,4] y) "
        '{ y = ScatterElements<reduction="add">(x, i, u) }',
        opset=16,
    )
    after = pin(before, 15)
    assert ops(after) == {"GatherElements": 1, "Add": 1, "ScatterElements": 1}
    assert_same(before, after, {"x": DATA, "i": np.array([[0, 2, 1, -1]]), "u": DATA[:1]})


def test_no_reduction() -> None:
    before = parse(TEXT.replace("AXIS", "0").replace("MORE", ', reduction="none"'), opset=18)
    after = pin(before, 13)
    assert [item.name for item in after.graph.node[0].attribute] == ["axis"]
    text = TEXT.replace("AXIS", "0").replace("MORE", ', reduction="add"').replace("float", "bool")
    refused(parse(text, opset=16), 15, "its reduction=add does not exist there")


def test_an_old_name_and_negative_indices() -> None:
    before = parse(TEXT.replace("AXIS", "1").replace("MORE", ""), opset=13)
    after = pin(before, 10)
    assert ops(after) == {"Less": 1, "Add": 1, "Where": 1, "Scatter": 1}
    inputs = {"x": DATA, "i": np.array([[0, 1, 2], [-1, -2, 0]]), "u": UPDATES}
    assert_same(before, after, inputs)
    up = pin(after, 13)
    assert "ScatterElements" in ops(up)
    assert_same(before, up, inputs)


def test_constant_indices() -> None:
    text = "g (float[3,4] x, float[1,2] u) => (float[3,4] y) <int64[1,2] i = {VALUES}> { y = ScatterElements(x, i, u) }"
    for values in ("-1, 0", "2, 0"):
        before = parse(text.replace("VALUES", values), opset=13)
        after = pin(before, 9)
        assert ops(after) == {"Scatter": 1}
        assert_same(before, after)


def test_batches() -> None:
    text = "g (float[2,3,4] x, int64[2,N,1] i) => (float[2,N,4] y) { y = GatherND<batch_dims=1>(x, i) }"
    before = parse(text, opset=13)
    after = pin(before, 11)
    assert ops(after) == {"Gather": 1, "Mul": 1, "Add": 1, "Concat": 1, "GatherND": 1}
    inputs = {"x": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "i": np.array([[[0], [2]], [[-1], [1]]])}
    assert_same(before, after, inputs)
    two = parse("g (float[2,3,4] x, int64[2,3,1] i) => (float[2,3] y) { y = GatherND<batch_dims=2>(x, i) }", opset=13)
    assert_same(two, pin(two, 11), {"x": inputs["x"], "i": np.array([[[0], [2], [3]], [[-1], [1], [0]]])})
    none = parse("g (float[2,3] x, int64[2,1] i) => (float[2,3] y) { y = GatherND<batch_dims=0>(x, i) }", opset=13)
    assert not pin(none, 11).graph.node[0].attribute
    unknown = parse(text.replace("[2,", "[B,"), opset=13)
    refused(unknown, 11, "the size of batch dimension 0 is not known")
