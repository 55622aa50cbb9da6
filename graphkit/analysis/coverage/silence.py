"""What it means where a runtime's sources say nothing of a node, or nothing of models like this one."""

from __future__ import annotations

import onnx

from graphkit.analysis.coverage.verdict import Verdict
from graphkit.facts import schemas
from graphkit.facts.node import NodeFacts
from graphkit.runtimes import Table, newest_tables
from graphkit.runtimes.table import EVIDENCE, Evidence


def absent(node: NodeFacts, table: Table) -> Verdict:
    """An operator without a row that is about the node."""
    evidence, said = authority(table)
    if _is_onnx(node):
        if table.absent == "none":
            return Verdict("none", "the operator is not among those it has", evidence, said)
        if table.rows(node.op, node.domain):
            return Verdict(
                "unknown", "the operator was measured, and not with such types, ranks or attributes", None, ""
            )
        return Verdict("unknown", "no source says anything of the operator", None, "")
    owner = _owner(node)
    if owner:
        return Verdict("none", f"it is no ONNX operator; it is one of {owner}'s own", evidence, said)
    if table.absent == "none":
        return Verdict("none", "it is no ONNX operator, and not among those it has", evidence, said)
    return Verdict("unknown", "it is no ONNX operator; only who made it knows where it runs", None, "")


def outside(node: NodeFacts, table: Table) -> Verdict | None:
    """A node of a model at an opset that the runtime does not read, or not for certain; None for all others.

    A runtime that checks the opset refuses the model: that is read from it or from its code. Where a document names
    the newest opset, a newer one may still be read.
    """
    if node.domain:
        return None
    low, high = table.opsets
    if (high is None or node.opset <= high) and (low is None or node.opset >= low):
        return None
    evidence, source = authority(table)
    checks = evidence in ("registry", "code")
    read = f"{low} to {high}" if low and high else f"up to {high}" if high else f"{low} and newer"
    reason = f"the model is at opset {node.opset}; it {'reads' if checks else 'is said to read'} {read}"
    return Verdict("none" if checks else "unknown", reason, evidence, source)


def unheard_of(node: NodeFacts) -> Verdict | None:
    """An operator at an opset that onnx itself does not know yet, which may have changed it; None for all others."""
    if node.domain or node.opset <= schemas.newest():
        return None
    newest = f"onnx {onnx.__version__}, which knows up to {schemas.newest()}"
    return Verdict("unknown", f"opset {node.opset} is newer than {newest}: its operators may differ", None, "")


def authority(table: Table) -> tuple[Evidence | None, str]:
    """The source that tells which operators there are at all: the strongest but for probes, which see only some."""
    sources = [source for source in table.sources.values() if source.evidence != "probe"]
    first = min(sources, key=lambda source: EVIDENCE.index(source.evidence), default=None)
    return (None, "") if first is None else (first.evidence, str(first))


def _is_onnx(node: NodeFacts) -> bool:
    """Whether ONNX has the operator in any version, or may have it in one that is newer than what is known."""
    if not node.domain:
        return schemas.known(node.op) or node.opset > schemas.newest()
    return onnx.defs.has(node.op, node.domain)


def _owner(node: NodeFacts) -> str:
    """Whose operator it is, where that is told: the runtime, before those that build on it, that has it."""
    having = [table for table in newest_tables() if table.rows(node.op, node.domain)]
    having.sort(key=lambda table: bool(table.fallback))
    return having[0].title if having else ""
