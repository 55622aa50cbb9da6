"""The sizes of what a Reshape, Flatten, Squeeze or Unsqueeze makes, from those of what it reads."""

from __future__ import annotations

from dataclasses import dataclass

from graphkit.facts import NodeFacts
from graphkit.passes.merge_reshapes.sizes import ONE, Size, Sizes, product, quotient, sizes_of
from graphkit.passes.residue.reading import integers, listed, number, placed


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a tensor's sizes.

    Attributes:
        sizes: The sizes; None where not even the rank is known.
        ones: Names that are 1, or an operator on the way to the tensor would have failed.
        nonzero: Names that are not 0, or a -1 on the way could not have been computed.
    """

    sizes: Sizes | None
    ones: frozenset[str] = frozenset()
    nonzero: frozenset[str] = frozenset()

    def is_one(self, size: Size) -> bool:
        """Whether a size is 1."""
        return size.number == 1 and self.ones.issuperset(size.names)

    def not_zero(self, size: Size) -> bool:
        """Whether a size is not 0."""
        return self.is_one(size) or (size.number != 0 and self.nonzero.issuperset(size.names))


def axes_of(node: NodeFacts) -> list[int] | None:
    """The axes that a Squeeze or Unsqueeze is told; None where it is told none, or they are computed."""
    return listed(node, "axes", 1, 13)


def spread(node: NodeFacts, known: Known) -> Known:
    """What is known of a node's output, given what is known of its first input."""
    result = node.outputs[0]
    shape = result.shape if result is not None else None
    made = Known(None, known.ones, known.nonzero)
    if known.sizes is not None:
        made = _OPERATORS[node.op](node, known, known.sizes)
    if result is None or shape is None:
        return made
    inferred = sizes_of(shape, result.name)
    if made.sizes is None:
        return Known(inferred, made.ones, made.nonzero)
    if len(made.sizes) != len(inferred):  # one of the two is wrong
        return Known(None, made.ones, made.nonzero)
    sizes = tuple(told if told.known else size for size, told in zip(made.sizes, inferred, strict=True))
    return Known(sizes, made.ones, made.nonzero)


def _unsqueeze(node: NodeFacts, known: Known, sizes: Sizes) -> Known:
    told = axes_of(node)
    axes = None if told is None else placed(told, len(sizes) + len(told))
    if axes is None:
        return Known(None, known.ones, known.nonzero)
    rest = iter(sizes)
    found = tuple(ONE if axis in axes else next(rest) for axis in range(len(sizes) + len(axes)))
    return Known(found, known.ones, known.nonzero)


def _squeeze(node: NodeFacts, known: Known, sizes: Sizes) -> Known:
    told = axes_of(node)
    if told:
        axes = placed(told, len(sizes))
    elif all(size.known for size in sizes) and node.input(1) is None and node.attr("axes") is None:
        axes = [axis for axis, size in enumerate(sizes) if size == ONE]
    else:
        axes = None
    if axes is None:
        return Known(None, known.ones, known.nonzero)
    # A dimension that is not 1 cannot be squeezed.
    ones = known.ones.union(*(sizes[axis].names for axis in axes if sizes[axis].number == 1))
    return Known(tuple(size for axis, size in enumerate(sizes) if axis not in axes), ones, known.nonzero)


def _flatten(node: NodeFacts, known: Known, sizes: Sizes) -> Known:
    told = number(node, "axis")
    if told is None or not -len(sizes) <= told <= len(sizes):
        return Known(None, known.ones, known.nonzero)
    axis = told + len(sizes) if told < 0 else told
    return Known((product(sizes[:axis]), product(sizes[axis:])), known.ones, known.nonzero)


def _reshape(node: NodeFacts, known: Known, sizes: Sizes) -> Known:
    """Of a shape that is computed nothing follows; of a -1, that the other dimensions are not 0."""
    told, zeros = integers(node.input(1)), number(node, "allowzero") == 1
    if told is None or told.count(-1) > 1:
        return Known(None, known.ones, known.nonzero)
    found: list[Size | None] = []
    for axis, asked in enumerate(told):
        if asked < 0:
            found.append(None)
        elif asked or zeros:
            found.append(Size(asked))
        elif axis < len(sizes):
            found.append(sizes[axis])
        else:
            return Known(None, known.ones, known.nonzero)
    if None not in found:
        return Known(tuple(size for size in found if size is not None), known.ones, known.nonzero)
    others = product(size for size in found if size is not None)
    left = quotient(product(sizes), others)
    name = node.outputs[0].name if node.outputs[0] is not None else ""
    rest = left if left is not None else Size(1, (f"\0{name}\0left",))
    nonzero = known.nonzero.union(others.names)
    return Known(tuple(rest if size is None else size for size in found), known.ones, nonzero)


_OPERATORS = {"Flatten": _flatten, "Reshape": _reshape, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze}
OPERATORS = frozenset(_OPERATORS)
