"""How TVM's importer holds a tensor: it folds some of what exporters compute shapes with, and not all.

What it does not fold is an expression to it, though the value is the same in every run, and most parameters must be
constants when a node is imported.
"""

from __future__ import annotations

from enum import Enum

from graphkit.facts.node import NodeFacts, TensorFacts
from graphkit.runtimes.constraints.checks import Answer, first, numbers

_DEEPEST = 64


class Held(Enum):
    """What a tensor is to the importer."""

    CONSTANT = "a constant"
    SHAPE = "a shape"
    """A list of sizes, numbers or names."""
    SIZE = "a size"
    """One of them."""
    COMPUTED = "computed"


def held(tensor: TensorFacts, depth: int = 0) -> Held:
    """How the importer holds a tensor. Citation: onnx_frontend.py, the converter of the node that makes it."""
    if tensor.constant:
        return Held.CONSTANT
    maker = tensor.maker
    if maker is None or depth > _DEEPEST or maker.op not in _FOLDS:
        return Held.COMPUTED
    if maker.op == "Shape":
        return Held.SHAPE
    return _folded(maker, [held(item, depth + 1) for item in maker.inputs if item is not None])


_CONSTANTS = ("Abs", "Max", "Min", "Neg", "Range", "Sum", "Transpose")
"""What is computed of constants, and of nothing else."""
_NUMBERS = ("Add", "Div", "Mul", "Sub")
_FOLDS = frozenset(
    (
        *("Cast", "Concat", "ConstantOfShape", "Equal", "Gather", "Identity", "Reshape", "Shape", "Slice", "Squeeze"),
        *("Unsqueeze", "Where"),
        *_CONSTANTS,
        *_NUMBERS,
    )
)


def _folded(node: NodeFacts, inputs: list[Held]) -> Held:
    known = set(inputs)
    if node.op == "Identity":
        return inputs[0]
    if node.op == "ConstantOfShape":  # of more dimensions it is a broadcast
        return Held.CONSTANT if Held.COMPUTED not in known and _length(node.input(0)) == 1 else Held.COMPUTED
    if known == {Held.CONSTANT}:
        # A slice of a constant stays an expression, and int64 constants that are joined are taken for sizes.
        return {"Slice": Held.COMPUTED, "Concat": Held.SHAPE if _sizes(node) else Held.CONSTANT}.get(
            node.op, Held.CONSTANT
        )
    if Held.COMPUTED in known or node.op in _CONSTANTS:
        return Held.COMPUTED
    if node.op in _NUMBERS:
        return Held.COMPUTED if Held.SHAPE in known else Held.SIZE
    if node.op in ("Concat", "Equal", "Where"):
        return Held.COMPUTED if Held.SIZE in known else Held.CONSTANT if node.op == "Equal" else Held.SHAPE
    return _of_size(node) if inputs[0] is Held.SIZE else _of_shape(node)


def _of_size(node: NodeFacts) -> Held:
    return {"Cast": Held.SIZE, "Unsqueeze": Held.SHAPE}.get(node.op, Held.COMPUTED)


def _of_shape(node: NodeFacts) -> Held:
    """What a node makes of a shape, the others of its inputs being constants."""
    made = node.outputs[0]
    rank, static = (None, False) if made is None else (made.rank, made.folded)
    if node.op in ("Gather", "Squeeze"):
        rest = Held.SHAPE if node.op == "Squeeze" else Held.COMPUTED
        return Held.SIZE if rank == 0 else rest
    if node.op in ("Cast", "Slice"):
        rest = Held.SHAPE if node.op == "Slice" else Held.COMPUTED
        return Held.CONSTANT if static else rest
    return Held.SHAPE if node.op == "Reshape" and numbers(node.input(1)) == [-1] else Held.COMPUTED


def _sizes(node: NodeFacts) -> bool:
    """Whether constants that are joined are taken for sizes."""
    return all(item is None or (item.rank == 1 and item.type == "int64") for item in node.inputs)


def _length(tensor: TensorFacts | None) -> int | None:
    size = None if tensor is None or tensor.rank != 1 or tensor.shape is None else tensor.shape[0]
    return size if isinstance(size, int) else None


def imported(node: NodeFacts, index: int, what: str, *others: Held) -> Answer:
    """An input, where it is given, must be a constant when the node is imported.

    Args:
        node: The node.
        index: Which input.
        what: Its name, for a reader.
        others: What else will do, of sizes that are known.
    """
    tensor = node.input(index)
    if tensor is None:
        return None
    found = held(tensor)
    if found is Held.CONSTANT or (found in others and tensor.folded):
        return None
    if tensor.folded:
        return f"its input {what} is computed by nodes that the importer does not fold: fold it first"
    return f"its input {what} is computed at run time and must be a constant"


def no_shapes(node: NodeFacts) -> Answer:
    """Only some operators take what the importer holds as a shape."""
    names = [item.name for item in node.inputs if item is not None and held(item) is Held.SHAPE]
    return f'its input "{names[0]}" is a shape to the importer, and it takes tensors only' if names else None


def unfolded(node: NodeFacts, names: dict[int, str]) -> Answer:
    """What a node's sizes depend on, where other nodes compute it, must be folded; else what follows has no sizes."""
    return first(*(_unfolded(node, index, what) for index, what in names.items()))


def _unfolded(node: NodeFacts, index: int, what: str) -> Answer:
    tensor = node.input(index)
    if tensor is None or tensor.maker is None or held(tensor) is not Held.COMPUTED:
        return None
    how = "by nodes that the importer does not fold: fold it first" if tensor.folded else "at run time"
    return f"its input {what} is computed {how}; the sizes of its output are then not known, and must be"
