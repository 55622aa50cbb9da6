"""GroupNormalization between 18, which was withdrawn, and 21."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import feeds, ops, parse
from tests.passes.opset.pinning import pin, reference


@pytest.mark.parametrize("kind", ["float", "float16", "double"])
@pytest.mark.parametrize("shape", ["2,4,3,3", "N,4,3,W", "2,4"])
@pytest.mark.parametrize("target", [20, 17, 9])
def test_down_is_written_out(kind: str, shape: str, target: int) -> None:
    attributes = "num_groups=2, epsilon=0.01" + (", stash_type=11" if kind == "double" else "")
    before = parse(
        f"g ({kind}[{shape}] x, {kind}[4] s, {kind}[4] b) => ({kind}[{shape}] y) "
        f"{{ y = GroupNormalization<{attributes}>(x, s, b) }}",
        opset=21,
    )
    after = pin(before, target)
    assert "GroupNormalization" not in ops(after)
    assert ops(after)["InstanceNormalization"] == 1
    inputs = feeds(before)
    old, new = reference(before, inputs), reference(after, inputs)
    assert old.dtype == new.dtype
    np.testing.assert_allclose(
        old, new, rtol=1e-2 if kind == "float16" else 1e-4, atol=1e-2 if kind == "float16" else 1e-5
    )


@pytest.mark.parametrize("shape", ["2,6,3,3", "N,C,3,3"])
def test_up_repeats_each_scale(shape: str) -> None:
    before = parse(
        f"g (float[{shape}] x, float[2] s, float[2] b) => (float[{shape}] y) "
        "{ y = GroupNormalization<num_groups=2>(x, s, b) }",
        opset=18,
    )
    after = pin(before, 21)
    assert ops(after)["GroupNormalization"] == 1
    inputs = feeds(before, sizes={"C": 6})
    np.testing.assert_allclose(reference(before, inputs), reference(after, inputs), rtol=1e-4, atol=1e-5)


def test_a_precision_that_instance_normalization_lacks() -> None:
    """Then the operator's own definition is written out."""
    before = parse(
        "g (float[2,4] x, float[4] s) => (float[2,4] y) "
        "{ y = GroupNormalization<num_groups=2, stash_type=16>(x, s, s) }",
        opset=21,
    )
    assert not {"GroupNormalization", "InstanceNormalization"} & set(ops(pin(before, 20)))
