"""One node of a model with all that is known of it without running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray
from onnx import NodeProto, TypeProto

Dimension = int | str | None


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """An input or output of a node.

    Attributes:
        name: Its name in the graph.
        type: Its type as onnx.defs spells it, without the outer "tensor(…)": "float", "int64", "seq(tensor(float))";
            None where it is not known.
        shape: Its dimensions, numbers, names or None; None where not even the rank is known.
        constant: Whether it is an initializer that nobody can override, or a Constant node's output.
        folded: Whether its value is the same in every run though other nodes compute it, from constants or from the
            static shapes of tensors.
        value: Its value, where it is the same in every run and small; else None.
        kind: Its type as ONNX writes it; empty where it is not known.
        maker: The node that computes it; None for inputs and initializers, and where the node comes later or is outside
            of what is looked at.
        settled: Whether its value is the same for all inputs of the same sizes, so that a converter that is told the
            sizes computes it.
    """

    name: str
    type: str | None
    shape: tuple[Dimension, ...] | None
    constant: bool
    folded: bool
    value: NDArray[Any] | None = field(default=None, repr=False, compare=False)
    kind: TypeProto = field(default_factory=TypeProto, repr=False, compare=False)
    maker: NodeFacts | None = field(default=None, repr=False, compare=False)
    settled: bool = False

    @property
    def rank(self) -> int | None:
        """How many dimensions it has; None where that is not known."""
        return None if self.shape is None else len(self.shape)

    @property
    def static(self) -> bool:
        """Whether every dimension is a known number."""
        return self.shape is not None and all(isinstance(size, int) for size in self.shape)


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A node.

    Attributes:
        label: The node, named for a reader.
        op: Its operator.
        domain: Its domain; "" for ONNX's own.
        since: The version of the operator's definition that holds at the model's opset; 0 where onnx knows none.
        opset: The version of the operator's domain that the model (or function) imports.
        inputs: None for one that is left out.
        outputs: None for one that is not wanted.
        attributes: Their values: what the node sets, else the default of the definition. Strings as str, tensors and
            graphs as protos.
        types: The element type of each type variable of the definition, as far as known.
        place: Where it is: "" for the main graph, else for a reader, "then_branch of If (name)".
        expandable: Whether its definition has a function body.
        proto: The node itself.
    """

    label: str
    op: str
    domain: str
    since: int
    opset: int
    inputs: tuple[TensorFacts | None, ...]
    outputs: tuple[TensorFacts | None, ...]
    attributes: Mapping[str, Any]
    types: Mapping[str, str]
    place: str = ""
    expandable: bool = False
    proto: NodeProto = field(default_factory=NodeProto, repr=False, compare=False)

    def input(self, index: int) -> TensorFacts | None:
        """An input; None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def attr(self, name: str, default: Any = None) -> Any:
        """An attribute's value, the definition's default among them; `default` where there is none."""
        return self.attributes.get(name, default)
