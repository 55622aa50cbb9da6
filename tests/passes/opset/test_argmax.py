from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused

TIES = np.array([[3, 1, 3, 1], [0, 5, 5, 0], [2, 2, 2, 2]], np.float32)


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("known", [True, False])
def test_the_last_of_equals(op: str, axis: int, keepdims: int, known: bool) -> None:
    out = "[p,q]" if keepdims else "[p]"
    shape = "3,4" if known else "n,m"
    attributes = f"axis = {axis}, keepdims = {keepdims}, select_last_index = 1"
    proto = parse(f"g (float[{shape}] x) => (int64{out} y) {{ y = {op}<{attributes}>(x) }}", 13)
    for target in (11, 10):
        assert_same(proto, pin(proto, target), {"x": TIES})
    if known:
        nine = pin(proto, 9)
        assert_same(proto, nine, {"x": TIES})
        assert_same(proto, pin(nine, 28), {"x": TIES})
    else:
        refused(proto, 9, "written out with older operators it needs Slice, where its step of -1 does not exist there")


def test_the_first_of_equals_stays() -> None:
    proto = parse("g (float[3,4] x) => (int64[1,4] y) { y = ArgMax<select_last_index = 0>(x) }", 13)
    after = pin(proto, 9)
    assert not after.graph.node[0].attribute
    assert_same(proto, after, {"x": TIES})
