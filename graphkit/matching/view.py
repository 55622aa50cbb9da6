"""A graph as matching sees it: operators, contents and wires, without names, order, or where constants are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onnx import NodeProto

from graphkit.facts.labels import label

ABSENT = -1
"""The place of an input that is left out, or an output that is not wanted."""
_TRANSPARENT = frozenset(("Cast", "Identity"))


@dataclass(frozen=True, eq=False, slots=True)
class Constant:
    """A value that is the same in every run: an initializer that nobody can override, or a Constant node's.

    Attributes:
        digest: Of type, shape and content.
        dtype: ONNX element type.
        shape: Its sizes.
        holder: Where its values are read from: a TensorProto, a SparseTensorProto, or an array.
    """

    digest: bytes
    dtype: int
    shape: tuple[int, ...]
    holder: Any = field(repr=False)

    @property
    def size(self) -> int:
        """How many elements."""
        count = 1
        for dim in self.shape:
            count *= dim
        return count


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A node; Constant nodes are none, their outputs are constants.

    Attributes:
        index: Its place in `View.nodes`.
        proto: As it stands in the file.
        op: Its operator, with the domain in front where that is not ONNX's own: "com.microsoft:FusedConv".
        attributes: Digests by name, the definition's defaults among them; those of subgraphs and of a function's body
            too.
        inputs: Tensors, by place; behind the node's own inputs those that its subgraphs read from outside.
        outputs: The same.
        bodies: Its subgraphs by attribute ("then_branch"; "name[1]" where one attribute holds several).
        since: The version of the operator's definition; 0 where onnx knows none.
    """

    index: int
    proto: NodeProto = field(repr=False)
    op: str
    attributes: Mapping[str, bytes] = field(repr=False)
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    bodies: Mapping[str, View] = field(repr=False)
    since: int

    @property
    def label(self) -> str:
        """The node, for a reader."""
        return label(self.proto)

    @property
    def transparent(self) -> bool:
        """Whether it hands on what it reads, at most in another type."""
        return self.op in _TRANSPARENT and bool(self.inputs) and self.inputs[0] >= 0 and bool(self.outputs)


@dataclass(frozen=True, eq=False)
class View:
    """A graph, a subgraph or a function's body.

    Attributes:
        nodes: In topological order.
        names: Of each tensor; "" is none.
        constants: By tensor.
        inputs: Tensors that must be given, in order.
        outputs: In order; one tensor may be returned twice.
        captured: Tensors of graphs around it, in an order that does not depend on names.
        maker: For each tensor the node that makes it, and as which of its outputs; None for the others.
        readers: For each tensor the nodes that read it, and as which of their inputs.
    """

    nodes: list[Node]
    names: list[str]
    constants: dict[int, Constant]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    captured: tuple[int, ...]
    maker: list[tuple[int, int] | None]
    readers: list[list[tuple[int, int]]]

    def wires(self, node: Node) -> list[tuple[int, int]]:
        """The inputs that are no constants, as slot and tensor."""
        return [(slot, item) for slot, item in enumerate(node.inputs) if item >= 0 and item not in self.constants]
