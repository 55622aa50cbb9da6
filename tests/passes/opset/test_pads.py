from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


def values(proto: onnx.ModelProto, op: str = "Pad") -> dict[str, object]:
    node = next(node for node in proto.graph.node if node.op_type == op)
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


@settings(max_examples=20, deadline=None)
@given(
    mode=st.sampled_from(["constant", "reflect", "edge"]),
    pads=st.lists(st.integers(-1, 1), min_size=4, max_size=4),
    value=st.sampled_from([0.0, 1.5, float("-inf")]),
    order=st.sampled_from([[0, 1], [1, 0], [-1, 0]]),
)
def test_axes_and_modes(mode: str, pads: list[int], value: float, order: list[int]) -> None:
    proto = parse(
        f"""
        g (float[3,4] x) => (float[m,n] y)
        <int64[4] p = {{{", ".join(map(str, pads))}}}, int64[2] a = {{{", ".join(map(str, order))}}}> {{
            y = Pad<mode = "{mode}">(x, p, v, a)
        }}""",
        18,
    )
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.float32), "v"))
    for target in (13, 11, 10, 9, 28):
        after = pin(proto, target)
        assert_same(proto, after)
        assert_same(proto, pin(after, 28))


def test_axes_are_padded_by_nothing_where_they_are_not_named() -> None:
    proto = parse(
        "g (float[1,2,3] x) => (float[1,2,6] y) <int64[2] p = {1, 2}, int32[1] a = {-1}> { y = Pad(x, p, , a) }", 18
    )
    after = pin(proto, 9)
    assert values(after) == {"pads": [0, 0, 1, 0, 0, 2]}
    assert_same(proto, after)


def test_pads_of_run_time_are_spread_over_the_axes() -> None:
    proto = parse(
        "g (float[2,3] x, int64[2] p) => (float[2,n] y) <int64[1] a = {1}> { y = Pad(x, p, , a) }",
        18,
    )
    after = pin(proto, 11)
    assert_same(proto, after, {"x": np.ones((2, 3), np.float32), "p": np.array([1, 2])})
    refused(proto, 10, r"its pads \(.*\) are computed at run time")


def test_axes_of_run_time_and_double_axes_are_refused() -> None:
    proto = parse("g (float[2,3] x, int64[1] a) => (float[m,n] y) <int64[2] p = {1, 2}> { y = Pad(x, p, , a) }", 18)
    refused(proto, 17, r"its axes \(a\)")
    twice = parse(
        "g (float[2,3] x) => (float[m,n] y) <int64[4] p = {1, 2, 1, 1}, int64[2] a = {1, -1}> { y = Pad(x, p, , a) }",
        18,
    )
    refused(twice, 17, "an axis twice")


@settings(max_examples=10, deadline=None)
@given(pads=st.lists(st.integers(0, 7), min_size=4, max_size=4))
def test_wrap(pads: list[int]) -> None:
    text = ", ".join(map(str, pads))
    proto = parse(
        f'g (float[2,3] x) => (float[m,n] y) <int64[4] p = {{{text}}}> {{ y = Pad<mode = "wrap">(x, p) }}', 19
    )
    after = pin(proto, 9)
    assert "Pad" not in ops(after)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = outputs(after, {"x": x})["y"]
    np.testing.assert_array_equal(found, np.pad(x, [(pads[0], pads[2]), (pads[1], pads[3])], "wrap"))


def test_wrap_around_what_is_not_known_is_refused() -> None:
    proto = parse('g (float[n] x) => (float[m] y) <int64[2] p = {1, 1}> { y = Pad<mode = "wrap">(x, p) }', 19)
    refused(proto, 18, "size of axis 0 to wrap around is not known")
    negative = parse('g (float[4] x) => (float[m] y) <int64[2] p = {-1, 1}> { y = Pad<mode = "wrap">(x, p) }', 19)
    refused(negative, 18, "takes elements away")


def test_booleans_are_padded_as_bytes() -> None:
    proto = parse("g (bool[2] x) => (bool[4] y) <int64[2] p = {1, 1}, bool v = {1}> { y = Pad(x, p, v) }", 13)
    for target in (11, 9):
        after = pin(proto, target)
        assert_same(proto, after, {"x": np.array([True, False])})


@pytest.mark.parametrize("kind", ["int8", "int32", "uint8"])
def test_integers_are_padded_as_floats(kind: str) -> None:
    proto = parse(
        f"g ({kind}[2] x) => ({kind}[4] y) <int64[2] p = {{1, 1}}, {kind} v = {{7}}> {{ y = Pad(x, p, v) }}", 13
    )
    limits = np.iinfo(kind)
    assert_same(proto, pin(proto, 9), {"x": np.array([limits.min, limits.max], kind)})


def test_int64_and_unfit_values_are_refused() -> None:
    proto = parse("g (int64[2] x) => (int64[4] y) <int64[2] p = {1, 1}> { y = Pad(x, p) }", 13)
    refused(proto, 10, "int64.* is not admitted")
    fine = parse("g (double[2] x) => (double[4] y) <int64[2] p = {1, 1}, double v = {0.1}> { y = Pad(x, p, v) }", 13)
    refused(fine, 10, "no 32 bit float")
    unknown = parse("g (float[2] x, float v) => (float[4] y) <int64[2] p = {1, 1}> { y = Pad(x, p, v) }", 13)
    refused(unknown, 10, r"its constant_value \(v\)")


def test_attributes_become_inputs() -> None:
    proto = parse('g (float16[2] x) => (float16[4] y) { y = Pad<mode = "constant", pads = [1, 1], value = 2.5>(x) }', 9)
    after = pin(proto, 11)
    assert values(after) == {"mode": b"constant"}
    assert len(after.graph.node[0].input) == 3
    plain = parse("g (float[2] x) => (float[4] y) { y = Pad<pads = [1, 1]>(x) }", 9)
    assert len(pin(plain, 28).graph.node[0].input) == 2
    assert_same(plain, pin(plain, 28))
