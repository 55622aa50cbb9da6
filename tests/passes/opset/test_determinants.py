from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("batch", ["", "n,", "2,m,"])
def test_small_matrices(size: int, batch: str) -> None:
    shape = batch[:-1]
    proto = parse(f"g (float[{batch}{size},{size}] x) => (float[{shape}] y) {{ y = Det(x) }}", 11)
    if not batch:
        proto = parse(f"g (float[{size},{size}] x) => (float y) {{ y = Det(x) }}", 11)
    after = pin(proto, 9)
    assert "Det" not in ops(after)
    lead = {"": (), "n,": (3,), "2,m,": (2, 2)}[batch]
    x = np.random.default_rng(0).normal(size=(*lead, size, size)).astype(np.float32)
    assert_same(proto, after, {"x": x}, limit=1e-5)


def test_larger_ones_are_refused() -> None:
    refused(parse("g (float[4,4] x) => (float y) { y = Det(x) }", 11), 10, "up to 3 × 3")
    refused(parse("g (float[n,n] x) => (float y) { y = Det(x) }", 11), 10, "of known size")
