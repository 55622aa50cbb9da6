"""What came of trying a model in a runtime, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Ending = Literal["right", "wrong", "not loaded", "not run", "crashed", "timeout", "not comparable"]


@dataclass(frozen=True)
class OutputTrial:
    """One comparison with onnxruntime on the CPU.

    Attributes:
        feed: The input: "bus.jpg", "random".
        output: What was compared: an output's name, or the outputs that detections are read from.
        same: Whether it is the same, to what another order of summing may change.
        how: What was compared, and how far it is apart, for a reader.
        relative_l2: ‖a - b‖ / ‖a‖; None where no numbers were subtracted.
        max_error: The largest difference; None likewise.
    """

    feed: str
    output: str
    same: bool
    how: str
    relative_l2: float | None = None
    max_error: float | None = None


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        model: The model.
        runtime: The runtime.
        version: Its version, as installed.
        ending: right; wrong: it computes something else; not loaded, not run, crashed, timeout; not comparable:
            it ran, or might, and there is nothing to compare with.
        reason: What the runtime said, or what is in the way; "" where nothing is.
        outputs: The comparisons.
        seconds: For loading and running, all inputs.
        table: The support table that was asked; "" where there is none.
        predicted: What it says of the model: whole, partial, none or unknown; "" without a table.
        gaps: What it names as not covered: (operator, status, reason).
    """

    model: str
    runtime: str
    version: str
    ending: Ending
    reason: str
    outputs: tuple[OutputTrial, ...]
    seconds: float
    table: str
    predicted: str
    gaps: tuple[tuple[str, str, str], ...]

    @property
    def right(self) -> bool:
        """Whether it loads, runs and computes the same."""
        return self.ending == "right"

    @property
    def as_predicted(self) -> bool | None:
        """Whether the table was right; None where it does not say, or nothing could be compared."""
        if self.predicted in ("", "unknown") or self.ending == "not comparable":
            return None
        return (self.predicted != "none") == self.right

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "gaps": [{"op": op, "status": status, "reason": reason} for op, status, reason in self.gaps],
            "right": self.right,
            "as_predicted": self.as_predicted,
        }
