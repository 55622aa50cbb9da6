from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import parse
from tests.passes.opset.pinning import assert_same, pin, refused

NODES = {
    "ArgMax": "(float[2,3] x) => (int64[2,1] y) { y = ArgMax<axis = -1>(x) }",
    "ArgMin": "(float[2,3] x) => (int64[2,1] y) { y = ArgMin<axis = -1>(x) }",
    "Compress": "(float[2,3] x) => (float[2,n] y) <bool[3] c = {1, 0, 1}> { y = Compress<axis = -1>(x, c) }",
    "Concat": "(float[2,3] x) => (float[2,6] y) { y = Concat<axis = -1>(x, x) }",
    "Flatten": "(float[2,3] x) => (float[2,3] y) { y = Flatten<axis = -1>(x) }",
    "Hardmax": "(float[2,3] x) => (float[2,3] y) { y = Hardmax<axis = -1>(x) }",
    "LogSoftmax": "(float[2,3] x) => (float[2,3] y) { y = LogSoftmax<axis = -1>(x) }",
    "Softmax": "(float[2,3] x) => (float[2,3] y) { y = Softmax<axis = -1>(x) }",
}


@pytest.mark.parametrize("op", NODES)
def test_counted_from_the_front(op: str) -> None:
    proto = parse(f"g {NODES[op]}", 11)
    after = pin(proto, 10 if op != "Compress" else 9)
    (node,) = [node for node in after.graph.node if node.op_type == op]
    assert [item.i for item in node.attribute if item.name == "axis"] == [1]
    assert_same(proto, after)
    assert_same(proto, pin(after, 28), limit=1e-6)


@pytest.mark.parametrize("op", [op for op in NODES if op != "Concat"])
def test_the_rank_must_be_known(op: str) -> None:
    text = NODES[op].replace("float[2,3] x", "float[n] z, int64[r] s").replace("{ y", "{ x = Reshape(z, s)  y")
    refused(parse(f"g {text}", 11), 9, 'its axis -1 counts from the back, and the rank of "x"')


def test_any_input_of_a_concat_tells_the_rank() -> None:
    proto = parse(
        "g (float[2] z, int64[r] s, float[2,3] w) => (float[2,n] y) { x = Reshape(z, s)  y = Concat<axis = -1>(x, w) }",
        11,
    )
    after = pin(proto, 9)
    assert after.graph.node[1].attribute[0].i == 1


def test_axes_of_a_scan() -> None:
    proto = parse(
        """
        g (float[2] s, float[2,3] x) => (float[2] t, float[2,3] y) {
            t, y = Scan<
                num_scan_inputs = 1, scan_input_axes = [-1], scan_output_axes = [-1],
                body = b (float[2] a, float[2] e) => (float[2] c, float[2] o) {
                    c = Add(a, e)
                    o = Identity(c)
                }
            >(s, x)
        }""",
        11,
    )
    after = pin(proto, 9)
    axes = {item.name: list(item.ints) for item in after.graph.node[0].attribute if item.name.endswith("axes")}
    assert axes == {"scan_input_axes": [1], "scan_output_axes": [1]}
    inputs = {"s": np.zeros(2, np.float32), "x": np.arange(6, dtype=np.float32).reshape(2, 3)}
    assert_same(proto, after, inputs)
    assert_same(proto, pin(after, 28), inputs)
