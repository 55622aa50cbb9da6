"""A run as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from graphkit.analysis import ModelSummary, TensorSummary
    from graphkit.pipeline import PassRecord, RunReport

_MAX_OPERATORS = 8
_MAX_NODES_NAMED = 2
_MAX_REASONS = 2


def print_run(console: Console, report: RunReport) -> None:
    """Print the whole report: the model, a row a pass, before and after, and where the result is."""
    from pathlib import Path

    from rich.padding import Padding
    from rich.text import Text

    before = report.before
    facts = [
        Path(report.source).name,
        report.label,
        f"opset {before.opset}",
        f"{before.nodes} nodes",
        size(before.bytes),
    ]
    console.print(Text("   ".join(plain(fact) for fact in facts if fact), style="bold"))
    console.print()
    if report.passes:
        console.print(Padding(_passes(report), (0, 0, 0, 2)))
        console.print()
    if report.changed:
        console.print(Padding(_before_after(report.before, report.after), (0, 0, 0, 2)))
        console.print()
    for record in report.passes:
        for warning in record.warnings:
            console.print(Text.assemble(("note  ", "yellow"), f"{record.name}: {plain(warning)}"))
    if report.note:
        console.print(Text.assemble(("note  ", "yellow"), f"left out of the proofs: {plain(report.note)}"))
    console.print(_closing(report))


def pass_row(record: PassRecord) -> tuple[str, str, str, str, str]:
    """Mark, name, what was done, how it was proven, seconds."""
    if record.rewrites == 0:
        return "–", record.name, _why_not(record), "", ""
    proof = record.proof.sentence if record.proof is not None else "not verified"
    seconds = record.seconds + (record.proof.seconds if record.proof is not None else 0.0)
    what = record.summary or f"{record.rewrites} rewritten"
    if record.declined:
        what += f"; {_why_not(record)}"
    return "✓", record.name, plain(what), proof, f"{seconds:.2f} s"


def size(count: int) -> str:
    """Bytes as a person says them (decimal: 1 MB is 10^6 bytes)."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _passes(report: RunReport) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for record in report.passes:
        mark, name, what, proof, seconds = pass_row(record)
        quiet = "" if record.rewrites else "dim"
        mark_style = "green" if record.rewrites else "dim"
        proof_style = "yellow" if record.rewrites and record.proof is None else quiet
        table.add_row(
            Text(mark, mark_style), Text(name), Text(what, quiet), Text(proof, proof_style), Text(seconds, "dim")
        )
    return table


def _why_not(record: PassRecord) -> str:
    """The reasons for what was left alone, each once, with the nodes they are about."""
    grouped: dict[str, list[str]] = {}
    for declined in record.declined:
        grouped.setdefault(declined.reason, []).extend(declined.nodes)
    parts = []
    for reason, nodes in grouped.items():
        named = ", ".join(nodes[:_MAX_NODES_NAMED])
        more = f" and {len(nodes) - _MAX_NODES_NAMED} more" if len(nodes) > _MAX_NODES_NAMED else ""
        parts.append(f"{reason} ({named}{more})" if nodes else reason)
    if len(parts) > _MAX_REASONS:
        parts[_MAX_REASONS:] = [f"and {len(parts) - _MAX_REASONS} more reasons (--json lists them)"]
    return plain("; ".join(parts) or record.summary or "nothing to do")


def _before_after(before: ModelSummary, after: ModelSummary) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for heading in ("", "before", "after"):
        table.add_column(heading, overflow="fold")
    rows: list[tuple[str, str, str]] = [
        ("nodes", str(before.nodes), str(after.nodes)),
        ("operators", _operators(before), _operators(after)),
        ("parameters", f"{before.parameters:,}", f"{after.parameters:,}"),
        ("size", size(before.bytes), size(after.bytes)),
        ("opset", str(before.opset), str(after.opset)),
        ("inputs", _tensors(before.inputs), _tensors(after.inputs)),
        ("outputs", _tensors(before.outputs), _tensors(after.outputs)),
    ]
    for name, old, new in rows:
        table.add_row(Text(name, "dim"), Text(plain(old)), Text(plain(new), "" if old == new else "bold"))
    return table


def _operators(summary: ModelSummary) -> str:
    shown = list(summary.operators.items())[:_MAX_OPERATORS]
    more = len(summary.operators) - len(shown)
    text = ", ".join(f"{count} {name}" for name, count in shown)
    return f"{len(summary.operators)} kinds: {text}" + (f" and {more} more" if more else "")


def _tensors(tensors: Sequence[TensorSummary]) -> str:
    return ", ".join(map(str, tensors)) or "none"


def _closing(report: RunReport) -> RenderableType:
    from rich.text import Text

    after = report.after
    if not report.changed:
        what = "nothing to change: the model is as it was"
    else:
        what = f"opset {after.opset}   {after.nodes} nodes   {size(after.bytes)}"
    if report.changed and not report.verified:
        proven = "not verified (--no-verify)"
    elif report.changed:
        proven = (
            f"proven on {len(report.feeds)} inputs ({plain(', '.join(report.feeds))}) in {report.proof_seconds:.1f} s"
        )
    else:
        proven = ""
    where = report.output if report.output else "dry run, nothing written"
    parts = [part for part in (what, proven, f"{report.seconds:.1f} s in all") if part]
    return Text.assemble((plain(where), "bold"), "   ", "   ".join(parts))
