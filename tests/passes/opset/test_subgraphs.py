"""Bodies of If, Loop and Scan are converted, with what is known of their inputs and of the tensors around them."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from graphkit.passes.opset import convert
from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def body(proto: onnx.ModelProto, attribute: str = "body") -> onnx.GraphProto:
    """The first graph of that name in a top-level node."""
    found: list[onnx.GraphProto] = [
        item.g for node in proto.graph.node for item in node.attribute if item.name == attribute
    ]
    return found[0]


IF = """g (float[4] x, bool c) => (float[2] y) {
    y = If (c) <then_branch = t () => (float[2] p) { p, q = Split<axis = 0, num_outputs = 2>(x) },
                else_branch = e () => (float[2] s) { r, s = Split<axis = 0, num_outputs = 2>(x) }>
}"""


@pytest.mark.parametrize("target", [9, 11, 13, 17, 21])
@pytest.mark.parametrize("condition", [True, False])
def test_both_branches_read_from_outside(target: int, condition: bool) -> None:
    proto = parse(IF, 18)
    after = pin(proto, target)
    assert ops(after) == {"If": 1, "Split": 2}
    assert_same(proto, after, {"x": np.arange(4, dtype=np.float32), "c": np.array(condition)})


def test_constants_for_a_subgraph_come_from_the_model() -> None:
    """At opset 13 sizes are an input: both branches share one initializer of the model."""
    after = pin(parse(IF, 18), 13)
    assert [numpy_helper.to_array(item).tolist() for item in after.graph.initializer] == [[2, 2]]
    assert not body(after, "then_branch").initializer


def test_a_refusal_names_nodes_in_subgraphs() -> None:
    text = """g (float[4] x, bool c, int64[2] axes) => (float[a] y) {
        y = If (c) <then_branch = t () => (float[b] p) { p = ReduceSum(x, axes) },
                    else_branch = e () => (float[d] r) { r = ReduceSum(x, axes) }>
    }"""
    message = refused(parse(text, 18), 11, "stops at opset 13")
    assert "ReduceSum → p" in message
    assert "ReduceSum → r" in message


LOOP = """g (float[2, 3] x, int64 n) => (float[2, 3] y, float[a, 2, 1] z) <bool c = {1}, int64[1] axes = {1}> {
    y, z = Loop (n, c, x) <body = b (int64 i, bool k, float[2, 3] s) => (bool l, float[2, 3] t, float[2, 1] m) {
        l = Identity(k)
        m = ReduceMean(s, axes)
        t = Sub(s, m)
    }>
}"""


@pytest.mark.parametrize("target", [9, 11, 13, 21, 28])
def test_a_loop(target: int) -> None:
    proto = parse(LOOP, 18)
    after = pin(proto, target)
    feeds = {"x": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(3)}
    assert_same(proto, after, feeds)


def _untyped(text: str, opset: int = 18) -> onnx.ModelProto:
    """The model, the inputs and outputs of its bodies without types, which they need not have."""
    proto = parse(text, opset)
    graph = body(proto)
    for info in (*graph.input, *graph.output):
        info.ClearField("type")
    return proto


ADD = """g (KIND[2] x, int64 n) => (KIND[2] y) <bool c = {1}> {
    y = Loop (n, c, x) <body = b (int64 i, bool k, KIND[2] s) => (bool l, KIND[2] t) {
        l = Identity(k)
        t = Relu(s)
    }>
}"""


def test_the_type_of_a_loops_state_is_that_of_what_goes_in() -> None:
    """Nothing takes bfloat16 before opset 13."""
    assert ops(pin(_untyped(ADD.replace("KIND", "float")), 12)) == {"Loop": 1, "Identity": 1, "Relu": 1}
    refused(_untyped(ADD.replace("KIND", "bfloat16")), 12, r"tensor\(bfloat16\) is not admitted for X")


def test_a_state_may_change_its_shape() -> None:
    """What a state's shape is when the loop starts says nothing of later iterations, so nothing may follow from it."""
    text = """g (float[4] x, int64 n) => (float[a] y) <bool c = {1}> {
        y = Loop (n, c, x) <body = b (int64 i, bool k, float[a] s) => (bool l, float[d] t) {
            l = Identity(k)
            p, t = Split<axis = 0, num_outputs = 2>(s)
        }>
    }"""
    proto = _untyped(text)
    made = convert(proto, 11, numpy_helper.to_array)
    split = [node for node in body(made.model).node if node.op_type == "Split"]
    assert made.blockers or not any(item.name == "split" for node in split for item in node.attribute)


SCAN = """g (float[2] s, float[3, 2, 4] x) => (float[2] t, float[3, 2] y) <int64[1] axes = {1}> {
    t, y = Scan<num_scan_inputs = 1, body = b (float[2] u, float[2, 4] v) => (float[2] w, float[2] z) {
        w1 = ReduceSum<keepdims = 0>(v, axes)
        w = Add(u, w1)
        a, b = Split<axis = 1, num_outputs = 2>(v)
        z = ReduceMax<keepdims = 0>(a, axes)
    }> (s, x)
}"""


@pytest.mark.parametrize("target", [9, 11, 13, 21])
def test_a_scan_whose_body_says_no_types(target: int) -> None:
    """A state keeps its shape, a slice has that of what it is cut from without the axis: Split's sizes are known."""
    proto = _untyped(SCAN)
    after = pin(proto, target)
    assert_same(parse(SCAN, 18), after)


def test_a_scan_along_another_axis() -> None:
    text = SCAN.replace("float[3, 2, 4] x", "float[2, 4, 3] x").replace("Scan<", "Scan<scan_input_axes = [-1], ")
    proto = _untyped(text)
    assert_same(parse(text, 18), pin(proto, 11))


def test_equal_names_in_two_branches_are_two_tensors() -> None:
    """Both branches call a tensor `p`; their types differ, and each is held to its own."""
    text = """g (float[2] x, bfloat16[2] i, bool c) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] r) { p = Identity(x) r = Relu(p) },
                    else_branch = e () => (float[2] s) { p = Identity(i) q = Relu(p) s = Cast<to = 1>(q) }>
    }"""
    message = refused(parse(text, 18), 12, "bfloat16")
    assert "Relu → q" in message
    assert "Relu → r" not in message


def test_a_body_within_a_body() -> None:
    text = """g (float[4] x, bool c, bool d) => (float[2] y) {
        y = If (c) <then_branch = t () => (float[2] p) {
                p = If (d) <then_branch = tt () => (float[2] a) { a, b = Split<axis = 0, num_outputs = 2>(x) },
                            else_branch = te () => (float[2] e) { f, e = Split<axis = 0, num_outputs = 2>(x) }> },
                    else_branch = e () => (float[2] r) { r, s = Split<axis = 0, num_outputs = 2>(x) }>
    }"""
    proto = parse(text, 18)
    for target in (11, 13, 19):
        after = pin(proto, target)
        for c, d in ((True, True), (True, False), (False, True)):
            assert_same(proto, after, {"x": np.arange(4, dtype=np.float32), "c": np.array(c), "d": np.array(d)})


def test_what_a_body_reads_from_later_nodes_is_sorted_before_it() -> None:
    proto = parse(IF.replace("(x)", "(h)").replace("y = If", "h = Exp(x)\n    y = If"), 18)
    nodes = list(proto.graph.node)[::-1]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    after = pin(proto, 11)
    assert [node.op_type for node in after.graph.node] == ["Exp", "If"]


def test_a_graph_of_another_domain_has_its_constants_for_itself() -> None:
    """Nobody knows whether who runs it lets it read from outside."""
    proto = parse("g (float[4] x) => (float[2] y) { y = my.Apply(x) }", 18, more=', "my" : 1')
    inner = parse("f (float[4] s) => (float[2] p) { p, q = Split<axis = 0, num_outputs = 2>(s) }", 18).graph
    proto.graph.node[0].attribute.append(helper.make_attribute("f", inner))
    after = pin(proto, 13, check=False)
    assert not after.graph.initializer
    assert [item.data_type for item in body(after, "f").initializer] == [TensorProto.INT64]
