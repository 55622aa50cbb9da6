"""What a probe found, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from graphkit.runtimes.probing.measure import Measurement
from graphkit.runtimes.probing.observation import Observation
from graphkit.runtimes.probing.outcome import KINDS


@dataclass(frozen=True)
class OperatorCount:
    """One operator.

    Attributes:
        op: Its name.
        right: How many cases computed what they must.
        wrong: How many computed something else.
        failed: How many were refused, crashed or were not done in time.
        reason: The most frequent reason of those that did not run right.
    """

    op: str
    right: int
    wrong: int
    failed: int
    reason: str


@dataclass(frozen=True)
class ProbeReport:
    """What a probe found.

    Attributes:
        runtime: The runtime.
        version: Its version.
        table: The file that was written.
        cases: How many cases there are.
        probed: How many of them were probed.
        complete: Whether all were.
        outcomes: How many ended how.
        operators: One item an operator, in alphabetical order.
    """

    runtime: str
    version: str
    table: str
    cases: int
    probed: int
    complete: bool
    outcomes: dict[str, int]
    operators: tuple[OperatorCount, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def report(
    runtime: str, version: str, observations: Sequence[Observation], found: Measurement, table: str, cases: int
) -> ProbeReport:
    """Count what a probe found.

    Args:
        runtime: The runtime.
        version: Its version.
        observations: What became of the cases that say something.
        found: What became of all.
        table: The file that was written.
        cases: How many cases there are.
    """
    kinds = Counter(outcome.kind for outcome in found.outcomes.values())
    grouped: dict[str, list[Observation]] = {}
    for item in observations:
        grouped.setdefault(f"{item.node.domain}.{item.node.op}".lstrip("."), []).append(item)
    return ProbeReport(
        runtime=runtime,
        version=version,
        table=table,
        cases=cases,
        probed=len(found.outcomes),
        complete=found.complete,
        outcomes={kind: kinds[kind] for kind in KINDS},
        operators=tuple(_count(op, members) for op, members in sorted(grouped.items())),
    )


def _count(op: str, members: Sequence[Observation]) -> OperatorCount:
    statuses = Counter(item.status for item in members)
    reasons = Counter(item.reason for item in members if not item.runs)
    reason = reasons.most_common(1)[0][0] if reasons else ""
    return OperatorCount(op, statuses["full"], statuses["wrong"], statuses["none"], reason)
