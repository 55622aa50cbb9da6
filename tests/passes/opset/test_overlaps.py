from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


@pytest.mark.parametrize(
    ("image", "block", "settings"),
    [
        ([5, 5], [1, 5], ""),
        ([5, 5], [3, 3], ""),
        ([4, 6], [2, 3], "<strides = [2, 3]>"),
        ([6, 6], [3, 2], "<strides = [1, 2], pads = [0, 1, 1, 0]>"),
        ([6, 7], [2, 2], "<dilations = [1, 3]>"),
        ([3, 4, 4], [1, 2, 2], ""),
    ],
)
@pytest.mark.parametrize("dtype", ["float", "int64"])
def test_blocks(image: list[int], block: list[int], settings: str, dtype: str) -> None:
    values = {"strides": [1] * len(image), "dilations": [1] * len(image), "pads": [0] * 2 * len(image)}
    for part in settings.strip("<>").split("], "):
        if part:
            name, _, numbers = part.partition(" = [")
            values[name] = [int(number) for number in numbers.strip("]").split(",")]
    rank = len(image)
    steps = [
        (image[d] + values["pads"][d] + values["pads"][d + rank] - values["dilations"][d] * (block[d] - 1) - 1)
        // values["strides"][d]
        + 1
        for d in range(rank)
    ]
    rows, count = 3 * int(np.prod(block)), int(np.prod(steps))
    sizes = ",".join(f"d{index}" for index in range(rank))
    proto = parse(
        f"""g ({dtype}[n,{rows},{count}] x) => ({dtype}[n,3,{sizes}] y)
            <int64[{rank}] i = {{{", ".join(map(str, image))}}}, int64[{rank}] b = {{{", ".join(map(str, block))}}}> {{
            y = Col2Im{settings}(x, i, b)
        }}""",
        18,
    )
    after = pin(proto, 17)
    assert ops(after) == {"Reshape": 3, "Gather": 1, "Where": 1, "ReduceSum": 1}
    kind = np.float32 if dtype == "float" else np.int64
    x = np.arange(2 * rows * count).reshape(2, rows, count).astype(kind)
    for target in (17, 9):
        assert_same(proto, pin(proto, target), {"x": x})


def test_a_shape_of_run_time_is_refused() -> None:
    proto = parse(
        "g (float[1,5,5] x, int64[2] i) => (float[1,1,a,b] y) <int64[2] b = {1, 5}> { y = Col2Im(x, i, b) }", 18
    )
    refused(proto, 17, "its image_shape")
