"""RoiAlign: coordinate_transformation_mode."""

from __future__ import annotations

import numpy as np

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused


def attribute(proto: object, name: str) -> str | None:
    node = proto.graph.node[0]  # type: ignore[attr-defined]
    return next((item.s.decode() for item in node.attribute if item.name == name), None)


ROI = (
    "g (float[1,2,8,8] x, float[1,4] r, int64[1] i) => (float[1,2,2,2] y) "
    "{ y = RoiAlign<output_height=2, output_width=2MODE>(x, r, i) }"
)


def test_roi_align_without_the_shift() -> None:
    before = parse(ROI.replace("MODE", ', coordinate_transformation_mode="output_half_pixel"'))
    down = pin(before, 10)
    assert attribute(down, "coordinate_transformation_mode") is None
    inputs = {
        "x": np.random.default_rng(0).normal(size=(1, 2, 8, 8)).astype(np.float32),
        "r": np.array([[1, 1, 5, 6]], np.float32),
        "i": np.array([0]),
    }
    assert_same(before, down, inputs)
    up = pin(down, 16)
    assert attribute(up, "coordinate_transformation_mode") == "output_half_pixel"
    assert_same(before, up, inputs)


def test_roi_align_with_the_shift_is_refused() -> None:
    refused(parse(ROI.replace("MODE", "")), 15, "its coordinate_transformation_mode=half_pixel does not exist there")
