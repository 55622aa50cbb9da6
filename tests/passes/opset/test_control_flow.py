"""If with branches of different shapes; Scan over a batch."""

from __future__ import annotations

import numpy as np

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused

BRANCHES = (
    "g (bool c, float[2] x) => (float[n] y) { y = If(c) <then_branch = t () => (float[2] a) { a = Relu(x) },"
    " else_branch = e () => (float[SIZE] b) { b = CALL } > }"
)


def test_branches_of_different_shapes() -> None:
    text = BRANCHES.replace("SIZE", "4").replace("CALL", "Concat<axis=0>(x, x)")
    refused(parse(text), 10, 'its branches return different shapes \\("a" and "b"\\)')
    same = parse(BRANCHES.replace("SIZE", "2").replace("CALL", "Neg(x)"))
    after = pin(same, 9)
    assert_same(same, after, {"c": np.array(False), "x": np.ones(2, np.float32)})


SCAN = (
    "g (float[B,3] s, float[B,4,3] x, float[B,4,3] w) => (float[B,3] t, float[B,4,3] y) "
    "{ t, y = Scan<num_scan_inputs=2, directions=[0,1], "
    "body = each (float[3] a, float[3] b, float[3] c) => (float[3] d, float[3] e) "
    "{ f = Mul(b, c) d = Add(a, f) e = Identity(d) }>(LENGTHS, s, x, w) }"
)


def test_scan_over_a_batch() -> None:
    before = parse(SCAN.replace("LENGTHS", ""), opset=8, ir=3)
    after = pin(before, 21)
    assert ops(after) == {"Scan": 2, "Mul": 1, "Add": 1, "Identity": 1}
    random = np.random.default_rng(0)
    s, x, w = (random.normal(size=shape).astype(np.float32) for shape in ((2, 3), (2, 4, 3), (2, 4, 3)))
    result = outputs(after, {"s": s, "x": x, "w": w})
    expected = s[:, None] + np.cumsum(x * w[:, ::-1], axis=1)
    np.testing.assert_allclose(result["y"], expected, rtol=1e-5)
    np.testing.assert_allclose(result["t"], expected[:, -1], rtol=1e-5)
    lengths = SCAN.replace("LENGTHS", "l").replace("g (", "g (int64[B] l, ")
    refused(parse(lengths, opset=8, ir=3), 9, "its sequence_lens, of which each")
