"""Cast and CastLike: attributes for float8, infinities, and CastLike where it does not exist."""

from __future__ import annotations

import numpy as np
import pytest

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, outputs, pin, refused


def test_attributes_that_say_nothing_are_dropped() -> None:
    before = parse(
        'g (float[3] x) => (int32[3] y) { y = Cast<to=6, saturate=0, round_mode="down">(x) }', opset=24, ir=11
    )
    after = pin(before, 13)
    assert [item.name for item in after.graph.node[0].attribute] == ["to"]
    after = pin(before, 23)
    assert {item.name for item in after.graph.node[0].attribute} == {"to", "saturate"}


def test_float8_is_refused() -> None:
    before = parse("g (float[3] x) => (float8e4m3fn[3] y) { y = Cast<to=17, saturate=0>(x) }", opset=19, ir=9)
    refused(before, 18, r"stops at opset 19: tensor\(float8e4m3fn\) is not admitted")


@pytest.mark.parametrize(("to", "kind", "largest"), [(18, "float8e4m3fnuz", 240.0), (20, "float8e5m2fnuz", 57344.0)])
@pytest.mark.parametrize("source", ["float", "float16", "double"])
def test_infinities_of_types_that_have_none(to: int, kind: str, largest: float, source: str) -> None:
    """The largest value at 24, NaN at 23."""
    text = f"g ({source}[5] x) => (float[5] y) {{ a = Cast<to={to}>(x) y = Cast<to=1>(a) }}"
    x = np.array([np.inf, -np.inf, np.nan, 1, -2], {"float": "f4", "float16": "f2", "double": "f8"}[source])
    down = pin(parse(text, opset=24, ir=11), 23)
    assert ops(down) == {"Greater": 1, "IsInf": 1, "Where": 2, "Cast": 2}
    np.testing.assert_array_equal(outputs(down, {"x": x})["y"], [largest, -largest, np.nan, 1, -2])
    up = pin(parse(text, opset=23, ir=10), 24)
    assert ops(up) == {"IsInf": 1, "Where": 1, "Cast": 2}
    np.testing.assert_array_equal(outputs(up, {"x": x})["y"], [np.nan, np.nan, np.nan, 1, -2])


def test_infinities_elsewhere_are_left_alone() -> None:
    for text in (
        "g (float[5] x) => (float8e5m2[5] y) { y = Cast<to=19>(x) }",
        "g (float[5] x) => (float8e4m3fnuz[5] y) { y = Cast<to=18, saturate=0>(x) }",
        "g (int32[5] x) => (float8e4m3fnuz[5] y) { y = Cast<to=18>(x) }",
    ):
        assert ops(pin(parse(text, opset=24, ir=11), 23)) == {"Cast": 1}
    refused(
        parse("g (string[5] x) => (float8e4m3fnuz[5] y) { y = Cast<to=18>(x) }", opset=24, ir=11),
        23,
        "an infinity becomes",
    )


def test_cast_like_becomes_cast() -> None:
    before = parse("g (float[3] x, int32[1] t) => (int32[3] y) { y = CastLike(x, t) }")
    after = pin(before, 14)
    assert ops(after) == {"Cast": 1}
    assert_same(before, after)
    text = "g (float[3] x, seq(int32[1]) s, int64 i) => (int32[3] y) { t = com.test.Some(x) y = CastLike(x, t) }"
    refused(parse(text, more=', "com.test" : 1'), 14, 'the type of "t" is not known')
