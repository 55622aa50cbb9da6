"""The coverage matrix of a report, and its gaps, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphkit.render.coverage_words import (
    MARKS,
    STATUSES,
    Line,
    cited,
    known_by,
    lines,
    nodes_count,
    parts,
    verdict_words,
    why,
)

if TYPE_CHECKING:
    from graphkit.analysis.coverage import CoverageReport, RuntimeCoverage
    from graphkit.report import Report

_TONES = {"whole": "good", "partial": "warn", "none": "bad", "unknown": "warn"}
_MOST_OPERATORS = 8


def matrix(report: Report) -> list[dict[str, Any]]:
    """A row a runtime: a verdict a model, the counts of the last model, why, and how it is known."""
    rows = []
    columns = [{item.id: item for item in side.coverage.runtimes} for side in report.sides]
    for item in report.model.coverage.runtimes:
        has = item.counts
        numbers = (has.get("full"), has.get("partial"), has.get("unknown"), has.get("none", 0) + has.get("wrong", 0))
        rows.append(
            {
                "id": item.id,
                "title": item.title,
                "verdicts": [_verdict(column[item.id]) for column in columns],
                "counts": [str(number or "·") for number in numbers],
                "why": parts(item) or why(item),
                "known_by": known_by(item) if item.evidence else "",
            }
        )
    return rows


def _verdict(item: RuntimeCoverage) -> dict[str, str]:
    return {"mark": MARKS[item.verdict], "words": verdict_words(item), "tone": _TONES[item.verdict]}


def gaps(report: CoverageReport) -> list[dict[str, Any]]:
    """For each runtime that has any: what it does not, or may not, run, where that is said, and what helps."""
    found = []
    for item in report.runtimes:
        if not item.gaps:
            continue
        fixes = [{"text": fix.text, "then": _becomes(fix.verdict, fix.closed)} for fix in item.fixes]
        rows = [_row(line) for line in lines(item)]
        found.append({"id": item.id, "count": _counted(item), "lines": rows, "fixes": fixes})
    return found


def _row(line: Line) -> dict[str, str]:
    gap = line.gap
    falls = f"; {gap.falls_to} runs it" if gap.falls_to else ""
    source = f"{gap.evidence}: {cited(gap.source)}" if gap.evidence else cited(gap.source)
    others = "".join(f"; but {STATUSES[status]} by {cited(where)}" for status, where in gap.others)
    return {
        "what": _operators(line.ops),
        "status": STATUSES[gap.status],
        "reason": gap.reason + falls,
        "source": source + others,
    }


def _operators(ops: Sequence[tuple[str, int]]) -> str:
    shown = ", ".join(f"{op} ×{count}" if count > 1 else op for op, count in ops[:_MOST_OPERATORS])
    more = len(ops) - _MOST_OPERATORS
    return shown + (f" and {more} more" if more > 0 else "")


def _counted(item: RuntimeCoverage) -> str:
    counts = [(status, count) for status, count in item.counts.items() if status != "full"]
    return ", ".join(f"{nodes_count(count)} {STATUSES[status]}" for status, count in counts)


def _becomes(verdict: str, closed: int) -> str:
    count = f"{closed} gap{'s' if closed != 1 else ''}"
    return {"whole": "runs whole", "partial": f"runs in parts, without {count}"}.get(verdict, f"has {count} fewer")
