"""Truth values, types that follow another tensor's, and counts: what masks and function bodies are made of."""

from __future__ import annotations

from collections.abc import Iterator

from graphkit.runtimes.probing.detector_cases import Sketch
from graphkit.runtimes.probing.detector_values import floats, ints, scalar

_SHAPES = ((1, 4, 6, 6), (1, 4, 9), (4, 9), (5,), ())


def logic() -> Iterator[Sketch]:
    """Every node."""
    for shape in _SHAPES:
        truth, other = floats(*shape) > 1, floats(*shape[::-1]).reshape(shape) > 0.7
        yield Sketch("Not", (truth,))
        for op in ("And", "Or", "Xor"):
            yield Sketch(op, (truth, other))
            if shape:
                yield Sketch(op, (truth, scalar(1, "bool")))
    yield from _types()
    yield from _counts()


def _types() -> Iterator[Sketch]:
    for shape in _SHAPES:
        for source, target in (
            *(("float32", "float32"), ("float32", "float16"), ("float16", "float32"), ("int64", "float32")),
            *(("float32", "int64"), ("bool", "float32"), ("float64", "float32"), ("float32", "float64")),
        ):
            for like in (scalar(1, target), floats(1, 2, kind=target)):
                yield Sketch("CastLike", (floats(*shape, kind=source), like), opset=19)
        yield Sketch("Cast", (floats(*shape),), {"to": 11})
        yield Sketch("Cast", (floats(*shape, kind="float64"),), {"to": 1})
        yield Sketch("Cast", (floats(*shape, kind="float64"),), {"to": 7})
        yield Sketch("Cast", (floats(*shape, kind="float64"),), {"to": 10})


def _counts() -> Iterator[Sketch]:
    for shape in _SHAPES:
        yield Sketch("Size", (floats(*shape),))
        yield Sketch("Size", (floats(*shape, kind="int64"),))
        yield Sketch("IsNaN", (floats(*shape),))
        yield Sketch("IsNaN", (floats(*shape, kind="float16"),))
        yield Sketch("IsInf", (floats(*shape),))
        yield Sketch("Dropout", (floats(*shape),))
        for op in ("Sum", "Mean", "Max", "Min"):
            yield Sketch(op, (floats(*shape),))
            yield Sketch(op, (floats(*shape), floats(*shape) - 1, floats(*shape) * 2))
    for reduction in ("mean", "sum", "none"):
        for given in ((), (floats(5),)):
            yield Sketch("NegativeLogLikelihoodLoss", (floats(3, 5), ints(1, 0, 4), *given), {"reduction": reduction})
