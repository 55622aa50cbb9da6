"""What came of an export, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One option as it was used.

    Attributes:
        option: As ultralytics spells it.
        value: For a reader: "640 × 640", "17".
        why: Why it is so: "asked for", or the reason for the default.
    """

    option: str
    value: str
    why: str


@dataclass(frozen=True)
class Compared:
    """One thing that both return, at its worst.

    Attributes:
        holds: "boxes", "scores", "masks" and so on.
        feed: The input on which it was farthest.
        relative_l2: ‖a - b‖ / ‖a‖ over all of it.
        tolerance: What that may be.
        ignored: Differences of no more than this count as none, absolute: what two implementations of Sigmoid are
            apart.
    """

    holds: str
    feed: str
    relative_l2: float
    tolerance: float
    ignored: float = 0.0


@dataclass(frozen=True)
class ExportProof:
    """That the file computes what PyTorch does.

    Attributes:
        against: What it was held against: "PyTorch 2.14.1".
        feeds: The inputs.
        compared: By numbers.
        detections: Detections that are the same on both sides.
        classes: Of so many classes.
        confidence: The lowest threshold that was used for them.
        precision: Where the tolerances come from; "" in float32, where they are those of every proof.
        notes: What else is to be said of it.
        seconds: Wall time.
    """

    against: str
    feeds: tuple[str, ...]
    compared: tuple[Compared, ...]
    detections: int
    classes: int
    confidence: float
    precision: str
    notes: tuple[str, ...]
    seconds: float

    @property
    def worst(self) -> float:
        """The largest relative L2 of all."""
        return max((item.relative_l2 for item in self.compared), default=0.0)


@dataclass(frozen=True)
class Tensor:
    """An input or output: its name, and its sizes or their symbols."""

    name: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Need:
    """What a runtime needs of a dynamic model.

    Attributes:
        runtime: Its name.
        why: What it does with open dimensions.
        line: What to type, or to write into the program or the pipeline.
    """

    runtime: str
    why: str
    line: str


@dataclass(frozen=True)
class ExportReport:
    """An export.

    Attributes:
        source: The file's name.
        sha256: Of the source, in hex.
        untrained: Whether the weights were made from a seed.
        seed: That seed; None for trained weights.
        label: "detect, 80 classes".
        choices: Every option, as it was used, and why.
        output: Where it was written.
        opset: Of the file.
        traced_opset: The opset torch wrote; another one where `pin-opset` went on.
        nodes: Of the main graph.
        bytes: Size of the file.
        inputs: In order.
        outputs: In order.
        proof: That it computes what PyTorch does; None where that was not wanted.
        notes: What whoever uses it should know.
        needs: Of runtimes; () of a static export.
        versions: Of what made it.
        export_seconds: Spent on the export that was kept.
        seconds: Wall time of all.
    """

    source: str
    sha256: str
    untrained: bool
    seed: int | None
    label: str
    choices: tuple[Choice, ...]
    output: str
    opset: int
    traced_opset: int
    nodes: int
    bytes: int
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    proof: ExportProof | None
    notes: tuple[str, ...]
    needs: tuple[Need, ...]
    versions: dict[str, str]
    export_seconds: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
