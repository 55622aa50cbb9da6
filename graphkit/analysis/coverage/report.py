"""What a coverage analysis found, as plain data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Literal

from graphkit.displayed import Displayed

Whole = Literal["whole", "partial", "none", "unknown"]


@dataclass(frozen=True)
class Gap:
    """A node that a runtime does not, or may not, run as it is.

    Attributes:
        node: The node, named for a reader.
        op: Its operator, with its domain where it is not ONNX's own.
        since: The version of its definition; 0 where onnx knows none.
        status: partial, none, wrong or unknown; see `graphkit.analysis.coverage.judging.Verdict`.
        reason: Why, as a clause.
        evidence: How that is known; "" where it is not.
        source: Where it is said.
        place: The subgraph or function that it is in; "" for the main graph.
        others: What weaker sources say instead: (status, source).
        falls_to: The runtime behind this one that runs the node; "" where none does.
    """

    node: str
    op: str
    since: int
    status: str
    reason: str
    evidence: str
    source: str
    place: str = ""
    others: tuple[tuple[str, str], ...] = ()
    falls_to: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "node": self.node,
            "op": self.op,
            "since": self.since,
            "status": self.status,
            "reason": self.reason,
            "evidence": self.evidence,
            "source": self.source,
            **({"place": self.place} if self.place else {}),
            **({"others": [{"status": s, "source": where} for s, where in self.others]} if self.others else {}),
            **({"falls_to": self.falls_to} if self.falls_to else {}),
        }


@dataclass(frozen=True)
class GapGroup:
    """Gaps of one operator for one reason.

    Attributes:
        gap: The first of them.
        nodes: All their nodes.
    """

    gap: Gap
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Fix:
    """Something that makes a runtime run more of a model, found by trying it.

    Attributes:
        text: What to do, for a reader: "pin-opset: 17".
        passes: The passes, as a pipeline file spells them.
        verdict: What the runtime's table says of the model then.
        closed: How many of the gaps it closes.
    """

    text: str
    passes: tuple[Any, ...]
    verdict: Whole
    closed: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"text": self.text, "passes": list(self.passes), "verdict": self.verdict, "closed": self.closed}


@dataclass(frozen=True)
class RuntimeCoverage:
    """One runtime's column.

    Attributes:
        name: The runtime.
        version: The version of its table.
        title: For a reader.
        verdict: whole: every node runs, as far as is known. partial: it runs in parts, the rest falls back to
            `fallback`. none: it does not load. unknown: nobody says of some nodes whether they run.
        nodes: How many nodes were judged.
        gaps: The nodes that do not, or may not, run there.
        evidence: How many nodes are known by which kind of evidence.
        partitions: How many parts of the model it would get, as if it left the nodes of which it is not known; 0 where
            it does not load the model.
        fallback: The runtime that takes the rest; "" for none.
        fallback_macs: The share of multiply-accumulates that it does not run, 0 to 1; None where that is not known.
        fixes: What would close gaps.
    """

    name: str
    version: str
    title: str
    verdict: Whole
    nodes: int
    gaps: tuple[Gap, ...]
    evidence: dict[str, int]
    partitions: int
    fallback: str
    fallback_macs: float | None
    fixes: tuple[Fix, ...] = ()

    @property
    def id(self) -> str:
        """As users type it: "onnxruntime-cpu@1.32.0"."""
        return f"{self.name}@{self.version}"

    @property
    def blocking(self) -> tuple[Gap, ...]:
        """The gaps that are certain."""
        return tuple(gap for gap in self.gaps if gap.status in ("none", "wrong"))

    @property
    def counts(self) -> dict[str, int]:
        """How many nodes have which status, those that run first; statuses that no node has are left out."""
        found = Counter(gap.status for gap in self.gaps)
        full = self.nodes - len(self.gaps)
        counts = {"full": full, **{status: found[status] for status in ("partial", "unknown", "wrong", "none")}}
        return {status: count for status, count in counts.items() if count}

    def groups(self, *statuses: str) -> list[GapGroup]:
        """The gaps of some statuses, of all where none is given; those that differ only in the node are one group.

        What is worst and not taken by another runtime comes first, then what has most nodes.
        """
        found: dict[Gap, list[Gap]] = {}
        for gap in self.gaps:
            if not statuses or gap.status in statuses:
                found.setdefault(replace(gap, node="", place=""), []).append(gap)
        groups = [GapGroup(members[0], tuple(gap.node for gap in members)) for members in found.values()]
        return sorted(groups, key=lambda group: (_WORST[group.gap.status], bool(group.gap.falls_to), -len(group.nodes)))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "version": self.version,
            "verdict": self.verdict,
            "gaps": [gap.to_dict() for gap in self.gaps],
            "partitions": self.partitions,
            "fallback_macs": self.fallback_macs,
            "fixes": [fix.to_dict() for fix in self.fixes],
            "title": self.title,
            "nodes": self.nodes,
            "evidence": self.evidence,
            "fallback": self.fallback,
        }


_WORST = {"wrong": 0, "none": 1, "unknown": 2, "partial": 3}


@dataclass(frozen=True)
class OperatorCount:
    """An operator of a model.

    Attributes:
        op: It, with its domain where it is not ONNX's own.
        since: The version of its definition; 0 where onnx knows none.
        nodes: How many nodes there are of it.
    """

    op: str
    since: int
    nodes: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"op": self.op, "since": self.since, "nodes": self.nodes}


@dataclass(frozen=True)
class CoverageReport(Displayed):
    """A model against runtimes.

    Attributes:
        model: The model's path or name.
        opset: Its version of the default operator set.
        nodes: How many nodes were judged.
        runtimes: A column each.
        operators: Every operator of the model, in alphabetical order.
    """

    model: str
    opset: int
    nodes: int
    runtimes: tuple[RuntimeCoverage, ...]
    operators: tuple[OperatorCount, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "model": self.model,
            "opset": self.opset,
            "nodes": self.nodes,
            "operators": [item.to_dict() for item in self.operators],
            "runtimes": [item.to_dict() for item in self.runtimes],
        }
