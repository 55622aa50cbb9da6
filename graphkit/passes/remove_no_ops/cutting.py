"""Slices of everything, and joining, splitting and padding by nothing."""

from __future__ import annotations

from graphkit.facts import NodeFacts
from graphkit.passes.residue.reading import alike, integers, listed, number

_END = 2**31 - 1
"""What the specification of Slice recommends for "to the end of a dimension of unknown size", INT_MAX, and beyond."""


def slice_(node: NodeFacts) -> int | str | None:
    """From the start to the end, in steps of 1; or whatever else takes each element of what is there, in order."""
    source, result = node.input(0), node.outputs[0]
    starts, ends = listed(node, "starts", 1, 10), listed(node, "ends", 2, 10)
    if source is None or result is None or starts is None:
        return None
    steps = integers(node.input(4)) if node.since >= 10 and node.input(4) is not None else [1] * len(starts)
    plain = not any(starts) and steps is not None and all(step == 1 for step in steps)
    if ends is None:
        known = plain and alike(source.shape, result.shape)
        return 0 if known else "where it ends is computed" if plain else None
    axes = listed(node, "axes", 3, 10) if _told(node) else list(range(len(starts)))
    if axes is None or steps is None or not len(starts) == len(ends) == len(axes) == len(steps):
        return None
    for start, end, step, axis in zip(starts, ends, steps, axes, strict=True):
        if (start, step) == (0, 1) and end >= _END:
            continue
        if source.shape is None or not -len(source.shape) <= axis < len(source.shape):
            return "how large its input is is not known" if (start, step) == (0, 1) and end > 0 else None
        size = source.shape[axis]
        if not isinstance(size, int):
            near = (start, step) == (0, 1) and end > 0
            return f"whether dimension {axis} is larger than {end} is not known" if near else None
        if not step or range(size)[start:end:step] != range(size):
            return None
    return 0


def _told(node: NodeFacts) -> bool:
    """Whether a Slice says which axes it is about."""
    return node.input(3) is not None if node.since >= 10 else node.attr("axes") is not None


def pad(node: NodeFacts) -> int | str | None:
    """By 0 on each side."""
    pads = listed(node, "pads", 1, 11)
    return 0 if pads is not None and not any(pads) else None


def concat(node: NodeFacts) -> int | str | None:
    """Of one tensor, or of one and others that have nothing along the axis."""
    if any(item is None for item in node.inputs) or not node.inputs:
        return None
    if len(node.inputs) == 1:
        return 0
    axis, full = number(node, "axis"), []
    for index, item in enumerate(node.inputs):
        shape = item.shape if item is not None else None
        known = shape is not None and axis is not None and -len(shape) <= axis < len(shape)
        if not known or shape is None or axis is None or shape[axis] != 0:
            full.append(index)
        if len(full) > 1:
            return None
    return full[0] if full else 0


def split(node: NodeFacts) -> int | str | None:
    """Into one."""
    return 0 if len(node.outputs) == 1 and node.attr("num_outputs", 1) == 1 else None
