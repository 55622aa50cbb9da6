"""Gemm without C."""

from __future__ import annotations

import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin


@pytest.mark.parametrize("kind", ["float", "double"])
def test_gemm_without_c(kind: str) -> None:
    before = parse(f"g ({kind}[2,3] a, {kind}[3,4] b) => ({kind}[2,4] y) {{ y = Gemm<beta=2.0>(a, b) }}", opset=13)
    after = pin(before, 9)
    assert len(after.graph.node[0].input) == 3
    assert_same(before, after)
    assert ops(pin(before, 11)) == {"Gemm": 1}
