"""One operator that makes of one tensor what a chain of them makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphkit.facts import NodeFacts
from graphkit.passes.merge_reshapes.sizes import ONE, Size, Sizes, product
from graphkit.passes.merge_reshapes.spreading import Known, axes_of
from graphkit.passes.residue.reading import integers, number

_ALLOWZERO = 14


@dataclass(frozen=True, slots=True)
class Written:
    """An operator.

    Attributes:
        op: The operator.
        numbers: Its shape or its axes; of Flatten, its one axis.
        allowzero: Whether a 0 in the shape of a Reshape is a 0.
    """

    op: str
    numbers: tuple[int, ...]
    allowzero: bool = False


def rewires(node: NodeFacts, source: Known, between: Known, result: Known) -> bool:
    """Whether a Reshape does the same to `source` as to what it reads.

    It does where no 0 copies another dimension. A -1 that is a number only because of what lies between is written out
    instead, lest that number be lost.
    """
    if node.op != "Reshape":
        return False
    told = integers(node.input(1))
    static = source.sizes is not None and all(size.known for size in source.sizes)
    found = told is not None and -1 in told and result.sizes is not None and result.sizes[told.index(-1)].known
    if found and not static:
        return False
    if number(node, "allowzero") == 1:
        return True
    if told is not None:
        return all(_copies_alike(axis, source, between) for axis, asked in enumerate(told) if asked == 0)
    if result.sizes is None:
        return False
    return all(_copies_alike(axis, source, between) for axis in range(len(result.sizes)))


def _copies_alike(axis: int, source: Known, between: Known) -> bool:
    """Whether a 0 at an axis copies the same from both, or the Reshape fails as it is."""
    if source.sizes is None or between.sizes is None:
        return False
    if axis >= len(between.sizes):
        return True
    return axis < len(source.sizes) and source.sizes[axis] == between.sizes[axis]


def written(node: NodeFacts, source: Known, result: Known) -> Written | None:
    """The operator that makes `result` of `source`; None where there is none that does for all inputs.

    Args:
        node: The last of the chain, whose operator is preferred.
        source: What is known of what the chain reads.
        result: What is known of what it makes.
    """
    if source.sizes is None or result.sizes is None:
        return None
    inserted = _inserted(source.sizes, result.sizes, lambda size: size == ONE)
    if inserted:
        return Written("Unsqueeze", inserted)
    dropped = _inserted(result.sizes, source.sizes, result.is_one)
    if dropped:
        return Written("Squeeze", dropped)
    flat = _flattened(source.sizes, result.sizes)
    if flat is not None and node.op == "Flatten":
        return flat
    return _reshaped(node, source.sizes, result) or flat


def _inserted(few: Sizes, many: Sizes, one: Callable[[Size], bool]) -> tuple[int, ...] | None:
    """At which axes of `many` there is a 1 that `few` lacks; None where they differ otherwise."""
    axes, place = [], 0
    for axis, size in enumerate(many):
        if place < len(few) and size == few[place]:
            place += 1
        elif one(size):
            axes.append(axis)
        else:
            return None
    return tuple(axes) if place == len(few) else None


def _flattened(source: Sizes, result: Sizes) -> Written | None:
    if len(result) != 2:
        return None
    for axis in range(len(source) + 1):
        if (product(source[:axis]), product(source[axis:])) == result:
            return Written("Flatten", (axis,))
    return None


def _reshaped(node: NodeFacts, source: Sizes, result: Known) -> Written | None:
    """A Reshape to numbers, 0 for a dimension that stays in its place, and one -1 if nothing else can be 0.

    Where another dimension is 0 a -1 cannot be computed, though Squeeze, Unsqueeze and Flatten can.
    """
    sizes = result.sizes or ()
    stays = [axis < len(source) and size == source[axis] for axis, size in enumerate(sizes)]
    if any(size == Size(0) and not kept for size, kept in zip(sizes, stays, strict=True)):
        if node.opset < _ALLOWZERO or not all(size.known for size in sizes):
            return None
        return Written("Reshape", tuple(size.number for size in sizes), allowzero=True)
    target = [size.number if size.known else 0 if kept else -1 for size, kept in zip(sizes, stays, strict=True)]
    if target.count(-1) > 1:
        return None
    others = [size for asked, size in zip(target, sizes, strict=True) if asked != -1]
    if -1 in target and not all(map(result.not_zero, others)):
        return None
    return Written("Reshape", tuple(target))


def undoes(first: NodeFacts, second: NodeFacts) -> bool:
    """Whether a Squeeze takes away what an Unsqueeze put there, whatever the rank."""
    if (first.op, second.op) != ("Unsqueeze", "Squeeze"):
        return False
    put, taken = axes_of(first), axes_of(second)
    if not put or not taken or len(set(put)) != len(put):
        return False
    return sorted(put) == sorted(taken) and (min(put) >= 0 or max(put) < 0)
