from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import outputs, pin, refused


def expected(theta: NDArray[np.float64], size: list[int], align: bool) -> NDArray[np.float64]:
    lines = []
    for count in size:
        step = np.arange(count)
        lines.append(2 * step / max(count - 1, 1) - 1 if align else (2 * step + 1) / count - 1)
    points = np.meshgrid(*lines, indexing="ij")[::-1]
    stacked = np.stack([*points, np.ones(size)], -1)
    return np.asarray(np.einsum("nij,...j->n...i", theta, stacked))


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("size", [[2, 3], [1, 4], [2, 3, 4], [1, 2, 1]])
@pytest.mark.parametrize("constant", [True, False])
@pytest.mark.parametrize("dtype", ["float", "float16", "double"])
def test_affine_grid(align: int, size: list[int], constant: bool, dtype: str) -> None:
    count = len(size)
    kind = {"float": np.float32, "double": np.float64, "float16": np.float16}[dtype]
    shape = [2, 1, *size]
    text = "{" + ", ".join(map(str, shape)) + "}"
    places = ",".join("pqr"[:count])
    head = f"{dtype}[2,{count},{count + 1}] theta"
    if constant:
        text = f"g ({head}) => ({dtype}[2,{places},{count}] y) <int64[{count + 2}] size = {text}>"
    else:
        text = f"g ({head}, int64[{count + 2}] size) => ({dtype}[2,{places},{count}] y)"
    proto = parse(text + f" {{ y = AffineGrid<align_corners = {align}>(theta, size) }}", 20)
    theta = np.random.default_rng(0).normal(size=(2, count, count + 1)).astype(kind)
    given = {"theta": theta} if constant else {"theta": theta, "size": np.array(shape)}
    wanted = expected(theta.astype(np.float64), size, bool(align))
    for target in (19, 9):
        after = pin(proto, target)
        assert "If" not in ops(after)
        found = outputs(after, given)["y"]
        assert found.dtype == kind
        np.testing.assert_allclose(found, wanted, atol={"float16": 5e-3, "float": 1e-6, "double": 1e-12}[dtype])


def test_images_and_volumes_must_be_told_apart() -> None:
    proto = parse("g (float[n,a,b] theta, int64[k] size) => (float[p,q,r,s] y) { y = AffineGrid(theta, size) }", 20)
    refused(proto, 19, "is of images or of volumes")
