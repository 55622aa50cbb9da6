"""Where two models part, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from graphkit.displayed import Displayed
from graphkit.matching import Difference

Kind = Literal["node", "region", "numerics", "input"]


@dataclass(frozen=True)
class NodeShown:
    """A node, for a reader.

    Attributes:
        label: Its name, or operator and output.
        op: Its operator.
        output: Its first output.
    """

    label: str
    op: str
    output: str


@dataclass(frozen=True)
class Culprit:
    """A place at which the two models part.

    Attributes:
        kind: "node": one node, which differs; "region": several, or others; "numerics": the same nodes, other numbers;
            "input": what the two are fed.
        left_tensor: The first tensor that differs, in the first model.
        right_tensor: The one in its place in the second.
        before: Relative L2 of what is read there: the largest.
        at: Relative L2 of the tensor; infinite where the two cannot be subtracted.
        max_error: Its largest absolute difference.
        problem: Why they cannot be subtracted, or be computed; "" where they can.
        left: Nodes of the first model between what was equal and the tensor, in order.
        right: Of the second.
        left_count: How many they are: of a large region only some are listed.
        right_count: The same.
        differences: What differs between the nodes that belong together, each with the left node's label.
        reaches: Whether the difference goes on to an output.
        origin: Whether this is where the difference begins; False where it has grown to this from earlier ones so
            slowly that no place can be named.
    """

    kind: Kind
    left_tensor: str
    right_tensor: str
    before: float
    at: float
    max_error: float
    problem: str
    left: tuple[NodeShown, ...]
    right: tuple[NodeShown, ...]
    left_count: int
    right_count: int
    differences: tuple[tuple[str, Difference], ...]
    reaches: bool
    origin: bool = True


@dataclass(frozen=True)
class Unmatched:
    """A place that is built differently, where nothing that is in both models differs.

    Attributes:
        left: Nodes of the first model, the last ones where there are many.
        right: Of the second.
        left_count: How many they are.
        right_count: The same.
    """

    left: tuple[NodeShown, ...]
    right: tuple[NodeShown, ...]
    left_count: int
    right_count: int


@dataclass(frozen=True)
class Bisection(Displayed):
    """What came of looking for the place at which two models part.

    Attributes:
        left: Name of the first model.
        right: Of the second.
        feed: The input both were run on.
        tolerance: Relative L2 above which tensors differ.
        culprits: Where they part, in topological order: the first is the answer. () where nothing differs.
        vanished: Places that differ without any effect on an output: rewriting that is right is such.
        compared: Pairs of tensors that were compared.
        left_nodes: Nodes of the first model's main graph, Constant nodes left out.
        right_nodes: Of the second.
        matched: Nodes with a partner.
        equal: Of these, the ones in which nothing differs.
        regions: Places that are built differently.
        unmatched: Those, where no culprit was found: whatever differs lies in them.
        notes: What is worth knowing.
        seconds: Wall time.
    """

    left: str
    right: str
    feed: str
    tolerance: float
    culprits: tuple[Culprit, ...]
    vanished: int
    compared: int
    left_nodes: int
    right_nodes: int
    matched: int
    equal: int
    regions: int
    unmatched: tuple[Unmatched, ...]
    notes: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
