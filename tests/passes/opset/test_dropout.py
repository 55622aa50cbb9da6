from __future__ import annotations

import numpy as np

from tests.passes.helpers import ops, parse
from tests.passes.opset.pinning import assert_same, pin, refused


def test_inputs_become_an_attribute() -> None:
    proto = parse(
        "g (float[2,3] x) => (float[2,3] y) <float r = {0.25}, bool t = {0}> { y = Dropout<seed = 3>(x, r, t) }", 13
    )
    for target in (11, 9):
        after = pin(proto, target)
        assert [(item.name, item.f) for item in after.graph.node[0].attribute] == [("ratio", 0.25)]
        assert list(after.graph.node[0].input) == ["x"]
        assert_same(proto, after)
        back = pin(after, 28)
        assert len(back.graph.node[0].input) == 2
        assert_same(proto, back)


def test_a_mask_is_all_ones() -> None:
    proto = parse("g (float[2,3] x) => (float[2,3] y, bool[2,3] m) { y, m = Dropout(x) }", 12)
    after = pin(proto, 9)
    assert ops(after) == {"Dropout": 1, "Shape": 1, "ConstantOfShape": 1}
    assert_same(proto, after)


def test_a_mask_that_nothing_reads_is_left_out() -> None:
    proto = parse("g (float[2] x) => (float[2] y) { y, m = Dropout<ratio = 0.5>(x) }", 9)
    after = pin(proto, 28)
    assert list(after.graph.node[0].output) == ["y"]
    assert_same(proto, after)
    assert ops(pin(parse("g (float[2] x) => (float[2] y) { y, m = Dropout(x) }", 13), 9)) == {"Dropout": 1}


def test_an_old_mask_that_is_read_is_refused() -> None:
    seven = parse("g (float[2] x) => (float[2] y, float[2] m) { y, m = Dropout(x) }", 9)
    refused(seven, 10, "its mask is read, and what is in it is defined from opset 12 on only")
    ten = parse("g (float[2] x) => (float[2] y, bool[2] m) { y, m = Dropout(x) }", 10)
    refused(ten, 12, "its mask is read")
    refused(ten, 9, "its mask is read")


def test_training_is_refused() -> None:
    trains = parse("g (float[2] x) => (float[2] y) <bool t = {1}> { y = Dropout(x, , t) }", 13)
    refused(trains, 11, "it trains, and drops at random")
    unknown = parse("g (float[2] x, bool t) => (float[2] y) { y = Dropout(x, , t) }", 13)
    refused(unknown, 11, "whether it trains is computed at run time")


def test_a_ratio_of_run_time_says_nothing() -> None:
    proto = parse("g (float[2] x, float r) => (float[2] y) { y = Dropout(x, r) }", 13)
    after = pin(proto, 9)
    assert not after.graph.node[0].attribute
    assert_same(proto, after, {"x": np.ones(2, np.float32), "r": np.array(0.3, np.float32)})
