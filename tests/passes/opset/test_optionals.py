"""OptionalHasElement, OptionalGetElement, and Identity of sequences."""

from __future__ import annotations

import numpy as np
import onnx

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


def test_a_tensor_is_its_own_element() -> None:
    before = parse(
        "g (float[3] x) => (float[3] y, bool h, bool n) "
        "{ y = OptionalGetElement(x) h = OptionalHasElement(x) n = OptionalHasElement() }",
        opset=18,
    )
    after = pin(before, 13)
    assert ops(after) == {"Identity": 3}
    result = outputs(after, {"x": np.ones(3, np.float32)})
    assert (bool(result["h"]), bool(result["n"])) == (True, False)
    assert_same(before, after)


def sequence(opset: int) -> onnx.ModelProto:
    return parse(
        "g (float[3] x) => (float[3] y, int64 n) { s = SequenceConstruct(x, x) t = Identity(s)"
        " n = SequenceLength(t) one = Constant<value = int64 {1}>() y = SequenceAt(t, one) }",
        opset=opset,
    )


def test_identity_of_a_sequence() -> None:
    before = sequence(14)
    after = pin(before, 11)
    assert ops(after)["SequenceInsert"] == ops(after)["SequenceErase"] == 1
    assert_same(before, after)
    refused(before, 10, "SequenceConstruct")


def test_an_optional_stays_one() -> None:
    before = parse("g (float[3] x) => (bool h) { o = Optional(x) h = OptionalHasElement(o) }", opset=18)
    assert ops(pin(before, 15)) == {"Optional": 1, "OptionalHasElement": 1}
    refused(before, 14, "stops at opset 15")
