"""The statistics of a model, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from graphkit.analysis.statistics.summary import ModelSummary


@dataclass(frozen=True)
class Cost:
    """What some nodes cost together.

    Attributes:
        nodes: How many there are.
        parameters: Elements of the initializers that they are the first to read.
        weight_bytes: Bytes of these, and of the values of Constant nodes.
        activation_bytes: Bytes of what they compute, constants not counted.
        macs: Multiply-accumulates, of those of which they are known.
        unknown: Nodes of which they are not known, because a shape or the operator is not.
    """

    nodes: int = 0
    parameters: int = 0
    weight_bytes: int = 0
    activation_bytes: int = 0
    macs: int = 0
    unknown: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.nodes + other.nodes,
            self.parameters + other.parameters,
            self.weight_bytes + other.weight_bytes,
            self.activation_bytes + other.activation_bytes,
            self.macs + other.macs,
            self.unknown + other.unknown,
        )


@dataclass(frozen=True)
class Band:
    """The nodes of some depths, which count the nodes on the longest way from an input.

    Attributes:
        first: Least depth, from 1.
        last: Greatest depth.
        cost: What they cost.
        shape: The shape of the largest tensor that they compute; None where no shape is known.
    """

    first: int
    last: int
    cost: Cost
    shape: tuple[int | str | None, ...] | None


@dataclass(frozen=True)
class Peak:
    """Where most memory is taken by activations.

    Attributes:
        bytes: What is held while the node runs: its inputs, its outputs, and what is read later.
        node: The node.
        tensors: How many tensors that are.
        unknown: Tensors of the whole model whose size is not known, and which are not counted.
    """

    bytes: int
    node: str
    tensors: int
    unknown: int


@dataclass(frozen=True)
class Dynamic:
    """A dimension of the inputs that is not fixed.

    Attributes:
        name: Its name, or "input[axis]" where it has none.
        places: Where it stands, as "input[axis]".
        size: With which size MACs and memory were counted; None where none is known.
        source: Where that size is from: "given", "batch" (1 is taken), or "imgsz" of the metadata; "" for none.
    """

    name: str
    places: tuple[str, ...]
    size: int | None
    source: str


@dataclass(frozen=True)
class ExternalFile:
    """A file beside the model that weights lie in: its path as the model spells it, tensors and their bytes."""

    location: str
    tensors: int
    bytes: int


@dataclass(frozen=True)
class Finding:
    """Something about the model that is worth knowing before it is deployed.

    Attributes:
        kind: What, for programs: "unsorted", "unnamed-nodes", "duplicate-names", "duplicate-constants",
            "half-precision", "double-precision", "unused-initializers", "unused-inputs", "unused-outputs",
            "dead-nodes", "custom-operators".
        message: One sentence.
        names: The nodes or tensors it is about.
    """

    kind: str
    message: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Statistics:
    """A model in numbers.

    Attributes:
        summary: Nodes, operators, parameters, size, opset, inputs and outputs.
        opsets: Domain ("ai.onnx" for ONNX's own) -> version.
        total: What all nodes cost.
        operators: Operator -> what its nodes cost, the most expensive first. Functions count where they are called.
        depths: The same by depth, at most eight bands.
        peak: The most memory that activations take at once; None for a model without nodes.
        weight_types: Element type -> bytes of the weights.
        tensor_types: Element type -> how many computed tensors are of it; "unknown" where it is not known.
        dynamic: Dimensions of the inputs that are not fixed.
        external: Files beside the model.
        findings: What is worth knowing.
    """

    summary: ModelSummary
    opsets: dict[str, int]
    total: Cost
    operators: dict[str, Cost]
    depths: tuple[Band, ...]
    peak: Peak | None
    weight_types: dict[str, int]
    tensor_types: dict[str, int]
    dynamic: tuple[Dynamic, ...]
    external: tuple[ExternalFile, ...]
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        return asdict(self)
