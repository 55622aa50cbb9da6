"""Where a model runs, as Markdown: for a README, a pull request, a CI summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain
from graphkit.render.coverage_words import (
    MARKS,
    STATUSES,
    by_operator,
    cited,
    known_by,
    nodes,
    nodes_count,
    parts,
    verdict_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graphkit.analysis.coverage import CoverageReport, Gap

_SPECIAL = frozenset("\\`*_{}[]|~")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"}


def coverage_markdown(report: CoverageReport, *, ops: bool = False) -> str:
    """The runtimes by verdict, the gaps of each, and on request the operators."""
    blocks = [
        f"### {_escaped(report.model)}",
        f"Opset {report.opset}, {nodes_count(report.nodes)}.",
        _table(
            ("runtime", "version", "verdict", "run", "conditional", "unknown", "not", "known by"),
            [
                (
                    item.name,
                    item.version,
                    f"{MARKS[item.verdict]} {verdict_words(item)}" + (f": {parts(item)}" if parts(item) else ""),
                    *(str(item.counts.get(status, 0)) for status in ("full", "partial", "unknown")),
                    str(item.counts.get("none", 0) + item.counts.get("wrong", 0)),
                    known_by(item) if item.evidence else "",
                )
                for item in report.runtimes
            ],
        ),
    ]
    gaps = [
        (item.id, group.gap.op, nodes(group.nodes), STATUSES[group.gap.status], group.gap.reason, _where(group.gap))
        for item in report.runtimes
        for group in item.groups("none", "wrong", "unknown")
    ]
    if gaps:
        blocks += ["#### Gaps", _table(("runtime", "operator", "nodes", "", "why", "says"), gaps)]
    fixes = [(item.id, fix.text, fix.verdict) for item in report.runtimes for fix in item.fixes]
    if fixes:
        blocks += ["#### What helps", _table(("runtime", "do", "then"), fixes)]
    if ops:
        rows = [
            (name, str(count), *(", ".join(at.get(status, [])) for status in STATUSES))
            for name, count, at in by_operator(report)
        ]
        blocks += ["#### Operators", _table(("operator", "nodes", *STATUSES.values()), rows)]
    return "\n\n".join(blocks) + "\n"


def _where(gap: Gap) -> str:
    said = f"{gap.evidence}: {cited(gap.source)}" if gap.evidence else cited(gap.source)
    others = "".join(f"; but {STATUSES[status]} by {cited(source)}" for status, source in gap.others)
    return said + others


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Names in a model are hostile input: nothing in them is markup, a link, a mention or HTML."""
    return "".join(_ENTITIES.get(char) or (f"\\{char}" if char in _SPECIAL else char) for char in plain(text))
