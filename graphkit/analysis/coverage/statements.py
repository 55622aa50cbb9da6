"""What the rows of a support table say of a node."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from graphkit.analysis.coverage.verdict import BETTER, RUNS, Verdict
from graphkit.facts import schemas
from graphkit.facts.node import NodeFacts
from graphkit.runtimes import Row, Table, admits_types, covers_version
from graphkit.runtimes.conditions import holds
from graphkit.runtimes.constraints import decided
from graphkit.runtimes.table import EVIDENCE, Evidence, Status

_PLAIN: dict[Status, str] = {
    "none": "it does not have the operator",
    "wrong": "it loads and computes something else",
    "unknown": "it is not known whether it runs",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one kind of source says of a node.

    Attributes:
        verdict: It.
        implied: Whether it refuses the node only by not listing its version or types.
        exact: Whether it lists the node's version and types.
    """

    verdict: Verdict
    implied: bool = False
    exact: bool = False


def opinions(node: NodeFacts, table: Table) -> list[Verdict]:
    """What each kind of source says of a node, the strongest evidence first; a kind that says nothing is left out.

    What a source does not list, a weaker one may list by version and type: onnxruntime's CPU has no kernels for many
    operators in float16, and its code puts casts around them. It comes before the stronger one then.
    """
    rows = table.rows(node.op, node.domain)
    if not rows:
        return []
    made = (_opinion([row for row in rows if row.source.evidence == kind], node, table, kind) for kind in EVIDENCE)
    found = [item for item in made if item is not None]
    if found and found[0].implied:
        exact = next((item for item in found if item.exact and item.verdict.runs), None)
        return [item.verdict for item in ([exact] if exact is not None else found)]
    if found and found[0].verdict.evidence == "registry":
        # Nothing else lists all kernels.
        found = [item for item in found if not item.implied]
    return [item.verdict for item in found]


def has_kernel(node: NodeFacts, table: Table) -> bool:
    """Whether a row says that the table's runtime runs the node."""
    return any(item.runs for item in opinions(node, table))


def _opinion(rows: list[Row], node: NodeFacts, table: Table, evidence: Evidence) -> Opinion | None:
    if not rows:
        return None
    about = [row for row in rows if covers_version(row, _since(node), node.opset)]
    if evidence == "probe":
        # A probe of another definition, type or condition says nothing of this node.
        held = [(row, holds(row.when, node)) for row in about]
        found = _best([_measured(row, node, table) for row, known in held if known])
        return found or _perhaps([_measured(row, node, table) for row, known in held if known is None])
    if not about:
        ranges = ", ".join(dict.fromkeys(_range(row) for row in rows))
        reason = f"it has the operator of opset {ranges}, and the model's is of {_since(node)}"
        return Opinion(Verdict("none", reason, evidence, str(rows[0].source)), implied=True)
    return _best([_said(row, node, table) for row in about if holds(row.when, node) is not False])


def _best(found: list[Opinion | None]) -> Opinion | None:
    """Rows of one kind of source add to each other."""
    return min((item for item in found if item is not None), key=lambda item: BETTER[item.verdict.status], default=None)


def _perhaps(found: list[Opinion | None]) -> Opinion | None:
    """What probes say of a node of which too little is known to tell which of them are of its kind.

    Where all that may be of its kind ran, it is taken to run as well; else nothing is said.
    """
    said = [item.verdict for item in found if item is not None]
    if not said or not all(item.runs for item in said):
        return None
    reason = "its rank is not known, and with every rank that was measured it ran"
    return Opinion(Verdict("partial", reason, said[0].evidence, said[0].source))


def _measured(row: Row, node: NodeFacts, table: Table) -> Opinion | None:
    """What a probe says; None where it was of other types, or the node's types are not known.

    What runs with an optional input runs without it; what fails with it may be its fault.
    """
    if admits_types(row, node.types) is not None or _unknown_types(row, node):
        return None
    if row.status not in RUNS and any(name not in node.types for name, _ in row.types):
        return None
    return _stated(row, node, table)


def _said(row: Row, node: NodeFacts, table: Table) -> Opinion:
    """What a list, a file of code or a document says."""
    source, evidence = str(row.source), row.source.evidence
    refused = admits_types(row, node.types)
    if row.status not in ("full", "partial"):
        # What it says of other types, or perhaps of other nodes, does not settle this one.
        doubtful = refused is not None or _unknown_types(row, node) or holds(row.when, node) is None
        unsure = Verdict("unknown", _PLAIN["unknown"], evidence, source)
        return Opinion(unsure) if doubtful else _stated(row, node, table)
    if refused is not None:
        name = refused.split(" ", 1)[0]
        reason = f"{refused}; it takes {', '.join(sorted(dict(row.types)[name]))}"
        return Opinion(Verdict("none", reason, evidence, source), implied=True)
    unknown = _unknown_types(row, node)
    if unknown:
        return Opinion(Verdict("unknown", f"the type of {' and '.join(unknown)} is not known", evidence, source))
    return _stated(row, node, table)


def _stated(row: Row, node: NodeFacts, table: Table) -> Opinion:
    source, evidence = str(row.source), row.source.evidence
    if row.status in _PLAIN:
        return Opinion(Verdict(row.status, row.constraint or _PLAIN[row.status], evidence, source))
    exact = row.match != "any" and bool(row.types)
    if row.status == "partial" and not decided(table, node):
        return Opinion(Verdict("partial", row.constraint, evidence, source), exact=exact)
    return Opinion(Verdict("full", "", evidence, source), exact=exact)


def _unknown_types(row: Row, node: NodeFacts) -> list[str]:
    """The type variables that a row limits, that the node has values of, and whose type is not known."""
    names = [name for name, _ in row.types if name not in node.types]
    if not names or not node.since:
        return names
    schema = schemas.schema(node.op, node.since)
    used = set()
    for formal, actual in ((schema.inputs, node.inputs), (schema.outputs, node.outputs)):
        used |= {
            formal[min(index, len(formal) - 1)].type_str
            for index, tensor in enumerate(actual)
            if tensor is not None and formal
        }
    return [name for name in names if name in used]


def _since(node: NodeFacts) -> int:
    """The version of the operator's definition; that of its domain where onnx does not know the definition."""
    if node.domain and onnx.defs.has(node.op, node.domain):
        return int(onnx.defs.get_schema(node.op, node.opset, node.domain).since_version)
    return node.since or node.opset


def _range(row: Row) -> str:
    if row.until is None:
        return f"{row.since}+" if row.match != "kernel" else str(row.since)
    return f"{row.since}-{row.until}" if row.until != row.since else str(row.since)
