"""Does a runtime run a node? What its support table and its constraints say, the strongest evidence first.

    code      a constraint that the node does not meet decides where nothing measured says that it is refused
    probe     else what was measured for such a node
    registry, code, doc   else the first kind of source that says anything of this operator
    function  else, where the runtime inlines functions, the operators of the node's function body

What the other sources say is kept beside it where they say something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from graphkit.analysis.coverage.silence import absent, authority, outside, unheard_of
from graphkit.analysis.coverage.statements import has_kernel, opinions
from graphkit.analysis.coverage.verdict import BETTER, Verdict, beside
from graphkit.facts import schemas
from graphkit.facts.node import NodeFacts
from graphkit.runtimes import Table, find_table
from graphkit.runtimes.constraints import violations

Expander = Callable[[NodeFacts], list[NodeFacts]]
"""The nodes of a node's function body; empty where it has none."""


def judge(node: NodeFacts, table: Table, expand: Expander) -> Verdict:
    """What becomes of a node in a runtime."""
    limit = outside(node, table)
    if limit is not None and limit.status == "none":
        return limit
    if table.fixes:
        node = _fixed(node)
    verdict = _judged(node, table, expand)
    if verdict.runs and not is_weight(node):
        doubt = limit or unheard_of(node)
        return verdict if doubt is None else doubt
    return verdict


def _fixed(node: NodeFacts) -> NodeFacts:
    """A node as a converter sees it that was told the sizes of all inputs."""
    tensors = (node.inputs, node.outputs)
    inputs, outputs = (tuple(item and replace(item, folded=item.settled) for item in some) for some in tensors)
    return replace(node, inputs=inputs, outputs=outputs)


def is_weight(node: NodeFacts) -> bool:
    """Whether a node is a constant, which every runtime reads as it reads initializers."""
    return node.op == "Constant" and not node.domain


def chain(table: Table) -> list[Table]:
    """The runtimes behind one that take what it leaves, each before the one behind it."""
    behind: list[Table] = []
    while table.fallback:
        table = find_table(table.fallback)
        behind.append(table)
    return behind


def _judged(node: NodeFacts, table: Table, expand: Expander) -> Verdict:
    if table.fixes and all(item is None or item.folded for item in node.outputs):
        evidence, source = authority(table)
        return Verdict("full", "", evidence, f"computed once by its converter; {source}")
    said = opinions(node, table)
    if is_weight(node) and not any(item.status in ("none", "wrong") for item in said[:1]):
        return Verdict("full", "", said[0].evidence if said else None, said[0].source if said else "")
    probed = bool(said) and said[0].evidence == "probe"
    if probed and not said[0].runs:
        return beside(said[0], said[1:])
    broken = violations(table, node)
    certain = next((item for item in broken if item.certain), None)
    # Probes vary types, ranks and attributes; constraints are also about values, which the probed may not have had.
    if probed and certain is None:
        return beside(said[0], said[1:])
    if certain is not None:
        first = Verdict("wrong" if certain.wrong else "none", certain.reason, certain.evidence, certain.citation)
        return _folded(node, table, expand) or beside(first, said)
    if said and said[0].runs:
        if broken:
            return Verdict("unknown", broken[0].reason, broken[0].evidence, broken[0].citation)
        return beside(said[0], said[1:])
    folded = _folded(node, table, expand)
    if folded is not None:
        return folded
    if table.inlines and (not said or said[0].status == "none"):
        inlined = _inlined(node, table, expand)
        if inlined is not None and (inlined.runs or not said):
            return inlined
    return beside(said[0], said[1:]) if said else absent(node, table)


def _folded(node: NodeFacts, table: Table, expand: Expander) -> Verdict | None:
    """A node that computes the same in every run: the runtime behind this one computes it once, before it is asked.

    onnxruntime folds constants on its CPU before nodes are given to execution providers
    (onnxruntime/core/optimizer/constant_folding.cc, a transformer of level 1).
    """
    made = [item for item in node.outputs if item is not None]
    if not made or not all(item.folded for item in made):
        return None
    behind = chain(table)
    if not behind:
        return None
    verdict = judge(node, behind[-1], expand)
    if not verdict.runs:
        return None
    source = f"computed once by {behind[-1].name}; {verdict.source}"
    return Verdict("full", "", verdict.evidence, source)


def _inlined(node: NodeFacts, table: Table, expand: Expander) -> Verdict | None:
    """What becomes of a node's function body, where the runtime puts it in the node's place; None where it does not.

    onnxruntime does not where a runtime behind has a kernel for the node, nor where an operator of a plain body changed
    between the body's opset and the model's; a body that is built for the node is built for the model's opset.
    """
    if not node.expandable or any(has_kernel(node, behind) for behind in chain(table)):
        return None
    body = expand(node)
    if any(schemas.since(inner.op, node.opset) != inner.since for inner in body if not inner.domain):
        return None
    if not body:
        if all(item is None or item.type for item in node.inputs):
            return None
        return Verdict("unknown", "its function body depends on types that are not known", None, "")
    worst: Verdict | None = None
    for inner in body:
        verdict = judge(inner, table, expand)
        if not verdict.runs or verdict.status == "partial":
            reason = f"its function body needs {inner.op}: {verdict.reason}"
            verdict = Verdict(verdict.status, reason, verdict.evidence, verdict.source)
        if worst is None or BETTER[verdict.status] > BETTER[worst.status]:
            worst = verdict
    if worst is None or worst.status != "full":
        return worst
    evidence, source = authority(table)
    return Verdict("full", "", evidence, f"by its function body; {source}")
