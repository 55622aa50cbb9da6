"""GridSample: names of modes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused


def attribute(proto: object, name: str) -> str | None:
    node = proto.graph.node[0]  # type: ignore[attr-defined]
    return next((item.s.decode() for item in node.attribute if item.name == name), None)


@pytest.mark.parametrize(
    ("newer", "older"), [("linear", "bilinear"), ("cubic", "bicubic"), ("nearest", "nearest"), (None, "bilinear")]
)
def test_modes(newer: str | None, older: str) -> None:
    mode = f'<mode="{newer}">' if newer else ""
    before = parse(
        f"g (float[1,2,4,4] x, float[1,3,3,2] grid) => (float[1,2,3,3] y) {{ y = GridSample{mode}(x, grid) }}", opset=20
    )
    grid = np.random.default_rng(0).uniform(-1.2, 1.2, (1, 3, 3, 2)).astype(np.float32)
    inputs = {"x": np.random.default_rng(1).normal(size=(1, 2, 4, 4)).astype(np.float32), "grid": grid}
    down = pin(before, 16)
    assert attribute(down, "mode") == older
    assert_same(before, down, inputs)
    up = pin(down, 22)
    assert attribute(up, "mode") == (newer or "linear")
    assert_same(down, up, inputs)


def test_volumes_are_refused() -> None:
    before = parse(
        "g (float[1,2,4,4,4] x, float[1,3,3,3,3] grid) => (float[1,2,3,3,3] y) { y = GridSample(x, grid) }", opset=20
    )
    refused(before, 19, "stops at opset 20: its input has 5 dimensions, and must have 4 there")
    unknown = parse(
        "g (float[64] a, int64[K] s, float[54] b) => (float[] y) "
        "{ x = Reshape(a, s) grid = Reshape(b, s) y = GridSample(x, grid) }",
        opset=20,
    )
    refused(unknown, 19, 'the rank of "x" is not known')
