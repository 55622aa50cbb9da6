"""What a search found, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from graphkit.analysis.coverage import RuntimeCoverage

VERDICTS = ("whole", "partial", "unknown", "none")
"""The best first."""
_OPEN = ("none", "wrong", "unknown")


@dataclass(frozen=True)
class Plan:
    """Passes, and what the runtime's table says of the model behind them.

    Attributes:
        passes: As a pipeline file spells them: a name, or {name: option}.
        rewrites: Places rewritten by all of them.
        nodes: Nodes of the model behind them.
        coverage: What the table says then.
    """

    passes: tuple[Any, ...]
    rewrites: int
    nodes: int
    coverage: RuntimeCoverage

    @property
    def text(self) -> str:
        """For a reader: "replace-nms: matrix, pin-opset: 17"."""
        return ", ".join(map(spelled, self.passes))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "passes": list(self.passes),
            "rewrites": self.rewrites,
            "nodes": self.nodes,
            "coverage": self.coverage.to_dict(),
        }


@dataclass(frozen=True)
class FitReport:
    """A search for what makes a model run whole in a runtime.

    Attributes:
        before: What the runtime's table says of the model as it is.
        found: The least that makes it run whole; None where nothing does, or nothing is needed.
        nearest: What leaves the fewest gaps, where nothing makes it run whole; None where nothing closes any.
        tried: How many rewritten models were held against the table.
        stuck: Operators with gaps that no single pass closes any of, where nothing was found.
        complete: Whether everything that can help was tried; else a bound ended the search.
        seconds: Time it took.
    """

    before: RuntimeCoverage
    found: Plan | None
    nearest: Plan | None
    tried: int
    stuck: tuple[str, ...]
    complete: bool
    seconds: float

    @property
    def whole_already(self) -> bool:
        """Whether the model runs whole as it is."""
        return self.before.verdict == "whole"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "runtime": self.before.name,
            "version": self.before.version,
            "before": self.before.to_dict(),
            "found": self.found.to_dict() if self.found is not None else None,
            "nearest": self.nearest.to_dict() if self.nearest is not None else None,
            "tried": self.tried,
            "stuck": list(self.stuck),
            "complete": self.complete,
            "seconds": self.seconds,
        }


def spelled(item: Any) -> str:
    """An item of a pipeline's list in one line: "sort", "pin-opset: 17"."""
    if not isinstance(item, dict):
        return str(item)
    name, value = next(iter(item.items()))
    return f"{name}: {value}"


def worse(coverage: RuntimeCoverage) -> tuple[int, int]:
    """Smaller is better: the verdict, then the gaps."""
    return VERDICTS.index(coverage.verdict), open_gaps(coverage)


def closer(before: RuntimeCoverage, after: RuntimeCoverage) -> bool:
    """Whether a rewrite closed gaps, made the verdict no worse, and put no operator in that is a gap itself."""
    new = set(open_by_operator(after)) - set(open_by_operator(before))
    return not new and worse(after)[0] <= worse(before)[0] and open_gaps(after) < open_gaps(before)


def open_gaps(coverage: RuntimeCoverage) -> int:
    """Gaps that keep a model from running whole; what runs under a condition is none."""
    return sum(gap.status in _OPEN for gap in coverage.gaps)


def open_by_operator(coverage: RuntimeCoverage) -> Counter[str]:
    """How many of these gaps each operator has."""
    return Counter(gap.op for gap in coverage.gaps if gap.status in _OPEN)
