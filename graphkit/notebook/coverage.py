"""Coverage: a row a runtime, and behind each what is in the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.notebook.bundles import Forms, printed
from graphkit.notebook.html import element, folded, table, written
from graphkit.render.coverage_text import print_coverage
from graphkit.render.coverage_words import (
    MARKS,
    STATUSES,
    cited,
    known_by,
    nodes,
    nodes_count,
    parts,
    verdict_words,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from graphkit.analysis.coverage import CoverageReport, RuntimeCoverage

_HEADINGS = ("runtime", "verdict", "run", "if", "?", "not", "known by", "")


def coverage(report: CoverageReport) -> Forms:
    """What `graphkit coverage` says."""
    return Forms(printed(print_coverage, report), _html(report))


def _html(report: CoverageReport) -> str:
    matrix = table(_HEADINGS, map(_row, report.runtimes), numbers=range(2, 6))
    known = f" · opset {report.opset} · {nodes_count(report.nodes)}"
    helps = table(("runtime", "do", "then"), _fixes(report))
    return written(
        element("p", element("b", report.model), known),
        matrix,
        element("p", element("b", "What helps")) if helps is not None else None,
        helps,
        *(folded(f"{item.id}: {verdict_words(item)}", _gaps(item)) for item in report.runtimes),
    )


def _row(item: RuntimeCoverage) -> tuple[str, ...]:
    has = item.counts
    refused = has.get("none", 0) + has.get("wrong", 0)
    numbers = (has.get("full", 0), has.get("partial", 0), has.get("unknown", 0), refused)
    return (
        item.id,
        f"{MARKS[item.verdict]} {verdict_words(item)}",
        *(f"{number}" if number else "" for number in numbers),
        known_by(item) if item.evidence else "",
        parts(item) or why(item),
    )


def _fixes(report: CoverageReport) -> Iterator[tuple[str, str, str]]:
    for item in report.runtimes:
        for fix in item.fixes:
            then = "it runs whole" if fix.verdict == "whole" else f"closes {fix.closed} of its gaps"
            yield item.id, fix.text, then


def _gaps(item: RuntimeCoverage) -> Element | None:
    """Every kind of gap, the worst first."""
    rows = [
        (
            group.gap.op,
            STATUSES[group.gap.status],
            group.gap.reason + (f"; {group.gap.falls_to} runs it instead" if group.gap.falls_to else ""),
            f"{group.gap.evidence}: {cited(group.gap.source)}" if group.gap.evidence else cited(group.gap.source),
            f"{len(group.nodes)}: {nodes(group.nodes)}" if len(group.nodes) > 1 else group.gap.node,
        )
        for group in item.groups()
    ]
    return table(("operator", "", "why", "known from", "nodes"), rows)
