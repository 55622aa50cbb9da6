"""What follows from the sizes of a model's inputs alone."""

from __future__ import annotations

import pytest
from onnx import numpy_helper

from graphkit.facts import survey
from tests.passes.helpers import parse

HEAD = (
    "g (float[n, 3, h, w] x, int64[2] r) => (float[m] q) <int64 zero = {0}, int64[1] two = {2}, float half = {0.5}> {"
)


def settled(text: str) -> bool:
    """Whether the value of y is."""
    nodes = survey(parse(f"{HEAD} {text} q = Identity (y) }}"), numpy_helper.to_array)
    made = nodes[-1].input(0)
    assert made is not None
    assert made.folded <= made.settled
    return made.settled


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = Identity (two)", True),
        ("y = Identity (r)", False),
        ("y = Shape (x)", True),
        ("a = Relu (x) y = Size (a)", True),
        ("s = Shape (x) g = Gather (s, zero) f = Cast <to = 1> (g) y = Mul (f, half)", True),
        ("s = Shape (x) t = Add (s, r) y = Neg (t)", False),
        ("s = Shape (x) c = ConstantOfShape (s) t = NonZero (c) y = Shape (t)", True),
        ("t = NonZero (x) y = Shape (t)", False),
        ("t = Reshape (x, r) y = Shape (t)", False),
        ("s = Shape (x) t = Reshape (x, s) y = Shape (t)", True),
        ("t = Resize (x, , , r) y = Shape (t)", False),
        ("t = ReduceSum (x, r) y = Shape (t)", False),
        ("t = ReduceSum (x, two) y = Shape (t)", True),
        ("t, i = TopK (x, two) y = Shape (i)", True),
        ("y = RandomNormal <shape = [2]> ()", False),
        ("t = RandomNormal <shape = [2]> () y = Shape (t)", True),
        ("s = SequenceConstruct (x, x) t = ConcatFromSequence <axis = 0> (s) y = Shape (t)", False),
    ],
)
def test_what_is_settled(text: str, expected: bool) -> None:
    assert settled(text) is expected


def test_other_domains_and_branches_are_not_known() -> None:
    text = "g (float[n] x, bool c) => (int64[1] q) { t = my.Op (x) y = Shape (t) q = Identity (y) }"
    nodes = survey(parse(text, more=', "my" : 1'), numpy_helper.to_array)
    assert [item.settled for item in nodes[-1].inputs if item is not None] == [False]
    arms = "then_branch = a () => (float[k] u) { u = Relu (x) }, else_branch = b () => (float[k] v) { v = Abs (x) }"
    branch = f"{{ t = If (c) <{arms}>"
    text = f"g (float[n] x, bool c) => (int64[1] q) {branch} y = Shape (t) q = Identity (y) }}"
    nodes = survey(parse(text), numpy_helper.to_array)
    assert [item.settled for item in nodes[-1].inputs if item is not None] == [False]


def test_a_body_sees_what_is_outside_and_not_what_it_is_given() -> None:
    body = """b (int64 i, bool c, float[k] v) => (bool d, float[k] o) {
        s = Shape (x) t = Shape (v) d = Identity (c) a = Identity (s) e = Identity (t) o = Identity (v) }"""
    text = f"g (float[n] x, int64 m, bool c) => (float[k] q) {{ q = Loop (m, c, x) <body = {body}> }}"
    nodes = survey(parse(text), numpy_helper.to_array)
    found = {node.outputs[0].name: node for node in nodes if node.outputs[0] is not None}
    assert [found[name].inputs[0].settled for name in ("a", "e", "o")] == [True, False, False]  # type: ignore[union-attr]


def test_the_maker_of_a_tensor() -> None:
    nodes = survey(parse(f"{HEAD} s = Shape (x) q = Cast <to = 1> (s) }}"), numpy_helper.to_array)
    made, given = nodes[1].input(0), nodes[0].input(0)
    assert made is not None
    assert given is not None
    assert made.maker is nodes[0]
    assert given.maker is None
