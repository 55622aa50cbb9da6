from __future__ import annotations

import onnx
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def attributes(proto: onnx.ModelProto, op: str) -> list[dict[str, object]]:
    nodes = [node for node in proto.graph.node if node.op_type == op]
    return [{item.name: onnx.helper.get_attribute_value(item) for item in node.attribute} for node in nodes]


def test_axes_become_an_attribute_and_come_back() -> None:
    proto = parse(
        """
        g (float[1,3,1] x) => (float[1,3] y, float[1,1,3,1] z) <int64[1] a = {-1}, int64[1] b = {-4}> {
            y = Squeeze(x, a)
            z = Unsqueeze(x, b)
        }""",
        17,
    )
    eleven = pin(proto, 11)
    assert attributes(eleven, "Squeeze") == [{"axes": [-1]}]
    assert attributes(eleven, "Unsqueeze") == [{"axes": [-4]}]
    assert_same(proto, eleven)
    nine = pin(proto, 9)
    assert attributes(nine, "Squeeze") == [{"axes": [2]}]
    assert attributes(nine, "Unsqueeze") == [{"axes": [0]}]
    assert_same(proto, nine)
    newest = pin(nine, 28)
    assert all(not node.attribute and len(node.input) == 2 for node in newest.graph.node)
    assert_same(proto, newest)


def test_squeeze_without_axes_stays() -> None:
    proto = parse("g (float[1,3] x) => (float[3] y) { y = Squeeze(x) }", 17)
    for target in (9, 28):
        after = pin(proto, target)
        assert list(after.graph.node[0].input) == ["x"]
        assert not after.graph.node[0].attribute


def test_axes_folded_from_shapes_count_as_constants() -> None:
    proto = parse(
        """
        g (float[1,3] x) => (float[3] y) {
            s = Shape(x)
            two = Size(s)
            r = Constant<value_ints = [-2]>()
            p = Add(r, two)
            y = Squeeze(x, p)
        }""",
        17,
    )
    after = pin(proto, 11)
    assert attributes(after, "Squeeze") == [{"axes": [0]}]
    assert_same(proto, after)


def test_axes_of_run_time_are_refused() -> None:
    proto = parse("g (float[3] x, int64[1] a) => (float[m,n] y) { y = Unsqueeze(x, a) }", 17)
    assert "its axes (a) are computed at run time" in refused(proto, 12, "stops at opset 13")


def test_overridable_axes_are_no_constants() -> None:
    proto = parse("g (float[3] x, int64[1] a) => (float[m,n] y) <int64[1] a = {0}> { y = Unsqueeze(x, a) }", 17)
    refused(proto, 12, "computed at run time")


def test_empty_axes_of_squeeze_are_read_differently() -> None:
    proto = parse("g (float[1,3] x) => (float[n,m] y) <int64[0] a = {}> { y = Squeeze(x, a) }", 17)
    refused(proto, 12, "given and empty")


@pytest.mark.parametrize("op", ["Squeeze", "Unsqueeze"])
def test_negative_axes_need_a_rank(op: str) -> None:
    proto = parse(
        f"g (float[a,b] x, int64[n] s) => (float[p,q] y) <int64[1] a = {{-1}}> {{ r = Reshape(x, s)  y = {op}(r, a) }}",
        17,
    )
    pin(proto, 11)
    assert 'the rank of "r", to count from the front, is not known' in refused(proto, 10, f"{op} .* stops at opset 11")


def test_bfloat16_stops_at_13() -> None:
    proto = parse("g (bfloat16[1,3] x) => (bfloat16[3] y) <int64[1] a = {0}> { y = Squeeze(x, a) }", 17)
    refused(proto, 12, "bfloat16")


def test_axes_in_a_subgraph() -> None:
    proto = parse(
        """
        g (bool c, float[1,3] x) => (float[3] y) <int64[1] a = {-2}> {
            y = If(c) <
                then_branch = t () => (float[3] p) { p = Squeeze(x, a) },
                else_branch = e () => (float[3] q) { k = Constant<value_ints = [0]>()  q = Squeeze(x, k) }
            >
        }""",
        17,
    )
    after = pin(proto, 9)
    assert ops(after)["Squeeze"] == 2
    assert_same(proto, after)
