from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused

PLACES = st.sampled_from([None, -9, -3, -2, -1, 0, 1, 2, 3, 9])


@settings(max_examples=30, deadline=None)
@given(start=PLACES, end=PLACES)
def test_a_part_of_the_shape(start: int | None, end: int | None) -> None:
    given_attributes = [f"{name} = {value}" for name, value in (("start", start), ("end", end)) if value is not None]
    text = f"<{', '.join(given_attributes)}>" if given_attributes else ""
    proto = parse(f"g (float[2,n,4] x) => (int64[m] y) {{ y = Shape{text}(x) }}", 15)
    for target in (13, 9):
        assert_same(proto, pin(proto, target))


def test_the_whole_shape_stays_one_node() -> None:
    proto = parse("g (float[2,3] x) => (int64[2] y) { y = Shape<start = 0>(x) }", 19)
    assert ops(pin(proto, 9)) == {"Shape": 1}


def test_sizes_go_anywhere() -> None:
    proto = parse("g (float[2,3] x) => (int64 y) { y = Size(x) }", 19)
    for target in (9, 28):
        assert_same(proto, pin(proto, target))


def test_bfloat16_stops_at_13() -> None:
    refused(parse("g (bfloat16[2] x) => (int64[1] y) { y = Shape<end = 1>(x) }", 15), 12, "bfloat16")
