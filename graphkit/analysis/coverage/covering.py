"""A model against support tables: every kind of node judged once for each runtime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from graphkit.analysis.coverage.judging import chain, judge
from graphkit.analysis.coverage.kinds import kinds_of
from graphkit.analysis.coverage.macs import macs
from graphkit.analysis.coverage.partitions import partitions
from graphkit.analysis.coverage.report import CoverageReport, Gap, OperatorCount, RuntimeCoverage, Whole
from graphkit.analysis.coverage.verdict import Verdict
from graphkit.facts import NodeFacts, survey, survey_body
from graphkit.model import Model
from graphkit.runtimes import Table

Behind = tuple[str, Verdict] | None
"""The runtime behind that takes a node, with its verdict, or the last that refuses it; None without one."""


def cover(model: Model, tables: Sequence[Table]) -> CoverageReport:
    """What each runtime would do with a model.

    Args:
        model: The model; not changed.
        tables: One for each runtime asked about.
    """
    court = _Court(survey(model.proto(), model.values))
    columns = tuple(_column(court, table) for table in tables)
    operators = _operators(court.nodes)
    return CoverageReport(str(model.source or model.name), model.opset, len(court.nodes), columns, operators)


class _Court:
    """Judges the nodes of one model; those of which the same is known, a kind, are judged once in each runtime.

    Attributes:
        nodes: All of them.
        kinds: The kind of each, as a number.
        first: A node of each kind.
        sizes: How many nodes each kind has.
        work: The multiply-accumulates of one node of each kind; None where they are not known.
    """

    def __init__(self, nodes: list[NodeFacts]) -> None:
        self.nodes = nodes
        self.kinds = kinds_of(nodes)
        self.first: list[NodeFacts] = []
        for node, kind in zip(nodes, self.kinds, strict=True):
            if kind == len(self.first):
                self.first.append(node)
        counts = Counter(self.kinds)
        self.sizes = [counts[kind] for kind in range(len(self.first))]
        self.work = [macs(node) for node in self.first]
        self._known: dict[tuple[int, int], Verdict] = {}

    def verdict(self, kind: int, table: Table) -> Verdict:
        key = id(table), kind
        if key not in self._known:
            self._known[key] = judge(self.first[kind], table, survey_body)
        return self._known[key]

    def behind(self, kind: int, table: Table) -> Behind:
        last: Behind = None
        for following in chain(table):
            last = following.name, self.verdict(kind, following)
            if last[1].status != "none":
                return last
        return last


def _column(court: _Court, table: Table) -> RuntimeCoverage:
    verdicts = [court.verdict(kind, table) for kind in range(len(court.first))]
    left = {kind: court.behind(kind, table) for kind, item in enumerate(verdicts) if not item.runs}
    gaps = tuple(
        _gap(node, verdicts[kind], left.get(kind))
        for node, kind in zip(court.nodes, court.kinds, strict=True)
        if verdicts[kind].status != "full"
    )
    evidence: Counter[str] = Counter()
    for item, size in zip(verdicts, court.sizes, strict=True):
        if item.evidence or not item.runs:
            evidence[item.evidence or "unknown"] += size
    verdict = _whole(verdicts, left)
    return RuntimeCoverage(
        name=table.runtime,
        version=table.version,
        title=table.title,
        verdict=verdict,
        nodes=len(court.nodes),
        gaps=gaps,
        evidence=dict(evidence),
        partitions=_parts(court, verdicts, verdict),
        fallback=table.fallback,
        fallback_macs=_share(court, verdicts),
    )


def _whole(verdicts: list[Verdict], left: dict[int, Behind]) -> Whole:
    """What becomes of the model.

    A node that the runtime computes wrongly is taken from those behind it, so they do not help.
    """
    if any(item.status == "wrong" for item in verdicts):
        return "none"
    refused = [behind for kind, behind in left.items() if verdicts[kind].status == "none"]
    if any(item is None or item[1].status in ("none", "wrong") for item in refused):
        return "none"
    if not all(behind is not None and behind[1].runs for behind in left.values()):
        return "unknown"
    return "partial" if refused else "unknown" if left else "whole"


def _parts(court: _Court, verdicts: list[Verdict], verdict: Whole) -> int:
    if verdict == "none":
        return 0
    if all(item.runs for item in verdicts):
        return 1
    main = [(node, verdicts[kind].runs) for node, kind in zip(court.nodes, court.kinds, strict=True) if not node.place]
    return partitions([node for node, _ in main], [taken for _, taken in main])


def _share(court: _Court, verdicts: list[Verdict]) -> float | None:
    """The share of multiply-accumulates in nodes that the runtime leaves; None where that cannot be told."""
    falls = total = 0
    known = True
    for work, size, verdict in zip(court.work, court.sizes, verdicts, strict=True):
        if work is None or (work and verdict.status == "unknown"):
            known = False
        else:
            total += work * size
            falls += 0 if verdict.runs else work * size
    if not known:
        return 0.0 if all(item.runs for item in verdicts) else None
    return falls / total if total else 0.0


def _gap(node: NodeFacts, verdict: Verdict, behind: Behind) -> Gap:
    helps = verdict.status in ("none", "unknown") and behind is not None and behind[1].runs
    return Gap(
        node=node.label,
        op=named(node),
        since=node.since,
        status=verdict.status,
        reason=verdict.reason,
        evidence=verdict.evidence or "",
        source=verdict.source,
        place=node.place,
        others=verdict.others,
        falls_to=behind[0] if helps and behind is not None else "",
    )


def named(node: NodeFacts) -> str:
    """A node's operator, with its domain where it is not ONNX's own."""
    return f"{node.domain}.{node.op}" if node.domain else node.op


def _operators(nodes: list[NodeFacts]) -> tuple[OperatorCount, ...]:
    counts = Counter((named(node), node.since) for node in nodes)
    return tuple(OperatorCount(op, since, count) for (op, since), count in sorted(counts.items()))
