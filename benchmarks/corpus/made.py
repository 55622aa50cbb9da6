"""Small models for what the corpus has no real file of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from onnx import ModelProto, TensorProto, helper, parser

_OUTER = """
<ir_version: 9, opset_import: ["" : 18]>
main (float[N, 3] xs, float[3] first, bool c) => (float[3] last, float[N, 3] sums, float[3] y)
<float[3] scale = {1, 2, 3}, int64 turns = {2}, bool yes = {1}>
{
    shift = Relu (first)
    last, sums = Scan <num_scan_inputs = 1,
        body = step (float[3] before, float[3] x) => (float[3] after, float[3] out) {
            a = Mul (x, scale)  b = Add (a, shift)  after = Add (before, b)  out = Identity (after)
        }
    > (first, xs)
    y = Loop (turns, yes, last) <
        body = turn (int64 i, bool go, float[3] v) => (bool on, float[3] w) {
            on = Identity (go)
            w = If (c) <
                then_branch = one () => (float[3] p) { p = Add (v, shift) },
                else_branch = two () => (float[3] q) { q = Mul (v, scale) }
            >
        }
    >
}
"""
_LYING = """
<ir_version: 8, opset_import: ["" : 17]>
main (float[1, 3, 8, 8] x) => (float[1, 4, 36] y)
<int64[3] shape = {1, 4, -1}, float[1] one = {1}>
{
    a = Conv (x, w)
    b = Mul (a, one)
    c = Reshape (b, shape)
    y = Relu (c)
}
"""


def lying() -> ModelProto:
    """Shapes declared inside that are not those of the tensors: a stale export."""
    model = parser.parse_model(_LYING)
    values = [(7 * index % 11 - 5) / 8 for index in range(4 * 3 * 9)]
    model.graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], values))
    for name, shape in (("a", [1, 4, 8, 8]), ("b", [1, 1, 1]), ("c", [1, 4, 64])):
        model.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    return model


MADE: dict[str, Callable[[], ModelProto]] = {
    "scan-loop-if-outer-scope": partial(parser.parse_model, _OUTER),
    "wrong-declared-shapes": lying,
}
"""Name -> how it is made."""
