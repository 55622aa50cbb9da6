"""What becomes of one node in one runtime."""

from __future__ import annotations

from dataclasses import dataclass, field

from graphkit.runtimes.table import Evidence, Status

RUNS: tuple[Status, ...] = ("full", "partial")
"""The statuses of a node that runs, as far as is known."""

BETTER: dict[Status, int] = {"full": 0, "partial": 1, "unknown": 2, "wrong": 3, "none": 4}
"""Statuses in order, the best first."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of one node in one runtime.

    Attributes:
        status: full: runs and computes right. partial: runs under a condition, in `reason`, that graphkit cannot
            check. wrong: loads and computes something else. none: is refused. unknown: nobody says.
        reason: Why, as a clause; "" for full.
        evidence: How it is known; None where nothing is said of it.
        source: Where it is said.
        others: What weaker sources say that say something else: (status, source).
    """

    status: Status
    reason: str
    evidence: Evidence | None
    source: str
    others: tuple[tuple[Status, str], ...] = field(default=())

    @property
    def runs(self) -> bool:
        """Whether the node runs, as far as is known."""
        return self.status in RUNS


def beside(first: Verdict, rest: list[Verdict]) -> Verdict:
    """The first, and with it what the rest say that say something else."""
    others = tuple((item.status, item.source) for item in rest if item.status != "unknown" and item.runs != first.runs)
    return Verdict(first.status, first.reason, first.evidence, first.source, others) if others else first
