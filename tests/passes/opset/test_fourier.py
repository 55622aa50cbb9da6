"""DFT: its axis."""

from __future__ import annotations

import pytest

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused


@pytest.mark.parametrize("axis", ["", "int64 axis = {1}", "int64 axis = {-2}", "int64 axis = {0}"])
def test_axis_of_a_fourier_transform(axis: str) -> None:
    call = "DFT(x, , axis)" if axis else "DFT(x)"
    before = parse(f"g (float[2,8,4,1] x) => (float[2,8,4,2] y) <{axis}> {{ y = {call} }}", opset=20)
    after = pin(before, 17)
    assert [item.name for item in after.graph.node[0].attribute] == ["axis"]
    assert_same(before, after, limit=1e-5)
    back = pin(after, 20)
    assert len(back.graph.node[0].input) == 3
    assert_same(after, back, limit=1e-5)


def test_axis_of_a_fourier_transform_in_its_defaults() -> None:
    before = parse("g (float[2,8,4,1] x) => (float[2,8,4,2] y) { y = DFT(x) }", opset=17)
    assert_same(before, pin(before, 20), limit=1e-5)


def test_axis_that_is_computed() -> None:
    before = parse("g (float[2,8,4,1] x, int64 axis) => (float[2,8,4,2] y) { y = DFT(x, , axis) }", opset=20)
    refused(before, 19, r"its axis \(axis\) is computed at run time")
