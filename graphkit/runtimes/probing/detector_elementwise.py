"""The operators of detectors that work element by element, with values to run them on."""

from __future__ import annotations

from collections.abc import Iterator

from graphkit.runtimes.probing.detector_cases import Sketch
from graphkit.runtimes.probing.detector_values import floats, ints, scalar

_UNARY = (
    "Relu Sigmoid Tanh Exp Sqrt Log Erf Neg Abs Floor Ceil Round Reciprocal Softplus HardSwish LeakyRelu HardSigmoid "
    "Sin Cos Identity Elu Softsign Sign Mish"
)
_BINARY = "Add Sub Mul Div Pow Max Min"
_COMPARISONS = "Less Greater Equal GreaterOrEqual LessOrEqual"


def elementwise() -> Iterator[Sketch]:
    """Activations, arithmetic, comparisons, casts."""
    shape: tuple[int, ...]
    for op in _UNARY.split():
        opset = 18 if op == "Mish" else 17
        for shape in ((1, 4, 6, 6), (2, 3, 5), (3, 4), (5,)):
            yield Sketch(op, (floats(*shape),), opset=opset)
        yield Sketch(op, (floats(1, 4, 6, 6, kind="float16"),), opset=opset)
    for op in _BINARY.split():
        for left, right in (
            ((1, 4, 6, 6), (1, 4, 6, 6)),
            ((1, 4, 6, 6), (4, 1, 1)),
            ((1, 4, 6, 6), (1,)),
            ((1, 4, 6, 6), ()),
            ((1, 4, 9), (1, 4, 9)),
            ((1, 4, 9), (1, 9)),
            ((1, 2, 9), (1, 2, 1)),
            ((1, 4, 9), ()),
            ((4, 9), (9,)),
            ((4, 9), ()),
            ((5,), (5,)),
            ((5,), ()),
            ((), ()),
        ):
            yield Sketch(op, (floats(*left), floats(*right)))
        yield Sketch(op, (floats(1, 4, 6, 6, kind="float16"), floats(1, 4, 6, 6, kind="float16")))
        if op != "Pow":
            yield Sketch(op, (ints(7, 6, 5), ints(1, 2, 3)))
            yield Sketch(op, (ints(7, 6, 5), scalar(2)))
            yield Sketch(op, (scalar(7), scalar(2)))
    for op in _COMPARISONS.split():
        yield Sketch(op, (floats(1, 4, 9), floats(4, 9)[None]))
        yield Sketch(op, (floats(1, 4, 9), scalar(0.5, "float32")))
        yield Sketch(op, (floats(9), scalar(0.5, "float32")))
        yield Sketch(op, (floats(1, 4, 6, 6), scalar(0.5, "float32")))
        yield Sketch(op, (ints(7, 6, 5), ints(1, 6, 8)))
        yield Sketch(op, (ints(7, 6, 5), scalar(6)))
    truth = floats(1, 4, 9) > 1
    yield Sketch("Not", (truth,))
    yield Sketch("And", (truth, ~truth))
    yield Sketch("Or", (truth, ~truth))
    yield Sketch("Where", (truth, floats(1, 4, 9), scalar(0.0, "float32")))
    yield Sketch("Where", (truth, floats(1, 4, 9), floats(4, 9)))
    yield Sketch("Where", (ints(1, 0, 3) > 1, ints(1, 2, 3), ints(4, 5, 6)))
    for low, high in ((0.0, 1.0), (0.0, 6.0), (0.0, None), (None, 1.0)):
        limits = tuple(None if v is None else scalar(v, "float32") for v in (low, high))
        for shape in ((1, 4, 6, 6), (1, 4, 9), (4, 9)):
            yield Sketch("Clip", (floats(*shape), *(limits if limits[1] is not None else limits[:1])))
    half = (scalar(0.0, "float16"), scalar(1.0, "float16"))
    yield Sketch("Clip", (floats(1, 4, 6, 6, kind="float16"), *half))
    yield Sketch("PRelu", (floats(1, 4, 6, 6) - 1, floats(4, 1, 1)))
    yield Sketch("Mod", (ints(7, 6, 5), scalar(3)))
    yield Sketch("Gelu", (floats(1, 4, 9),), opset=20)
    for shape in ((1, 4, 6, 6), (1, 4, 9), (5,), ()):
        for source, target in (
            ("float32", 10),
            ("float16", 1),
            ("float32", 7),
            ("float32", 6),
            ("int64", 1),
            ("int64", 6),
        ):
            yield Sketch("Cast", (floats(*shape, kind=source),), {"to": target})
        for source, target in (("int32", 7), ("int32", 1), ("bool", 1), ("bool", 7), ("float32", 9), ("uint8", 1)):
            yield Sketch("Cast", (floats(*shape, kind=source),), {"to": target})
