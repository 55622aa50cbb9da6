"""What most conditions ask of a node, each answered as a predicate answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from graphkit.facts.node import Dimension, NodeFacts, TensorFacts
from graphkit.runtimes.constraints.registry import Predicate, Unknown

Answer = str | Unknown | None


def first(*answers: Answer) -> Answer:
    """The first condition that is not met, else the first that cannot be told, else None."""
    unsure: Unknown | None = None
    for answer in answers:
        if isinstance(answer, str):
            return answer
        unsure = unsure or answer
    return unsure


def unsure(predicate: Predicate, why: str) -> Predicate:
    """The predicate, what it refuses being only unknown."""

    def softened(node: NodeFacts) -> Answer:
        answer = predicate(node)
        return Unknown(f"{answer} ({why})") if isinstance(answer, str) else answer

    return softened


def constant(node: NodeFacts, index: int, what: str, *, folds: bool = True) -> Answer:
    """An input, where it is given, must be the same in every run.

    Args:
        node: The node.
        index: Which input.
        what: Its name, for a reader.
        folds: Whether the runtime folds constants before it looks, as onnxruntime does; else it must be an initializer
            or a Constant node's output.
    """
    tensor = node.input(index)
    if tensor is None or tensor.constant or (folds and tensor.folded):
        return None
    if tensor.folded:
        return f"{_its(what)} is computed by other nodes and must be a constant of the model: fold it first"
    return f"{_its(what)} is computed at run time and must be a constant"


def _its(what: str) -> str:
    """The name of an input or output in a clause: its input, its output 0, its input axes."""
    return f"its {what}" if what.startswith(("input", "output")) else f"its input {what}"


def numbers(tensor: TensorFacts | None) -> list[Any] | None:
    """The values of a small constant, flat; None where they are not known."""
    return None if tensor is None or tensor.value is None else tensor.value.reshape(-1).tolist()


def given(tensor: TensorFacts | None) -> bool:
    """Whether an input is there at all: exporters also leave one out by giving it no elements."""
    return tensor is not None and not (tensor.shape is not None and 0 in tensor.shape)


def rank(node: NodeFacts, index: int, allowed: Collection[int], what: str = "input") -> Answer:
    """An input, where it is given, must have one of these numbers of dimensions."""
    tensor = node.input(index)
    if tensor is None:
        return None
    if tensor.rank is None:
        return Unknown(f"the rank of {_its(what)} is not known")
    if tensor.rank in allowed:
        return None
    return f"{_its(what)} has {tensor.rank} dimensions; it takes {listed(allowed)}"


def most_dimensions(node: NodeFacts, limit: int, indices: Iterable[int] | None = None) -> Answer:
    """No input may have more dimensions."""
    chosen = range(len(node.inputs)) if indices is None else indices
    return first(*(rank(node, index, range(limit + 1), f"input {index}") for index in chosen))


def attribute(node: NodeFacts, name: str, allowed: Collection[Any], default: Any = None) -> Answer:
    """An attribute, or its default, must have one of these values."""
    value = node.attr(name, default)
    return None if value in allowed else f"its {name} is {value}; it takes {listed(allowed)}"


def ones(node: NodeFacts, name: str) -> Answer:
    """An attribute that is a list must be of ones only, or left out."""
    value = node.attr(name)
    return None if not value or all(item == 1 for item in value) else f"its {name} are {listed(value)}; it takes only 1"


def typed(node: NodeFacts, index: int, allowed: Collection[str], what: str = "input") -> Answer:
    """An input, where it is given, must be of one of these element types."""
    tensor = node.input(index)
    if tensor is None or tensor.type in allowed:
        return None
    if tensor.type is None:
        return Unknown(f"the type of {_its(what)} is not known")
    return f"{_its(what)} is {tensor.type}; it takes {listed(allowed)}"


def shaped(node: NodeFacts) -> Answer:
    """The rank of every input must be known."""
    for index, tensor in enumerate(node.inputs):
        if tensor is not None and tensor.shape is None:
            return Unknown(f"the shape of its input {index} is not known")
    return None


def static(tensor: TensorFacts | None, what: str = "input") -> Answer:
    """A tensor, where it is given, must have a shape of numbers."""
    if tensor is None or tensor.static:
        return None
    names = [size for size in tensor.shape or () if named(size)]
    if names:
        return f"{_its(what)} has the dynamic size {listed(names)}; its shape must be static"
    return Unknown(f"the shape of {_its(what)} is not known")


def named(size: Dimension) -> bool:
    """Whether a size is dynamic for certain: a name that the model gives, not one that onnx's inference invents."""
    return isinstance(size, str) and not size.startswith("unk__")


def one_output(node: NodeFacts) -> Answer:
    """Only the first output may be wanted."""
    extra = sum(1 for item in node.outputs[1:] if item is not None)
    return f"{extra + 1} of its outputs are wanted; it has only the first" if extra else None


def listed(values: Collection[Any]) -> str:
    """For a reader: "nearest and linear", "3 to 5"."""
    items = list(values)
    if len(items) > 2 and items == list(range(items[0], items[-1] + 1) if isinstance(items[0], int) else ()):
        return f"{items[0]} to {items[-1]}"
    words = [str(item) for item in items]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
