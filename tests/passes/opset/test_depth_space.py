"""DepthToSpace and SpaceToDepth: mode CRD."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import feeds, ops, parse
from tests.passes.opset.pinning import assert_same, pin, reference, refused


@pytest.mark.parametrize("size", ["3", "N"])
def test_depth_to_space(size: str) -> None:
    text = f'g (float[2,8,{size},3] x) => (float[2,2,h,w] y) {{ y = DepthToSpace<blocksize=2, mode="MODE">(x) }}'
    before = parse(text.replace("MODE", "CRD"))
    after = pin(before, 9)
    assert ops(after) == {"Gather": 1, "DepthToSpace": 1}
    assert_same(before, after)
    same = parse(text.replace("MODE", "DCR"))
    assert [item.name for item in pin(same, 9).graph.node[0].attribute] == ["blocksize"]
    refused(parse(text.replace("MODE", "CRD").replace("[2,8", "[2,C")), 9, "its mode=CRD does not exist there")


def test_space_to_depth() -> None:
    text = 'g (float[2,3,4,6] x) => (float[2,12,2,3] y) { y = SpaceToDepth<blocksize=2, mode="MODE">(x) }'
    before = parse(text.replace("MODE", "CRD"), opset=28, ir=13)
    after = pin(before, 13)
    assert ops(after) == {"SpaceToDepth": 1, "Gather": 1}
    inputs = feeds(before)
    np.testing.assert_array_equal(reference(before, inputs), reference(after, inputs))
    same = parse(text.replace("MODE", "DCR"), opset=28, ir=13)
    assert ops(pin(same, 13)) == {"SpaceToDepth": 1}
