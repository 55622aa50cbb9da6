"""Reshaping to the shape that a tensor has, and repeating once."""

from __future__ import annotations

from graphkit.facts import NodeFacts
from graphkit.passes.residue.reading import Dimensions, alike, integers, listed, measures, number


def reshape(node: NodeFacts) -> int | str | None:
    """To the same shape: by its numbers, by 0 and -1, by names, or by being told the shape of what it reads."""
    source, target, result = node.input(0), node.input(1), node.outputs[0]
    if source is None or target is None or result is None:
        return None
    if measures(target, source):
        return 0
    if source.shape is None:
        return None
    told = integers(target)
    if told is None:
        return 0 if _kept(source.shape, result.shape) else None
    return _asked(source.shape, told, zeros=number(node, "allowzero") == 1)


def _kept(before: Dimensions, after: Dimensions | None) -> bool:
    """Whether all dimensions are the same, or all but one, which follows where the others cannot be 0.

    A number that a Reshape alone tells is not given away.
    """
    if after is None or len(before) != len(after):
        return False
    other = [index for index, (one, two) in enumerate(zip(before, after, strict=True)) if one is None or one != two]
    if not other:
        return True
    rest = [size for index, size in enumerate(before) if index != other[0]]
    untold = not isinstance(after[other[0]], int)
    return len(other) == 1 and untold and all(isinstance(size, int) and size > 0 for size in rest)


def _asked(shape: Dimensions, told: list[int], *, zeros: bool) -> int | str | None:
    """Whether a Reshape that is told these numbers leaves a shape as it is.

    -1 stands for what is left over. Where the other dimensions are those of the input, that is the input's dimension;
    where one of them is 0, nothing can be left over and the Reshape fails.
    """
    if len(told) != len(shape) or told.count(-1) > 1:
        return None
    for index, (size, asked) in enumerate(zip(shape, told, strict=True)):
        if asked == -1 or (asked == 0 and not zeros) or asked == size:
            continue
        if isinstance(size, int):
            return None
        return f"it says that dimension {index}, which is not known, is {asked}"
    return 0


def flatten(node: NodeFacts) -> int | str | None:
    """Of a matrix at axis 1, or where the side that is flattened is 1."""
    source, axis = node.input(0), number(node, "axis")
    if source is None or source.shape is None or len(source.shape) != 2 or axis is None:
        return None
    at = axis + 2 if axis < 0 else axis
    kept = at == 1 or (at == 0 and source.shape[0] == 1) or (at == 2 and source.shape[1] == 1)
    return 0 if kept else None


def squeeze(node: NodeFacts) -> int | str | None:
    """Of all dimensions that are 1, where there is none."""
    source = node.input(0)
    told = node.input(1) is not None if node.since >= 13 else node.attr("axes") is not None
    if source is None or source.shape is None or told:
        return None
    if 1 in source.shape:
        return None
    return 0 if source.static else "whether a dimension of its input is 1 is not known"


def unsqueeze(node: NodeFacts) -> int | str | None:
    """Of no axis."""
    return 0 if node.input(0) is not None and listed(node, "axes", 1, 13) == [] else None


def expand(node: NodeFacts) -> int | str | None:
    """To ones, to the shape that the tensor has, or to one that is broadcast into it."""
    source, target, result = node.input(0), node.input(1), node.outputs[0]
    if source is None or target is None or result is None:
        return None
    if measures(target, source) or alike(source.shape, result.shape):
        return 0
    told = integers(target)
    if told is None or source.shape is None or len(told) > len(source.shape):
        return None
    for size, asked in zip(reversed(source.shape), reversed(told), strict=False):
        if asked in (1, size):
            continue
        if isinstance(size, int) or asked < 0:
            return None
        return f"it says that a dimension which is not known is {asked} or 1"
    return 0


def tile(node: NodeFacts) -> int | str | None:
    """Once along each axis."""
    repeats = integers(node.input(1))
    return 0 if repeats is not None and all(item == 1 for item in repeats) else None
