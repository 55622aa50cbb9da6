"""Reading what nodes say, of models that may say anything."""

from __future__ import annotations

from graphkit.facts import NodeFacts, TensorFacts

ROUNDED = frozenset(("float16", "bfloat16"))
"""Types that onnxruntime has few kernels for on the CPU: it computes in float and casts, and drops casts that meet.

Which do depends on the nodes around, those that compute nothing among them: a single one in float16 is taken to float,
two in a row are not. So without a node that hands on float16 the same numbers are rounded elsewhere.
"""

Dimensions = tuple[int | str | None, ...]


def integers(tensor: TensorFacts | None) -> list[int] | None:
    """The value of a tensor of whole numbers that is the same in every run; None where there is none."""
    if tensor is None or tensor.value is None or tensor.value.dtype.kind not in "iu" or tensor.value.ndim > 1:
        return None
    return [int(item) for item in tensor.value.reshape(-1)]


def listed(node: NodeFacts, name: str, place: int, since: int) -> list[int] | None:
    """What an operator reads from an attribute up to an opset, and from an input from then on.

    Args:
        node: The node.
        name: The attribute.
        place: The input.
        since: The definition that made it an input.

    Returns:
        None where it is left out, or is not the same in every run.
    """
    if node.since >= since:
        return integers(node.input(place))
    held = node.attr(name)
    if not isinstance(held, list) or not all(isinstance(item, int) for item in held):
        return None
    return held


def number(node: NodeFacts, name: str) -> int | None:
    """An attribute that is a whole number; None where it is none."""
    held = node.attr(name)
    return held if isinstance(held, int) else None


def placed(axes: list[int], rank: int) -> list[int] | None:
    """Axes counted from the front, ascending; None where they are not those of a tensor of this rank."""
    if not all(-rank <= axis < rank for axis in axes):
        return None
    found = sorted(axis % rank for axis in axes)
    return found if len(set(found)) == len(found) else None


def alike(one: Dimensions | None, other: Dimensions | None) -> bool:
    """Whether two shapes are the same, whatever the inputs: equal numbers and equal names."""
    return one is not None and other is not None and one == other and None not in one


def measures(tensor: TensorFacts | None, what: TensorFacts) -> bool:
    """Whether a tensor is the whole shape of another."""
    if tensor is None or tensor.maker is None:
        return False
    maker = tensor.maker
    whole = maker.attr("start", 0) == 0 and maker.attr("end") is None
    read = maker.input(0)
    return maker.op == "Shape" and maker.since > 0 and whole and read is not None and read.name == what.name
