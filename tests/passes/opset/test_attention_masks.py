"""Attention: masks between opsets 23 and 24."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import pin, reference

TEXT = (
    "g (float[1,2,3,4] q, float[1,2,KEYS,4] k, float[1,2,KEYS,4] v, float[3,MASK] m) => (float[1,2,3,4] y) "
    "{ y = Attention(q, k, v, m) }"
)


@pytest.mark.parametrize(
    ("keys", "mask", "stays"), [("5", "5", True), ("5", "4", False), ("5", "M", False), ("K", "K", True)]
)
def test_masks(keys: str, mask: str, stays: bool) -> None:
    """One for each key stays; where it may be shorter, 24's own definition is written out, and pads it."""
    before = parse(TEXT.replace("KEYS", keys).replace("MASK", mask), opset=24, ir=10)
    after = pin(before, 23)
    assert ("Attention" in ops(after)) == stays
    random = np.random.default_rng(0)
    shapes = {"q": (1, 2, 3, 4), "k": (1, 2, 5, 4), "v": (1, 2, 5, 4), "m": (3, 4 if mask in "4M" else 5)}
    inputs = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    np.testing.assert_allclose(reference(before, inputs), reference(after, inputs), rtol=1e-5, atol=1e-6)


def test_past_keys_count() -> None:
    text = (
        "g (float[1,2,3,4] q, float[1,2,5,4] k, float[1,2,2,4] p, float[3,MASK] m) => (float[1,2,3,4] y) "
        "{ y, a, b = Attention(q, k, k, m, p, p) }"
    )
    assert "Attention" in ops(pin(parse(text.replace("MASK", "7"), opset=24, ir=10), 23))
    assert "Attention" not in ops(pin(parse(text.replace("MASK", "5"), opset=24, ir=10), 23))
