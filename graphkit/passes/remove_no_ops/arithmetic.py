"""Casts, arithmetic with neutral elements, and choices that are made beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.facts import NodeFacts, TensorFacts
from graphkit.facts.kinds import element_name
from graphkit.passes.residue.reading import number

_WIDENED = "its constant gives it more elements, or it cannot be told that it does not"

_WHOLE = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)) | {"bool", "string"}


def cast(node: NodeFacts) -> int | str | None:
    """To the type that it has."""
    source, target = node.input(0), number(node, "to")
    if source is None or target is None:
        return None
    if source.type is None:
        return "of which type its input is is not known"
    return 0 if source.type == element_name(target) else None


def cast_like(node: NodeFacts) -> int | str | None:
    """To the type that it has."""
    source, other = node.input(0), node.input(1)
    if source is None or other is None or source.type is None:
        return None
    return 0 if source.type == other.type else None


def of_one(node: NodeFacts) -> int | str | None:
    """Sum, Max, Min and Mean of one tensor."""
    return 0 if len(node.inputs) == 1 and node.input(0) is not None else None


def multiply(node: NodeFacts) -> int | str | None:
    """By 1, which is exact for all values: of a NaN, of an infinity, of -0."""
    return _either(node, lambda value: bool((value == 1).all()))


def add(node: NodeFacts) -> int | str | None:
    """Of -0, or of 0 to whole numbers. IEEE 754: (-0) + (+0) = +0, (-0) + (-0) = -0, (+0) + (-0) = +0."""
    found = _either(node, lambda value: bool((value == 0).all()))
    if not isinstance(found, int):
        return found
    zero = node.inputs[1 - found]
    return found if zero is not None and _signs(zero, minus=True) else "adding +0 makes +0 of -0"


def subtract(node: NodeFacts) -> int | str | None:
    """Of +0, or of 0 from whole numbers. IEEE 754: (-0) - (+0) = -0, (-0) - (-0) = +0."""
    found = _second(node, lambda value: bool((value == 0).all()))
    zero = node.input(1)
    if found != 0 or zero is None:
        return found
    return found if _signs(zero, minus=False) else "subtracting -0 makes +0 of -0"


def divide(node: NodeFacts) -> int | str | None:
    """By 1."""
    return _second(node, lambda value: bool((value == 1).all()))


def power(node: NodeFacts) -> int | str | None:
    """To 1; not of 64-bit integers, which onnxruntime takes through double."""
    source = node.input(0)
    if source is None or source.type not in ("float16", "float", "double", "int32"):
        return None
    return _second(node, lambda value: bool((value == 1).all()))


def where(node: NodeFacts) -> int | str | None:
    """Of a condition that is everywhere true, or everywhere false.

    Not of floats: onnxruntime adds up what is chosen of either side, which makes +0 of -0.
    """
    condition = node.input(0)
    if condition is None or condition.value is None or condition.value.dtype != np.bool_ or not condition.value.size:
        return None
    for index, holds in ((1, condition.value.all()), (2, not condition.value.any())):
        if holds:
            chosen, other = node.input(index), node.input(3 - index)
            if chosen is None or other is None:
                return None
            if not (_fits(chosen, condition) and _fits(chosen, other)):
                return "what it chooses is given more elements, or it cannot be told that it is not"
            return index if chosen.type in _WHOLE else "onnxruntime's Where makes +0 of -0"
    return None


def dropout(node: NodeFacts) -> int | str | None:
    """At inference. Dropout-7 never drops; Dropout-12 where training_mode is true."""
    training = node.input(2)
    if node.since < 12 or training is None:
        return 0
    if training.value is None:
        return "its training_mode is not a constant"
    return "its training_mode is true" if training.value.any() else 0


def _either(node: NodeFacts, neutral: Any) -> int | str | None:
    """The operand beside one that is neutral; why not, where that changes the shape."""
    found: int | str | None = None
    for index in (0, 1):
        source, other = node.input(index), node.input(1 - index)
        if source is not None and other is not None and _is(other, neutral):
            if _fits(source, other):
                return index
            found = _WIDENED
    return found


def _second(node: NodeFacts, neutral: Any) -> int | str | None:
    """0 where the second operand is neutral; why not, where it changes the shape."""
    source, other = node.input(0), node.input(1)
    if source is None or other is None or not _is(other, neutral):
        return None
    return 0 if _fits(source, other) else _WIDENED


def _is(tensor: TensorFacts, neutral: Any) -> bool:
    """Whether a constant is neutral. What other nodes compute from constants may be rounded otherwise by a runtime."""
    value = tensor.value
    if value is None or not value.size or value.dtype.kind in "bc":
        return False
    return (tensor.constant or value.dtype.kind in "iu") and bool(neutral(value))


def _signs(zero: TensorFacts, *, minus: bool) -> bool:
    """Whether each of some zeros has this sign, or the type knows none."""
    value: NDArray[Any] | None = zero.value
    if value is None:
        return False
    if value.dtype.kind in "iu":
        return True
    return bool((np.signbit(value.astype(np.float64)) == minus).all())


def _fits(tensor: TensorFacts, other: TensorFacts) -> bool:
    """Whether broadcasting with `other` leaves a tensor its shape."""
    if other.shape is None:
        return False
    if not other.shape:
        return True
    if tensor.shape is None or len(other.shape) > len(tensor.shape):
        return False
    ends = zip(reversed(tensor.shape), reversed(other.shape), strict=False)
    return all(theirs == 1 or (theirs is not None and theirs == ours) for ours, theirs in ends)
