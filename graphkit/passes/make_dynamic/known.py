"""What the rules know, and how they read a node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import onnx
from onnx import NodeProto

from graphkit.passes.make_dynamic.edits import Size
from graphkit.passes.make_dynamic.operators import ELEMENTWISE
from graphkit.passes.make_dynamic.sizes import CannotTell, Sizes
from graphkit.passes.make_dynamic.worlds import Dims, Vector, Worlds, fixed


@dataclass
class Known:
    """What has been found out so far, in the order of the nodes.

    Attributes:
        worlds: Shapes and small values.
        sizes: Where sizes come from.
        batch: The batch dimension of the inputs, where it moves.
        makers: The node that makes each tensor, of those that were followed so far.
        readers: The nodes that read each tensor.
        assumptions: What was taken for granted because nothing contradicts it, for the user.
    """

    worlds: Worlds
    sizes: Sizes
    batch: Vector | None
    makers: dict[str, NodeProto] = field(default_factory=dict)
    readers: dict[str, list[NodeProto]] = field(default_factory=dict)
    assumptions: list[str] = field(default_factory=list)

    def dims(self, name: str) -> Dims:
        """A tensor's dimensions.

        Raises:
            CannotTell: Not even the rank is known.
        """
        found = self.worlds.dims(name)
        if found is None:
            raise CannotTell(f'the shape of "{name}" is known at run time only')
        return found


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """An attribute's value."""
    found = next((item for item in node.attribute if item.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def operand(node: NodeProto, index: int) -> str:
    """The name of an input; "" where it is left out."""
    return node.input[index] if index < len(node.input) else ""


def listed(known: Known, name: str) -> list[Vector] | None:
    """A small list of integers at each size, computed or not; None where it is left out.

    Raises:
        CannotTell: It is computed in a way that cannot be followed.
    """
    if not name:
        return None
    values = known.worlds.values(name)
    if values is None or len({value.size for value in values}) != 1:
        raise CannotTell("sizes that it reads are computed in a way, or given from outside, that cannot be followed")
    return [tuple(int(value.flat[index]) for value in values) for index in range(values[0].size)]


def plain(vector: Vector) -> Size:
    """A dimension, as a number where it is fixed."""
    return vector[0] if fixed(vector) else vector


_LONGEST = 16


def searched(name: str, known: Known) -> Vector | None:
    """The dimension that an index of TopK or ArgMax counts, behind what only moves it; None for other tensors."""
    for _ in range(_LONGEST):
        node = known.makers.get(name)
        if node is None:
            return None
        if node.op_type in ("TopK", "ArgMax"):
            dims = known.worlds.dims(node.input[0])
            return dims[int(attribute(node, "axis", -1 if node.op_type == "TopK" else 0))] if dims else None
        if node.op_type not in ("Cast", "Identity", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Tile", "Transpose"):
            return None
        name = node.input[0]
    return None


def demanded(name: str, back: int, size: int, known: Known) -> set[Vector]:
    """What the readers of a tensor need one of its dimensions to be, where it is `size` now.

    Args:
        name: The tensor.
        back: The dimension, counted from the last, which is 1.
        size: What it is at the first size.
        known: What is known so far.
    """
    found = set[Vector]()
    for reader in known.readers.get(name, []):
        if reader.op_type == "GatherElements":
            others = [reader.input[0]] if reader.input[1] == name else []
        else:
            others = [other for other in reader.input if other != name] if reader.op_type in ELEMENTWISE else []
        for other in others:
            dims = known.worlds.dims(other) if other else None
            wanted = dims[-back] if dims is not None and back <= len(dims) else None
            if wanted is not None and wanted[0] == size:
                found.add(wanted)
    return found
