from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("known", [True, False])
def test_images(mode: str, padding: str, align: int, known: bool) -> None:
    shapes = ("2,3,4,5", "2,6,7,2") if known else ("n,c,h,w", "n,p,q,2")
    result = "2,3,6,7" if known else "n,c,p,q"
    proto = parse(
        f"""g (float[{shapes[0]}] x, float[{shapes[1]}] grid) => (float[{result}] y) {{
            y = GridSample<mode = "{mode}", padding_mode = "{padding}", align_corners = {align}>(x, grid)
        }}""",
        16,
    )
    random = np.random.default_rng(0)
    given = {
        "x": random.normal(size=(2, 3, 4, 5)).astype(np.float32),
        "grid": random.uniform(-1.6, 1.6, size=(2, 6, 7, 2)).astype(np.float32),
    }
    given["grid"][0, 0, :4] = [[-1, -1], [1, 1], [-3, 0], [0, 40]]
    for target in (15, 11, 9):
        after = pin(proto, target)
        assert "GridSample" not in ops(after)
        assert_same(proto, after, given, limit=1e-5)


def test_a_pixel_outside_does_not_count_whatever_is_inside() -> None:
    proto = parse("g (float[1,1,2,2] x, float[1,1,2,2] grid) => (float[1,1,1,2] y) { y = GridSample(x, grid) }", 16)
    given = {
        "x": np.array([[[[np.inf, 1], [2, 3]]]], np.float32),
        "grid": np.array([[[[1.5, 1.5], [9, 9]]]], np.float32),
    }
    assert_same(proto, pin(proto, 9), given, limit=1e-6)


@pytest.mark.parametrize(("mode", "padding"), [("bicubic", "zeros"), ("bilinear", "reflection")])
def test_other_modes_are_refused(mode: str, padding: str) -> None:
    proto = parse(
        f"""g (float[1,1,4,4] x, float[1,2,2,2] grid) => (float[1,1,2,2] y) {{
            y = GridSample<mode = "{mode}", padding_mode = "{padding}">(x, grid)
        }}""",
        16,
    )
    refused(proto, 15, f"mode {mode} with padding_mode {padding}")


def test_integers_are_refused() -> None:
    proto = parse(
        'g (int32[1,1,4,4] x, float[1,2,2,2] g) => (int32[1,1,2,2] y) { y = GridSample<mode = "nearest">(x, g) }', 16
    )
    refused(proto, 15, "for floats alone")
