from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

REDUCTIONS = [
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin"),
    *("ReduceProd", "ReduceSum", "ReduceSumSquare"),
]
X = {"x": np.random.default_rng(0).uniform(0.5, 2, (2, 3, 4)).astype(np.float32)}


@settings(max_examples=25, deadline=None)
@given(
    op=st.sampled_from(REDUCTIONS),
    axes=st.lists(st.sampled_from([0, 1, 2]), unique=True),
    back=st.booleans(),
    keepdims=st.sampled_from([0, 1]),
    noop=st.sampled_from([0, 1]),
)
def test_there_and_back(op: str, axes: list[int], back: bool, keepdims: int, noop: int) -> None:
    reduced = axes or ([] if noop else [0, 1, 2])
    sizes = [1 if axis in reduced else size for axis, size in enumerate((2, 3, 4)) if keepdims or axis not in reduced]
    written = [axis - 3 if back else axis for axis in axes]
    proto = parse(
        f"""
        g (float[2,3,4] x) => (float{sizes or ""} y) <int64[{len(axes)}] a = {{{", ".join(map(str, written))}}}> {{
            y = {op}<keepdims = {keepdims}, noop_with_empty_axes = {noop}>(x, a)
        }}""",
        18,
    )
    for target in (13, 11, 9, 28):
        after = pin(proto, target)
        assert_same(proto, after, X, limit=1e-6)
        assert_same(proto, pin(after, 28), X, limit=1e-6)


def test_nothing_reduced_is_an_identity_or_what_is_left() -> None:
    for op, left in (("ReduceSum", {"Identity": 1}), ("ReduceL2", {"Unsqueeze": 1, "ReduceL2": 1})):
        proto = parse(f"g (float[2] x) => (float[2] y) {{ y = {op}<noop_with_empty_axes = 1>(x) }}", 18)
        after = pin(proto, 11)
        assert ops(after) == left
        assert_same(proto, after)


def test_sum_takes_an_input_from_13_on() -> None:
    proto = parse("g (float[2,3] x) => (float[2,1] y) { y = ReduceSum<axes = [1]>(x) }", 11)
    assert len(pin(proto, 13).graph.node[0].input) == 2
    other = parse("g (float[2,3] x) => (float[2,1] y) { y = ReduceMax<axes = [1]>(x) }", 11)
    assert len(pin(other, 17).graph.node[0].input) == 1
    assert len(pin(other, 18).graph.node[0].input) == 2


def test_axes_of_run_time_are_refused() -> None:
    proto = parse("g (float[2,3] x, int64[1] a) => (float[p,q] y) { y = ReduceMean(x, a) }", 18)
    refused(proto, 17, r"its axes \(a\) are computed at run time")


def test_negative_axes_need_a_rank() -> None:
    proto = parse("g (float[a] x, int64[n] s) => (float[p] y) { r = Reshape(x, s)  y = ReduceMax<axes = [-1]>(r) }", 13)
    refused(proto, 10, "counts from the back")


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
def test_booleans(op: str) -> None:
    proto = parse(f"g (bool[2,3] x) => (bool[2] y) <int64[1] a = {{1}}> {{ y = {op}<keepdims = 0>(x, a) }}", 20)
    for target in (19, 12, 9):
        after = pin(proto, target)
        for values in ([[1, 0, 1], [1, 1, 1]], [[0, 0, 0], [0, 1, 0]]):
            assert_same(proto, after, {"x": np.array(values, bool)})


@pytest.mark.parametrize("op", ["ReduceMax", "ReduceMin"])
@pytest.mark.parametrize("kind", ["int8", "uint8"])
def test_bytes(op: str, kind: str) -> None:
    proto = parse(f"g ({kind}[n,3] x) => ({kind}[n,1] y) {{ y = {op}<axes = [1]>(x) }}", 13)
    after = pin(proto, 11)
    limits = np.iinfo(kind)
    assert_same(proto, after, {"x": np.array([[limits.min, 3, limits.max], [5, 6, 7]], kind)})
    assert ops(after)["Cast"] == 2
    assert ops(after)[op[6:]] == 1  # of nothing the result is the type's own limit
    known = parse(f"g ({kind}[2,3] x) => ({kind}[2,1] y) {{ y = {op}<axes = [1]>(x) }}", 13)
    assert ops(pin(known, 11)) == {"Cast": 2, op: 1}


def test_logarithm_of_integers_is_rounded_as_before() -> None:
    proto = parse("g (int32[2,4] x) => (int32[2,1] y) { y = ReduceLogSum<axes = [1]>(x) }", 13)
    after = pin(proto, 28)
    assert ops(after) == {"ReduceSum": 1, "Cast": 2, "Log": 1}
    for values in ([[3, 4, 5, 5], [1, 0, 0, 0]], [[1000, 1000, 1000, 1], [7, 7, 7, 7]]):
        assert_same(proto, after, {"x": np.array(values, np.int32)})


def test_exponentials_of_integers_are_refused() -> None:
    proto = parse("g (int32[2,4] x) => (int32[2,1] y) { y = ReduceLogSumExp<axes = [1]>(x) }", 13)
    refused(proto, 28, "how they are rounded is not defined")
    assert pin(proto, 27).graph.node[0].op_type == "ReduceLogSumExp"


def test_bfloat16_stops_at_13() -> None:
    proto = parse("g (bfloat16[2] x) => (bfloat16[1] y) { y = ReduceMax(x) }", 18)
    refused(proto, 12, "bfloat16")


def test_a_function_s_parameter_is_refused() -> None:
    proto = onnx.parser.parse_model(
        """
        <ir_version: 8, opset_import: ["" : 18, "f" : 1]>
        g (float[2] x) => (float[2] y) { y = f.r<n = 1>(x) }
        <domain: "f", opset_import: ["" : 18]>
        r <n> (p) => (q) { q = ReduceSum<noop_with_empty_axes: int = @n>(p) }
        """
    )
    refused(proto, 11, "inline")
