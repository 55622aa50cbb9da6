"""A run: a row a pass with its proof, then before and after."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.notebook.bundles import Forms, printed
from graphkit.notebook.html import element, folded, table, written
from graphkit.render.run_text import before_after, closing, pass_row, print_run, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from graphkit.pipeline import PassRecord, RunReport


def run(report: RunReport) -> Forms:
    """What `graphkit run` says."""
    return Forms(printed(print_run, report), _html(report))


def _html(report: RunReport) -> str:
    before = report.before
    known = (Path(report.source).name, report.label)
    counted = (f"opset {before.opset}", f"{before.nodes} nodes", size(before.bytes))
    name, *facts = filter(None, (*known, *counted))
    notes = [f"{record.name}: {warning}" for record in report.passes for warning in record.warnings]
    notes += [report.note] if report.note else []
    where, what = closing(report)
    return written(
        element("p", element("b", name), "".join(f" · {fact}" for fact in facts)),
        table(("", "pass", "what it did", "proof", "time"), map(_row, report.passes), numbers=(4,)),
        folded("What was left alone, and why", table(("pass", "why", "nodes"), _declined(report))),
        table(("", "before", "after"), before_after(report.before, report.after)) if report.changed else None,
        *(element("p", f"note: {note}") for note in notes),
        element("p", element("b", where), "".join(f" · {part}" for part in what.split("   "))),
    )


def _row(record: PassRecord) -> tuple[str, ...]:
    return ("✓" if record.rewrites else "–", record.name, *pass_row(record))


def _declined(report: RunReport) -> Iterator[tuple[str | Element, ...]]:
    for record in report.passes:
        for declined in record.declined:
            yield record.name, declined.reason, ", ".join(declined.nodes)
