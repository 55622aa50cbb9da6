"""ConvTranspose with padding that follows from the shape of its output."""

from __future__ import annotations

import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

TRANSPOSED = "g (float[1,1,SIZE,5] x, float[1,2,3,3] w) => (float[] y) { y = ConvTranspose<strides=[2,2]MORE>(x, w) }"


@pytest.mark.parametrize("more", [
    ', auto_pad="SAME_UPPER"', ', auto_pad="SAME_LOWER"', ", output_shape=[9,10]",
    ', output_shape=[10,9], auto_pad="SAME_UPPER"',
    ", output_padding=[1,1], output_shape=[10,11]", ", pads=[0,1,1,0]", "",
])  # fmt: skip
def test_padding_that_follows(more: str) -> None:
    before = parse(TRANSPOSED.replace("MORE", more).replace("SIZE", "5"), opset=11)
    after = pin(before, 9, check=False)
    names = {item.name for item in after.graph.node[0].attribute}
    assert not names & {"output_shape", "auto_pad"}
    assert_same(before, after)


def test_padding_that_follows_from_what_is_not_known() -> None:
    unknown = parse(TRANSPOSED.replace("MORE", ", output_shape=[9,10]").replace("SIZE", "N"), opset=11)
    refused(unknown, 10, "its padding follows from the shapes of its input and output, which are not known")
    same = parse(TRANSPOSED.replace("MORE", ', auto_pad="SAME_LOWER"').replace("SIZE", "N"), opset=11)
    assert ops(pin(same, 10, check=False)) == {"ConvTranspose": 1}
    refused(parse(TRANSPOSED.replace("MORE", ", output_shape=[99,10]").replace("SIZE", "5"), opset=11), 10, "negative")
