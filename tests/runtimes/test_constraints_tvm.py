"""What TVM's importer folds, and what becomes of nodes whose parameters it does not."""

from __future__ import annotations

import pytest
from onnx import numpy_helper

from graphkit.facts import NodeFacts, survey
from graphkit.runtimes.constraints.tvm_import import held
from tests.passes.helpers import parse
from tests.runtimes.nodes import check

TVM = "tvm@0.27.0.post1"
HEAD = """g (float[1, 3, 8, 8] x, float[1, n] d, int64[2] r) => (int64[k] q)
    <int64 zero = {0}, int64[1] first = {0}, int64[1] flat = {-1}, float scale = {0.5},
    int64[1] one = {1}, int64[1] two = {2}, int64[2] both = {2, 3}, float[2] half = {0.5, 1}> {"""


def nodes(text: str) -> list[NodeFacts]:
    return survey(parse(f"{HEAD} {text} q = Identity (y) }}"), numpy_helper.to_array)


FOLDED = [
    ("y = Identity (one)", "a constant"),
    ("y = Identity (r)", "computed"),
    ("y = Shape (x)", "a shape"),
    ("y = Shape (d)", "a shape"),
    ("z = NonZero (x) y = Shape (z)", "a shape"),
    ("s = Shape (x) y = Gather (s, zero)", "a size"),
    ("s = Shape (x) y = Gather (s, one)", "computed"),
    ("y = Gather (both, one)", "a constant"),
    ("s = Shape (d) g = Gather (s, zero) y = Unsqueeze (g, first)", "a shape"),
    ("s = Shape (d) g = Gather (s, zero) c = Cast <to = 1> (g) y = Mul (c, scale)", "a size"),
    ("s = Shape (x) y = Add (s, one)", "computed"),
    ("y = Add (both, one)", "a constant"),
    ("y = Add (r, one)", "computed"),
    ("s = Shape (x) y = Cast <to = 6> (s)", "a constant"),
    ("s = Shape (d) y = Cast <to = 6> (s)", "computed"),
    ("s = Shape (x) y = Concat <axis = 0> (s, one)", "a shape"),
    ("y = Concat <axis = 0> (both, one)", "a shape"),
    ("y = Concat <axis = 0> (half, half)", "a constant"),
    ("y = Concat <axis = 0> (r, one)", "computed"),
    ("s = Shape (x) y = Slice (s, one, two)", "a constant"),
    ("s = Shape (d) y = Slice (s, one, two)", "a shape"),
    ("y = Slice (both, one, two)", "computed"),
    ("s = Shape (x) t = Slice (s, one, two) y = Squeeze (t)", "a constant"),
    ("s = Shape (d) t = Slice (s, one, two) y = Squeeze (t)", "a size"),
    ("s = Shape (d) y = Reshape (s, flat)", "a shape"),
    ("s = Shape (d) y = Reshape (s, two)", "computed"),
    ("s = Shape (d) e = Equal (s, both) y = Where (e, both, s)", "a shape"),
    ("y = ConstantOfShape (one)", "a constant"),
    ("y = ConstantOfShape (both)", "computed"),
    ("y = Neg (one)", "a constant"),
    ("s = Shape (x) y = Neg (s)", "computed"),
    ("y = Sqrt (half)", "computed"),
]


@pytest.mark.parametrize(("text", "expected"), FOLDED, ids=[text for text, _ in FOLDED])
def test_how_the_importer_holds_a_tensor(text: str, expected: str) -> None:
    made = nodes(text)[-1].input(0)
    assert made is not None
    assert held(made).value == expected


MANY = """g (float[1, 6, 4] b, float[1, 1, 6] s) => (int64[m, 3] y) <int64[1] k = {3}> {
    n = NonMaxSuppression (b, s, k)"""
UNTOLD = "it has as many rows as NonMaxSuppression finds, and these sizes are not known to the compiler"
SCALED = "an input is resized from dynamic sizes, and the compiler cannot tell that they are those of the others"
DYNAMIC = "its input has dynamic sizes, and with auto_pad they must be numbers"
OLD = "its starts and ends are attributes, which the importer does not read: take the model to opset 10 or newer"


def joined(shape: str, rest: str) -> str:
    head = f"g (float[{shape}] x) => (float[n, k, h, w] y) <float[4] s = {{1, 1, 2, 2}}, float[1] c = {{2}}>"
    return f"{head} {{ r = Resize (x, , s) {rest} }}"


def pooled(op: str, shape: str, pad: str) -> str:
    return f'g (float[{shape}] x) => (float[{shape}] y) {{ y = {op} <kernel_shape = [2, 2], auto_pad = "{pad}"> (x) }}'


def refused(text: str, expected: str | None, opset: int = 17) -> tuple[str, NodeFacts, str | None]:
    return TVM, survey(parse(text, opset=opset), numpy_helper.to_array)[-1], expected


def within(text: str, expected: str | None) -> tuple[str, NodeFacts, str | None]:
    return TVM, nodes(text)[-2], expected


CASES = [
    within(
        "s = Shape (x) g = Gather (s, one) y = Slice (x, zero, g, one)", "its input ends is computed by nodes that the"
    ),
    within("y = Slice (x, one, two, one)", None),
    within("y = Slice (x, one, r, one)", None),
    within(
        "n = NonZero (x) g = Gather (n, zero) y = Slice (x, one, g, one)", "its input ends is computed at run time; the"
    ),
    within("s = Shape (d) y = Reshape (d, s)", None),
    within("s = Shape (x) g = Add (r, one) y = Reshape (d, g)", "its input shape is computed at run time and must be"),
    within("s = Shape (x) y = Mul (s, one)", 'its input "s" is a shape to the importer, and it takes tensors only'),
    within("s = Shape (x) c = Cast <to = 7> (s) y = Mul (c, one)", None),
    within(
        "s = Shape (x) g = Gather (s, one) y, i = TopK (half, g)", "its input K is computed by nodes that the importer"
    ),
    within("a = Add (one, zero) y, i = TopK (half, a)", None),
    within("s = Shape (x) y = Resize (x, , , s)", None),
    within(
        "s = Shape (d) c = Concat <axis = 0> (s, both) y = Resize (x, , , c)", "its input sizes is computed at run time"
    ),
    refused(pooled("MaxPool", "1, 3, 8, 8", "SAME_UPPER"), None),
    refused(pooled("MaxPool", "1, 3, h, w", "NOTSET"), None),
    refused(pooled("MaxPool", "1, 3, h, w", "SAME_UPPER"), DYNAMIC),
    refused(pooled("MaxPool", "n, 3, 8, 8", "SAME_LOWER"), DYNAMIC),
    refused(pooled("AveragePool", "n, 3, 8, 8", "SAME_LOWER"), None),
    refused(pooled("AveragePool", "1, 3, h, 8", "SAME_LOWER"), DYNAMIC),
    refused("g (float[2, 3] x) => (float[1, 3] y) { y = Slice <starts = [0], ends = [1]> (x) }", OLD, opset=9),
    refused(f"{MANY} y = Mul (n, k) }}", UNTOLD),
    refused(f"{MANY} y = GatherND (s, n) }}", UNTOLD),
    refused(f"{MANY} c = Cast <to = 1> (n) t = Transpose (c) y = Add (t, t) }}", UNTOLD),
    refused(f"{MANY} y = Gather <axis = 1> (n, k) }}", None),
    refused(f"{MANY} y = Mul (s, s) }}", None),
    refused(f"{MANY} r = Relu (n) y = Mul (r, r) }}", None),
    refused(joined("1, 3, h, w", "y = Concat <axis = 1> (x, r)"), SCALED),
    refused(joined("1, 3, h, w", "y = Add (r, c)"), None),
    refused(joined("1, 3, h, w", "y = Add (r, r)"), None),
    refused(joined("n, 3, 4, 4", "y = Concat <axis = 1> (x, r)"), None),
]


@pytest.mark.parametrize(("name", "facts", "expected"), CASES, ids=lambda item: getattr(item, "op", str(item)))
def test_condition(name: str, facts: NodeFacts, expected: str | None) -> None:
    check(name, facts, expected)
