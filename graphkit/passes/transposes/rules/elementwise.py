"""Operators that compute each element from those at the same place: every layout will do, where all inputs share it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Shape, Site, alike

_SAME_BITS = (
    *("Abs", "Ceil", "Floor", "Identity", "IsInf", "IsNaN", "LeakyRelu", "Neg", "Not", "Relu", "Round", "Sign"),
    *("BitwiseNot", "Shrink", "ThresholdedRelu", "HardSigmoid", "Cast", "CastLike", "Clip", "Reciprocal", "Sqrt"),
    *("BitCast", "Dropout"),
)
_APPROXIMATED = (
    *("Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Celu", "Cos", "Cosh", "Elu", "Erf", "Exp", "Gelu"),
    *("HardSwish", "Log", "Mish", "Selu", "Sigmoid", "Sin", "Sinh", "Softplus", "Softsign", "Swish", "Tan", "Tanh"),
)
"""A runtime may compute the last elements of a row otherwise than the rest."""

_BINARY = (
    *("Add", "Sub", "Mul", "Div", "PRelu", "Mod", "Max", "Min", "Sum", "Mean"),
    *("And", "Or", "Xor", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Where"),
    *("BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor"),
)


def of_size_one(site: Site, slot: int) -> bool:
    """Whether an input is one number, however many axes it has."""
    shape = site.shapes[slot]
    return shape is not None and all(size == 1 for size in shape)


@rule(*_SAME_BITS)
def unary(site: Site) -> Flow | None:
    """The other inputs are single numbers, or say a type."""
    return _unary(site, exact=True)


@rule(*_APPROXIMATED)
def approximated(site: Site) -> Flow | None:
    """As `unary`, to the last bit but one."""
    return _unary(site, exact=False)


def _unary(site: Site, exact: bool) -> Flow | None:
    rank = site.rank(0)
    if rank is None or len(site.node.output) != 1 or (site.op == "Dropout" and site.has(2)):
        return None

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (perm,))

    return alike(rank, moved, exact=exact)


@rule(*_BINARY)
def broadcasting(site: Site) -> Flow | None:
    """Inputs of fewer axes get axes of size 1 in front (ONNX, "Broadcasting in ONNX")."""
    return _broadcast(site, exact=True)


@rule("Pow")
def power(site: Site) -> Flow | None:
    """As `broadcasting`, to the last bit but one."""
    return _broadcast(site, exact=False)


def _broadcast(site: Site, exact: bool) -> Flow | None:
    ranks = [site.rank(slot) for slot in range(len(site.node.input))]
    known = [rank for rank in ranks if rank is not None]
    if len(known) != len(ranks) or not known or site.since < 7:
        return None
    rank = max(known)

    def moved(perm: Perm) -> Moved:
        return Moved(dict.fromkeys(varying, perm), (perm,))

    varying = [slot for slot in range(len(ranks)) if not of_size_one(site, slot)]
    return alike(rank, moved, varying, exact)


@rule("Expand")
def expand(site: Site) -> Flow | None:
    """The sizes move with the axes."""
    value, rank = site.value(1), site.rank(0)
    if value is None or value.ndim != 1 or rank is None:
        return None
    sizes: Sequence[int] = value.tolist()
    wide = max(rank, len(sizes))
    sizes = [1] * (wide - len(sizes)) + list(sizes)

    def moved(perm: Perm) -> Moved:
        inputs = {} if of_size_one(site, 0) else {0: perm}
        return Moved(inputs, (perm,), constants={1: np.array([sizes[axis] for axis in perm], np.int64)})

    return alike(wide, moved)


def shape_after(site: Site, known: tuple[int | str | None, ...] | None) -> tuple[int | str | None, ...] | None:
    """What is known of the output's shape, and what the inputs' shapes say besides: names that inference does not give.

    Args:
        site: Any node.
        known: What inference gave.
    """
    shapes = [shape for shape in site.shapes if shape is not None]
    if not shapes or (known is not None and all(isinstance(size, int) for size in known)):
        return known
    if site.op in _SAME_BITS or site.op in _APPROXIMATED:
        found: list[int | str | None] = list(shapes[0]) if site.shapes[0] is not None else []
    elif (site.op in _BINARY or site.op == "Pow") and len(shapes) == len(site.shapes):
        found = [_broadcast_size(sizes) for sizes in _columns(shapes)]
    else:
        return known
    if known is None:
        return tuple(found) if site.shapes[0] is not None else None
    if len(found) != len(known):
        return known
    return tuple(
        other if isinstance(size, str | None) and other is not None else size
        for size, other in zip(known, found, strict=True)
    )


def _columns(shapes: Sequence[Shape]) -> list[list[int | str]]:
    """The sizes of each axis of the output, of all inputs."""
    wide = max(map(len, shapes))
    padded = [(1,) * (wide - len(shape)) + tuple(shape) for shape in shapes]
    return [list(column) for column in zip(*padded, strict=True)]


def _broadcast_size(sizes: Sequence[int | str]) -> int | str | None:
    """The size that broadcasting gives; None where that is not known."""
    left = {size for size in sizes if size != 1}
    numbers = {size for size in left if isinstance(size, int)}
    if len(left) <= 1:
        return next(iter(left), 1)
    return next(iter(numbers)) if len(numbers) == 1 else None
