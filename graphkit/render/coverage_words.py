"""What a coverage report says, in words: shared by the terminal and Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphkit.analysis.coverage import CoverageReport, Gap, GapGroup, RuntimeCoverage

MARKS = {"whole": "✓", "partial": "◐", "none": "✗", "unknown": "?"}
STATUS_MARKS = {"full": "✓", "partial": "~", "none": "✗", "wrong": "✗", "unknown": "?"}
_VERDICTS = {"whole": "runs whole", "partial": "runs in parts", "none": "does not load", "unknown": "not known"}
STATUSES = {
    "full": "runs",
    "partial": "runs under a condition",
    "unknown": "not known",
    "none": "refused",
    "wrong": "computes something else",
}


@dataclass(frozen=True)
class Line:
    """Gaps of one runtime for one reason.

    Attributes:
        gap: The first of them.
        ops: Its operators and how many nodes each has.
    """

    gap: Gap
    ops: tuple[tuple[str, int], ...]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal where two runtimes say the same."""
        return self.gap.status, self.gap.reason, bool(self.gap.falls_to), self.ops


def verdict_words(item: RuntimeCoverage) -> str:
    """The verdict in two or three words."""
    if item.verdict == "none" and not _refused(item) and any(gap.status == "wrong" for gap in item.gaps):
        return "computes something else"
    return _VERDICTS[item.verdict]


def _refused(item: RuntimeCoverage) -> bool:
    """Whether a node is refused that no runtime behind takes."""
    return any(gap.status == "none" and not gap.falls_to for gap in item.gaps)


def lines(item: RuntimeCoverage, *statuses: str) -> list[Line]:
    """The gaps of some statuses, those of one reason together, the worst first."""
    merged: dict[tuple[str, str, str], list[GapGroup]] = {}
    for group in item.groups(*statuses):
        merged.setdefault((group.gap.status, group.gap.reason, group.gap.falls_to), []).append(group)
    return [Line(groups[0].gap, _counted(groups)) for groups in merged.values()]


def _counted(groups: Iterable[GapGroup]) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for group in groups:
        counts[group.gap.op] = counts.get(group.gap.op, 0) + len(group.nodes)
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def parts(item: RuntimeCoverage) -> str:
    """Into how many parts it is cut, and what falls back; "" where it is not cut."""
    if item.verdict != "partial":
        return ""
    count = f"{item.partitions} part{'s' if item.partitions != 1 else ''}"
    if item.fallback_macs is None:
        return f"{count}; the rest falls back to {item.fallback}"
    return f"{count}; {percent(item.fallback_macs)} of the multiply-accumulates fall back to {item.fallback}"


def percent(share: float) -> str:
    """A share as "0 %", "less than 1 %", "37 %", "100 %": never 0 or 100 for what is only near it."""
    if 0 < share < 0.01:
        return "less than 1 %"
    return f"{min(round(share * 100), 99) if share < 1 else 100} %"


def known_by(item: RuntimeCoverage) -> str:
    """The mix of evidence: "registry", or "doc 238, code 25"."""
    kinds = sorted(item.evidence.items(), key=lambda pair: -pair[1])
    return kinds[0][0] if len(kinds) == 1 else ", ".join(f"{kind} {count}" for kind, count in kinds)


def why(item: RuntimeCoverage) -> str:
    """The main reason why it does not run whole, in a few words."""
    if item.verdict == "whole":
        return "if its conditions hold" if item.gaps else ""
    worst = item.groups("none", "wrong", "unknown")[0]
    return f"{worst.gap.op}: {worst.gap.reason}"


def shortfall(item: RuntimeCoverage) -> str:
    """Why a requirement is not met: the verdict and the first gap."""
    groups = item.groups("none", "wrong", "unknown")
    first = groups[0]
    more = len(groups) - 1
    rest = f", and {more} more {'gaps' if more > 1 else 'gap'}" if more else ""
    verdict = {
        "runs in parts": "it runs only in parts",
        "does not load": "it does not load",
        "not known": "it is not known whether it runs",
        "computes something else": "it computes something else",
    }[verdict_words(item)]
    return (
        f"{item.id} is required, and {verdict} there: {first.gap.op} ({nodes(first.nodes)}), {first.gap.reason}{rest}."
    )


def nodes(names: tuple[str, ...], most: int = 3) -> str:
    """The first few names."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def nodes_count(count: int) -> str:
    """How many nodes, as "1 node"."""
    return f"{count} node{'s' if count != 1 else ''}"


def cited(text: str) -> str:
    """A source, with commits as short as people write them."""
    return re.sub(r"\b([0-9a-f]{8})[0-9a-f]{32}\b", r"\1", text)


def by_operator(report: CoverageReport) -> list[tuple[str, int, dict[str, list[str]]]]:
    """Each operator ("Resize-13"), how many nodes it has, and the runtimes by the worst status of its nodes there."""
    worst: list[dict[tuple[str, int], str]] = []
    order = ("partial", "unknown", "none", "wrong")
    for item in report.runtimes:
        found: dict[tuple[str, int], str] = {}
        for gap in item.gaps:
            key = gap.op, gap.since
            if key not in found or order.index(gap.status) > order.index(found[key]):
                found[key] = gap.status
        worst.append(found)
    result = []
    for operator in report.operators:
        at: dict[str, list[str]] = {}
        for item, found in zip(report.runtimes, worst, strict=True):
            at.setdefault(found.get((operator.op, operator.since), "full"), []).append(item.id)
        name = f"{operator.op}-{operator.since}" if operator.since else operator.op
        result.append((name, operator.nodes, at))
    return result
