"""Where a model runs, as Markdown: for a README, a pull request, a CI summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from graphkit.render.markdown import escaped, table

if TYPE_CHECKING:
    from graphkit.analysis.coverage import CoverageReport, Gap


def coverage_markdown(report: CoverageReport, *, ops: bool = False) -> str:
    """The runtimes by verdict, the gaps of each, and on request the operators."""
    blocks = [
        f"### {escaped(report.model)}",
        f"Opset {report.opset}, {nodes_count(report.nodes)}.",
        table(
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
        blocks += ["#### Gaps", table(("runtime", "operator", "nodes", "", "why", "says"), gaps)]
    fixes = [(item.id, fix.text, fix.verdict) for item in report.runtimes for fix in item.fixes]
    if fixes:
        blocks += ["#### What helps", table(("runtime", "do", "then"), fixes)]
    if ops:
        rows = [
            (name, str(count), *(", ".join(at.get(status, [])) for status in STATUSES))
            for name, count, at in by_operator(report)
        ]
        blocks += ["#### Operators", table(("operator", "nodes", *STATUSES.values()), rows)]
    return "\n\n".join(blocks) + "\n"


def _where(gap: Gap) -> str:
    said = f"{gap.evidence}: {cited(gap.source)}" if gap.evidence else cited(gap.source)
    others = "".join(f"; but {STATUSES[status]} by {cited(source)}" for status, source in gap.others)
    return said + others
