"""The differences of two models, as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from graphkit.analysis.statistics.summary import ModelSummary
from graphkit.displayed import Displayed

Shape = tuple[int | str | None, ...]


@dataclass(frozen=True)
class NodeName:
    """A node.

    Attributes:
        label: Its name, or its operator and first output where it has none.
        op: Its operator, "domain::operator" for those that are not ONNX's own.
    """

    label: str
    op: str


@dataclass(frozen=True)
class Change:
    """One thing that differs, of a node, an input or an output.

    Attributes:
        kind: Of a node: "operator", "attribute", "subgraph" (what differs in it stands under a place of its own),
            "constant", "input" (it reads something else), "function" (its body). Of an input or output: "name",
            "position", "type", "shape", "default" (the value that a caller may override), "source" (something else is
            returned).
        name: The attribute, or what the operator's definition calls the input; "" where the kind says it all.
        left: What A has, for a reader; "" where it has none.
        right: What B has.
        relative_l2: Of numbers of one shape: |B - A| / |A|; infinite where A is zero.
        max_error: The largest absolute difference.
        changed: How many elements differ.
        size: Of how many.
    """

    kind: str
    name: str
    left: str
    right: str
    relative_l2: float | None = None
    max_error: float | None = None
    changed: int | None = None
    size: int | None = None


@dataclass(frozen=True)
class NodeChange:
    """A node that is in both models and not the same.

    Attributes:
        left: In A.
        right: In B.
        within: The subgraph or function it is in, the innermost first; "" for the main graph.
        changes: What differs.
    """

    left: NodeName
    right: NodeName
    within: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Wire:
    """A tensor beside a place: what A calls it and what B does; "" where one of them does not have it."""

    left: str
    right: str


@dataclass(frozen=True)
class Place:
    """A place at which the two are built differently.

    Attributes:
        within: As in `NodeChange`.
        removed: Nodes that only A has, in topological order.
        added: Nodes that only B has.
        reads: What goes in.
        gives: What comes out and is read, or returned, behind it.
    """

    within: str
    removed: tuple[NodeName, ...]
    added: tuple[NodeName, ...]
    reads: tuple[Wire, ...]
    gives: tuple[Wire, ...]


@dataclass(frozen=True)
class TensorChange:
    """A tensor that both compute, in another type or shape.

    Attributes:
        left: What A calls it.
        right: What B calls it.
        within: As in `NodeChange`.
        left_type: As onnx.defs spells it ("tensor(float)"); None where it is not known.
        right_type: In B.
        left_shape: Its sizes, names of dimensions, or None for one that is not known.
        right_shape: In B.
        retyped: Whether the types differ.
        reshaped: Whether the shapes do: another rank, another size, or a size in place of a dimension of the inputs.
    """

    left: str
    right: str
    within: str
    left_type: str | None
    right_type: str | None
    left_shape: Shape | None
    right_shape: Shape | None
    retyped: bool
    reshaped: bool


@dataclass(frozen=True)
class End:
    """An input or output of a model.

    Attributes:
        name: Its name.
        type: As onnx.defs spells it; "" where the model does not say.
        shape: Sizes, names, None for a dimension that is neither; None where the rank is open.
    """

    name: str
    type: str
    shape: Shape | None


@dataclass(frozen=True)
class EndChange:
    """An input or output that is not the same; None on the side that does not have it."""

    kind: Literal["input", "output"]
    left: End | None
    right: End | None
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Setting:
    """Something about the model as a whole; None on the side that does not have it.

    Attributes:
        kind: "opset" (by domain, "ai.onnx" is ONNX's own), "ir-version", "producer", "domain", "model-version", or
            "metadata" (by key).
        name: The domain or key, else "".
        left: Its value in A.
        right: In B.
    """

    kind: str
    name: str
    left: str | None
    right: str | None


@dataclass(frozen=True)
class OperatorCount:
    """An operator in numbers: left - removed + added = right.

    Attributes:
        op: As in `NodeName`. Constant nodes are constants, wherever these are kept, and are not among them.
        left: Nodes of A, those of subgraphs included.
        right: Nodes of B.
        removed: Nodes of A that are not in B, or are another operator there.
        added: Nodes of B that are not in A, or are another operator there.
    """

    op: str
    left: int
    right: int
    removed: int
    added: int


@dataclass(frozen=True)
class Definition:
    """Nodes that are the same and read by another version of their operator's definition; no difference by itself."""

    op: str
    left: int
    right: int
    nodes: int


@dataclass(frozen=True)
class GraphDiff(Displayed):
    """All that differs between A (left) and B (right).

    Attributes:
        left_name: A's file.
        right_name: B's file.
        left: A in numbers.
        right: B in numbers.
        settings: Opsets, versions, producer, metadata.
        ends: Inputs and outputs.
        places: Nodes that only one of the two has.
        nodes: Nodes that both have and that differ.
        tensors: Tensors in another type or shape.
        operators: Operators of which nodes were removed or added, the most first.
        definitions: Operators that the two opsets define differently.
        matched: Nodes that are in both, those of subgraphs included.
        same: How many of these are the same.
    """

    left_name: str
    right_name: str
    left: ModelSummary
    right: ModelSummary
    settings: tuple[Setting, ...]
    ends: tuple[EndChange, ...]
    places: tuple[Place, ...]
    nodes: tuple[NodeChange, ...]
    tensors: tuple[TensorChange, ...]
    operators: tuple[OperatorCount, ...]
    definitions: tuple[Definition, ...]
    matched: int
    same: int

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not (self.settings or self.ends or self.places or self.nodes or self.tensors)

    @property
    def removed(self) -> int:
        """Nodes that only A has, those of their subgraphs not counted."""
        return sum(len(place.removed) for place in self.places)

    @property
    def added(self) -> int:
        """Nodes that only B has, those of their subgraphs not counted."""
        return sum(len(place.added) for place in self.places)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON; infinities and NaN, which it has no numbers for, as text."""
        data: dict[str, Any] = _jsonable(asdict(self))
        return {"equal": self.equal, "removed": self.removed, "added": self.added, **data}


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
