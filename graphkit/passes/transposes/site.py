"""A node as the rules see it, and what a rule says of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx
from numpy.typing import NDArray
from onnx import NodeProto

from graphkit.passes.transposes.permutation import IDENTITY, Perm, full, inverse

Size = int | str
Shape = tuple[Size, ...]

Label = Hashable
"""How a node runs: () as it stands in the file, else what its rule understands, mostly a permutation of its output."""


@dataclass(frozen=True, slots=True)
class Site:
    """A node.

    Attributes:
        node: As it stands in the file.
        op: Its operator, of the default domain.
        since: The version of the operator's definition.
        opset: The version of the default domain that the model imports.
        shapes: The shapes of its inputs: numbers and names, equal names for equal sizes; None where the rank is not
            known and for inputs that are left out.
        outputs: The same of its outputs.
        value: Gives an input that is the same in every run; None where it is not, or is left out.
        dtype: The ONNX element type of the first input; 0 where it is not known.
    """

    node: NodeProto
    op: str
    since: int
    opset: int
    shapes: Sequence[Shape | None]
    outputs: Sequence[Shape | None]
    value: Callable[[int], NDArray[Any] | None]
    dtype: int

    def attr(self, name: str, default: Any = None) -> Any:
        """An attribute as the node sets it; strings as str."""
        for item in self.node.attribute:
            if item.name == name:
                value = onnx.helper.get_attribute_value(item)
                if isinstance(value, bytes):
                    return value.decode("utf-8", "replace")
                return list(value) if item.type in (item.INTS, item.FLOATS) else value
        return default

    def has(self, slot: int) -> bool:
        """Whether an input is given."""
        return slot < len(self.node.input) and bool(self.node.input[slot])

    def rank(self, slot: int) -> int | None:
        """The rank of an input; None where it is not known or the input left out."""
        shape = self.shapes[slot] if slot < len(self.shapes) else None
        return None if shape is None else len(shape)

    def axis(self, default: int, rank: int, name: str = "axis") -> int | None:
        """An axis attribute, from 0; None where it is out of range."""
        axis = self.attr(name, default)
        return axis % rank if isinstance(axis, int) and -rank <= axis < rank else None

    def axes(self, slot: int | None, rank: int) -> list[int] | None:
        """Axes from an attribute, or of an input; None where they are not known, not there or not sound."""
        given: Any = self.attr("axes")
        if given is None and slot is not None and self.has(slot):
            value = self.value(slot)
            given = None if value is None or value.ndim > 1 else value.reshape(-1).tolist()
        if given is None or not all(-rank <= axis < rank for axis in given):
            return None
        found = [axis % rank for axis in given]
        return found if len(set(found)) == len(found) else None


@dataclass(frozen=True, slots=True)
class Moved:
    """A node in another layout.

    Attributes:
        inputs: For each input that is read in another layout the permutation of its axes; of more axes than the input
            has where broadcasting gives it axes of size 1 in front.
        outputs: For each output the permutation of its axes.
        attrs: Attributes that change; None takes one off.
        constants: Inputs that are other constants now.
        order: Where inputs change places: for each place, which of them stands there.
        op: The operator, where it becomes another one.
        gather: The output is picked by these indices, along its first axis, out of what the node gives.
    """

    inputs: Mapping[int, Perm] = field(default_factory=dict)
    outputs: Sequence[Perm] = (IDENTITY,)
    attrs: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[int, NDArray[Any]] = field(default_factory=dict)
    order: Sequence[int] | None = None
    op: str | None = None
    gather: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """In which layouts a node can run.

    Attributes:
        moved: The node in the layout of a label; None where it cannot run so.
        enter: (input, permutation wanted there, the label it has) -> the label that reads the input so; None.
        leave: (output, permutation wanted there, the label it has) -> the label that gives the output so; None.
        exact: Whether no label changes a number: False where sums are taken in another order.
        width: The axes that inputs are read with, where broadcasting gives some of them axes of size 1 in front.
        inside: How often all elements of the first output are moved within the node, with a label.
        swaps: Whether a runtime reads an input for nothing with its last two axes swapped.
    """

    moved: Callable[[Any], Moved | None]
    enter: Callable[[int, Perm, Label], Label | None]
    leave: Callable[[int, Perm, Label], Label | None]
    exact: bool = True
    width: int = 0
    inside: Callable[[Label], int] | None = None
    swaps: bool = False


def alike(
    rank: int, moved: Callable[[Perm], Moved | None], slots: int | Sequence[int] = (0,), exact: bool = True
) -> Flow:
    """The flow of an operator whose label is the permutation of its output, and of the inputs `slots`.

    Args:
        rank: Of the output.
        moved: As in `Flow`, for a permutation with all its axes that is none of the identity.
        slots: The inputs that are read in the layout of the label.
        exact: As in `Flow`.
    """
    readable = range(slots) if isinstance(slots, int) else slots

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return perm if slot in readable and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, __: Label) -> Label | None:
        return perm if len(perm) in (0, rank) else None

    return Flow(moved, enter, leave, exact, rank)


def boundary(rank: int) -> Flow:
    """The flow of what stands for an input or an output of a graph that may come in any layout."""
    return alike(rank, lambda perm: Moved({0: perm}, (perm,)))


def carried(perm: Perm, axes: Sequence[int | None]) -> Perm:
    """The permutation of an output, from that of the input.

    Args:
        perm: Of the input, with all its axes.
        axes: For each axis of the output the input's axis that it is; None for one of its own, which stays in place.
    """
    place = inverse(perm)
    moving = iter(sorted((j for j, axis in enumerate(axes) if axis is not None), key=lambda j: place[axes[j]]))  # type: ignore[index]
    return tuple(j if axis is None else next(moving) for j, axis in enumerate(axes))


def restored(perm: Perm, axes: Sequence[int | None], rank: int) -> Perm:
    """The permutation of an input, from that of the output: `carried` the other way.

    An axis that the output lacks stays behind the one that it was behind.
    """
    kept = [axes[j] for j in full(perm, len(axes)) if axes[j] is not None]
    for axis in range(rank):
        if axis not in axes:
            kept.insert(kept.index(axis - 1) + 1 if axis else 0, axis)
    return tuple(axis for axis in kept if axis is not None)
