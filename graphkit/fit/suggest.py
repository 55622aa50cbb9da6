"""Single steps that close gaps, for every runtime at once: a rewritten graph is made once, and judged for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from graphkit.analysis.coverage import CoverageReport, Fix, RuntimeCoverage, cover
from graphkit.fit.candidates import BACKENDS, NMS_OPERATORS, Step, has_nms, opsets, rewritten
from graphkit.fit.report import VERDICTS, closer, open_gaps, spelled
from graphkit.model import Model
from graphkit.passes.merge_reshapes.spreading import OPERATORS
from graphkit.passes.remove_no_ops.rules import RULES
from graphkit.runtimes import Table

_MOST = 3
"""Fixes a runtime."""
_REWRITE = 4
"""Runtimes that are judged in the time of a rewrite."""
_SWEEPERS = {
    "remove-identity": frozenset({"Identity"}),
    "remove-no-ops": frozenset(RULES),
    "remove-transposes": frozenset({"Transpose"}),
    "merge-reshapes": OPERATORS,
}
"""Which operators a pass is for removing: tried where one of them is a gap."""


def suggest(model: Model, report: CoverageReport, tables: Sequence[Table], work: int = 24_000) -> CoverageReport:
    """Say for each runtime with gaps which single steps close some: found by trying them, none of them proven.

    Args:
        model: The model that the report is about; not changed.
        report: What `cover` found.
        tables: Those it was made with.
        work: Nodes judged at most, over all rewritten models and runtimes, so that what is found does not depend on
            the machine or on what else runs there. The most hopeful steps come first.

    Returns:
        The report with fixes, the best first.
    """
    named = {(table.runtime, table.version): table for table in tables}
    gapped = [
        (named[column.name, column.version], column)
        for column in report.runtimes
        if open_gaps(column) and (column.name, column.version) in named
    ]
    if not gapped:
        return report
    found: dict[tuple[str, str], list[Fix]] = {}
    each = report.nodes * (_REWRITE + len(gapped))
    for step in islice(_steps(model, gapped), work // max(each, 1)):
        made = rewritten(model, step)
        if made is not None:
            after = cover(made[0], [table for table, _ in gapped])
            for (_, before), column in zip(gapped, after.runtimes, strict=True):
                fix = _fix(step, before, column)
                if fix is not None:
                    found.setdefault((before.name, before.version), []).append(fix)
    columns = [replace(column, fixes=_best(found.get((column.name, column.version), []))) for column in report.runtimes]
    return replace(report, runtimes=tuple(columns))


def _steps(model: Model, gapped: list[tuple[Table, RuntimeCoverage]]) -> Iterator[Step]:
    """The most hopeful first. simplify and unrolled NMS take seconds, so they are left to `fit`."""
    ops = [{gap.op.rpartition(".")[2] for gap in column.gaps} for _, column in gapped]
    ranked = opsets(model.opset, gapped)
    hopeful = [(item.hopes, Step("pin-opset", item.version)) for item in ranked if item.hopes]
    if has_nms(model):
        concerned = sum(bool(of_one & NMS_OPERATORS) for of_one in ops)
        hopeful += [(concerned, Step("replace-nms", backend)) for backend in BACKENDS if concerned]
    yield from (step for _, step in sorted(hopeful, key=lambda item: -item[0]))
    yield from (Step(name) for name, swept in _SWEEPERS.items() if any(swept & of_one for of_one in ops))
    yield Step("fold-constants")
    yield from (Step("pin-opset", item.version) for item in ranked if not item.hopes and item.absent)


def _fix(step: Step, before: RuntimeCoverage, after: RuntimeCoverage) -> Fix | None:
    if not closer(before, after):
        return None
    return Fix(spelled(step.item), (step.item,), after.verdict, open_gaps(before) - open_gaps(after))


def _best(fixes: list[Fix]) -> tuple[Fix, ...]:
    """The best first; of those that come to the same, by one pass, the first."""
    kept: dict[tuple[str, str, int], Fix] = {}
    for fix in sorted(fixes, key=lambda fix: (VERDICTS.index(fix.verdict), -fix.closed)):
        kept.setdefault((fix.text.partition(":")[0], fix.verdict, fix.closed), fix)
    return tuple(kept.values())[:_MOST]
