from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

DATA = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_gather_elements(axis: int, known: bool, dtype: str) -> None:
    shapes = ("2,3,4", "2,2,3") if known else ("a,b,c", "d,e,f")
    proto = parse(
        f"""g (float[{shapes[0]}] x, {dtype}[{shapes[1]}] i) => (float[{shapes[1]}] y) {{
            y = GatherElements<axis = {axis}>(x, i)
        }}""",
        11,
    )
    size = DATA.shape[axis]
    indices = np.random.default_rng(0).integers(-size, size, (2, 2, 3)).astype(dtype)
    for target in (10, 9):
        after = pin(proto, target)
        assert "GatherElements" not in ops(after)
        assert_same(proto, after, {"x": DATA, "i": indices})


def test_gather_elements_of_one_dimension_is_gather() -> None:
    proto = parse("g (float[5] x) => (float[3] y) <int64[3] i = {4, 0, 2}> { y = GatherElements(x, i) }", 11)
    after = pin(proto, 10)
    assert ops(after) == {"Gather": 1}
    assert_same(proto, after)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("known", [True, False])
def test_gather_nd_and_back(depth: int, known: bool) -> None:
    shape = "2,3,4" if known else "a,b,c"
    rest = ",".join(["p", *"rst"[: 3 - depth]])
    proto = parse(f"g (float[{shape}] x, int64[5,{depth}] i) => (float[{rest}] y) {{ y = GatherND(x, i) }}", 11)
    random = np.random.default_rng(depth)
    indices = np.stack([random.integers(-size, size, 5) for size in DATA.shape[:depth]], 1)
    for target in (10, 9):
        after = pin(proto, target)
        assert "GatherND" not in ops(after)
        assert_same(proto, after, {"x": DATA, "i": indices})


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("known", [True, False])
def test_scatter_nd(depth: int, known: bool) -> None:
    shape = "2,3,4" if known else "a,b,c"
    updates = ",".join(["2", *("234" if known else "stu")[depth:]])
    proto = parse(
        f"""g (float[{shape}] x, int64[2,{depth}] i, float[{updates}] u) => (float[{shape}] y) {{
            y = ScatterND(x, i, u)
        }}""",
        11,
    )
    indices = np.array([[0, 2, -1], [-1, 0, 0]])[:, :depth]
    given = {"x": DATA, "i": indices, "u": -np.arange(2 * np.prod(DATA.shape[depth:]), dtype=np.float32) - 1}
    given["u"] = given["u"].reshape(2, *DATA.shape[depth:])
    for target in (10, 9):
        after = pin(proto, target)
        assert "ScatterND" not in ops(after)
        assert_same(proto, after, given)


def test_an_unknown_depth_is_refused() -> None:
    proto = parse("g (float[2,3] x, int64[5,k] i) => (float[a,b] y) { y = GatherND(x, i) }", 11)
    refused(proto, 10, "how many dimensions its indices")


@pytest.mark.parametrize("batch", [0, 1])
@pytest.mark.parametrize("known", [True, False])
def test_reverse_sequence(batch: int, known: bool) -> None:
    shape = "4,4,2" if known else "a,b,c"
    proto = parse(
        f"""g (float[{shape}] x, int64[{"4" if known else "n"}] l) => (float[{shape}] y) {{
            y = ReverseSequence<batch_axis = {batch}, time_axis = {1 - batch}>(x, l)
        }}""",
        10,
    )
    given = {"x": np.arange(32, dtype=np.float32).reshape(4, 4, 2), "l": np.array([1, 4, 0, 3])}
    after = pin(proto, 9)
    assert "ReverseSequence" not in ops(after)
    assert_same(proto, after, given)


@pytest.mark.parametrize("mode", ["linear", "circular"])
@pytest.mark.parametrize("axis", [1, -2, -1])
@pytest.mark.parametrize("known", [True, False])
def test_tensor_scatter(mode: str, axis: int, known: bool) -> None:
    size = [2, 3, 4, 5]
    update = list(size)
    update[axis] = 2
    shapes = [",".join(map(str, item)) for item in (size, update)] if known else ["a,b,c,d", "a,e,f,h"]
    proto = parse(
        f"""g (float[{shapes[0]}] past, float[{shapes[1]}] new, int64[2] w) => (float[{shapes[0]}] y) {{
            y = TensorScatter<mode = "{mode}", axis = {axis}>(past, new, w)
        }}""",
        24,
    )
    start = np.array([size[axis] - 1, 0]) if mode == "circular" else np.array([1, 0])
    given = {
        "past": np.arange(120, dtype=np.float32).reshape(size),
        "new": -np.arange(1, 1 + np.prod(update), dtype=np.float32).reshape(update),
        "w": start,
    }
    for target in (23, 13, 9):
        assert_same(proto, pin(proto, target), given)


def test_tensor_scatter_from_the_start() -> None:
    proto = parse("g (float[1,4,2] p, float[1,3,2] n) => (float[1,4,2] y) { y = TensorScatter(p, n) }", 24)
    assert_same(proto, pin(proto, 9))
