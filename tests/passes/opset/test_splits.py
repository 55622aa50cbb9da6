from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def split_attribute(proto: onnx.ModelProto) -> list[int]:
    node = next(node for node in proto.graph.node if node.op_type == "Split")
    return next(list(item.ints) for item in node.attribute if item.name == "split")


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 12), count=st.integers(1, 4), known=st.booleans())
def test_num_outputs(size: int, count: int, known: bool) -> None:
    if size - -(-size // count) * (count - 1) < 0:
        return
    outputs = ", ".join(f"float[2,n{index}] y{index}" for index in range(count))
    names = ", ".join(f"y{index}" for index in range(count))
    length = size if known else "n"
    proto = parse(
        f"g (float[2,{length}] x) => ({outputs}) {{ {names} = Split<axis = -1, num_outputs = {count}>(x) }}", 18
    )
    inputs = {"x": np.arange(2 * size, dtype=np.float32).reshape(2, size)}
    for target in (13, 12, 9, 28):
        assert_same(proto, pin(proto, target), inputs)


def test_num_outputs_of_a_known_axis_become_sizes() -> None:
    proto = parse("g (float[7] x) => (float[4] y, float[3] z) { y, z = Split<num_outputs = 2>(x) }", 18)
    assert split_attribute(pin(proto, 9)) == [4, 3]
    back = pin(pin(proto, 9), 18)
    assert len(back.graph.node[0].input) == 2
    assert_same(proto, back)


def test_sizes_that_do_not_fit_are_an_error_at_run_time_only() -> None:
    proto = parse(
        """
        g (bool c, float[5] x) => (float[m] y) {
            y = If(c) <
                then_branch = t () => (float[m] p) { p, q, r, s = Split<num_outputs = 4>(x) },
                else_branch = e () => (float[m] z) { z, w = Split<num_outputs = 2>(x) }
            >
        }""",
        18,
    )
    after = pin(proto, 13, check=False)
    assert_same(proto, after, {"c": np.array(False), "x": np.arange(5, dtype=np.float32)})


def test_equal_parts_get_num_outputs() -> None:
    proto = parse("g (float[6] x) => (float[3] y, float[3] z) { y, z = Split(x) }", 11)
    after = pin(proto, 18)
    assert [(item.name, item.i) for item in after.graph.node[0].attribute] == [("num_outputs", 2)]
    assert_same(proto, after)
    assert not pin(after, 9).graph.node[0].attribute[0].name.startswith("num")


def test_sizes_of_run_time_become_slices() -> None:
    proto = parse(
        """
        g (float[6,2] x, int64[3] s) => (float[a,2] p, float[b,2] q, float[c,2] r) {
            p, q, r = Split<axis = -2>(x, s)
        }""",
        13,
    )
    eleven, nine = pin(proto, 11), pin(proto, 9)
    assert ops(eleven)["Slice"] == 6
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    for sizes in ([1, 2, 3], [0, 6, 0], [4, 0, 2]):
        for after in (eleven, nine):
            assert_same(proto, after, {"x": x, "s": np.array(sizes)})


def test_negative_axis_below_11() -> None:
    proto = parse("g (float[2,4] x) => (float[2,1] y, float[2,3] z) { y, z = Split<axis = -1, split = [1, 3]>(x) }", 11)
    after = pin(proto, 9)
    assert next(item.i for item in after.graph.node[0].attribute if item.name == "axis") == 1
    assert_same(proto, after)


def test_bfloat16_stops_at_13() -> None:
    proto = parse("g (bfloat16[2] x) => (bfloat16[1] y, bfloat16[1] z) { y, z = Split(x) }", 13)
    refused(proto, 12, "bfloat16")


@pytest.mark.parametrize("target", [9, 28])
def test_in_a_subgraph(target: int) -> None:
    proto = parse(
        """
        g (bool c, float[6] x) => (float[3] y) {
            y = If(c) <
                then_branch = t () => (float[3] p) { p, r = Split<num_outputs = 2>(x) },
                else_branch = e () => (float[3] q) { s, q = Split<num_outputs = 2>(x) }
            >
        }""",
        18,
    )
    after = pin(proto, target)
    x = np.arange(6, dtype=np.float32)
    for condition in (True, False):
        assert_same(proto, after, {"c": np.array(condition), "x": x})
