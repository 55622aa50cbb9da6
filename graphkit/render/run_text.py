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
_MAX_NODES_NAMED = 1


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
        _print_passes(console, report)
        console.print()
    if report.changed:
        console.print(Padding(_compared(report.before, report.after), (0, 0, 0, 2), expand=False))
        console.print()
    for record in report.passes:
        for warning in record.warnings:
            _print_note(console, f"{record.name}: {warning}")
    if report.note:
        _print_note(console, report.note)
    where, what = closing(report)
    console.print(Text.assemble((plain(where), "bold"), "   ", plain(what)))


def pass_row(record: PassRecord) -> tuple[str, str, str]:
    """What a pass did, how it was proven, and how long both took; only the first where it changed nothing."""
    if record.rewrites == 0:
        return _why_not(record), "", ""
    proof = record.proof.sentence if record.proof is not None else "not verified"
    seconds = record.seconds + (record.proof.seconds if record.proof is not None else 0.0)
    what = record.summary or f"{record.rewrites} rewritten"
    if record.declined:
        what += f"; {_kept(record)}"
    return plain(what), proof, f"{seconds:.2f} s"


def size(count: int) -> str:
    """Bytes as a person says them (decimal: 1 MB is 10^6 bytes)."""
    value, unit = float(count), "B"
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def _print_passes(console: Console, report: RunReport) -> None:
    """A row a pass; what a pass says that changed nothing runs across the columns."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    names = max(len(record.name) for record in report.passes)
    rows = {id(record): pass_row(record) for record in report.passes if record.rewrites}
    widths = [max((len(row[column]) for row in rows.values()), default=0) for column in range(3)]
    room = max(console.width - names - widths[2] - 13, 20)  # the rest is the margin, the mark and the gaps
    if widths[0] + widths[1] > room:  # the proof is the shorter and the more important one
        widths[1] = min(widths[1], max(room // 2, room - widths[0]))
        widths[0] = room - widths[1]
    for record in report.passes:
        mark, style = ("✓", "green") if record.rewrites else ("–", "dim")
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=1)
        line.add_column(width=names)
        if record.rewrites:
            what, proof, seconds = rows[id(record)]
            line.add_column(width=widths[0], overflow="fold")
            line.add_column(width=widths[1], overflow="fold")
            line.add_column(width=widths[2], justify="right", no_wrap=True)
            cells = [Text(what), Text(proof, "" if record.proof is not None else "yellow"), Text(seconds, "dim")]
        else:
            line.add_column(overflow="fold")
            cells = [Text(pass_row(record)[0], "dim")]
        line.add_row(Text(mark, style), Text(record.name, "" if record.rewrites else "dim"), *cells)
        console.print(Padding(line, (0, 0, 0, 2), expand=False))


def _print_note(console: Console, note: str) -> None:
    """What the user should know though nothing is wrong; a note may have several lines."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="yellow", no_wrap=True)
    grid.add_column(overflow="fold")
    for number, line in enumerate(note.splitlines()):
        text = plain(line.strip())
        cell: RenderableType = Text(text)
        if text.startswith("- "):
            cell = Table.grid(padding=(0, 1, 0, 0))
            cell.add_row("-", Text(text.removeprefix("- ")))
        grid.add_row("" if number else "note", cell)
    console.print(grid)


def _why_not(record: PassRecord) -> str:
    """What a pass that changed nothing says: its summary, or what it left alone."""
    if record.summary and not any(declined.nodes for declined in record.declined):
        return plain(record.summary)
    return plain(_kept(record) if record.declined else "nothing to do")


def _kept(record: PassRecord) -> str:
    """What was left alone: how much, and the first reason with its node."""
    first = record.declined[0]
    named = f" ({', '.join(first.nodes[:_MAX_NODES_NAMED])})" if first.nodes else ""
    count = sum(max(len(declined.nodes), 1) for declined in record.declined)
    more = count - max(min(len(first.nodes), _MAX_NODES_NAMED), 1)
    text = f"{count} kept: " if any(declined.nodes for declined in record.declined) else ""
    return f"{text}{first.reason}{named}" + (f", and {more} more (--json says why)" if more else "")


def _compared(before: ModelSummary, after: ModelSummary) -> RenderableType:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    for heading in ("", "before", "after"):
        table.add_column(heading, overflow="fold")
    for name, old, new in before_after(before, after):
        table.add_row(Text(name, "dim"), Text(plain(old)), Text(plain(new), "" if old == new else "bold"))
    return table


def before_after(before: ModelSummary, after: ModelSummary) -> list[tuple[str, str, str]]:
    """What is counted, before and after, in words."""
    return [
        ("nodes", str(before.nodes), str(after.nodes)),
        ("operators", _operators(before), _operators(after)),
        ("parameters", f"{before.parameters:,}", f"{after.parameters:,}"),
        ("size", size(before.bytes), size(after.bytes)),
        ("opset", str(before.opset), str(after.opset)),
        ("inputs", _tensors(before.inputs), _tensors(after.inputs)),
        ("outputs", _tensors(before.outputs), _tensors(after.outputs)),
    ]


def _operators(summary: ModelSummary) -> str:
    shown = list(summary.operators.items())[:_MAX_OPERATORS]
    more = len(summary.operators) - len(shown)
    text = ", ".join(f"{count} {name}" for name, count in shown)
    return f"{len(summary.operators)} kinds: {text}" + (f" and {more} more" if more else "")


def _tensors(tensors: Sequence[TensorSummary]) -> str:
    return ", ".join(map(str, tensors)) or "none"


def closing(report: RunReport) -> tuple[str, str]:
    """Where the result is, and what of it is known."""
    after = report.after
    if not report.changed:
        what = "nothing to change: the model is as it was"
    else:
        what = f"opset {after.opset}   {after.nodes} nodes   {size(after.bytes)}"
    if report.changed and not report.verified:
        proven = "not verified (--no-verify)"
    elif report.changed:
        proven = f"proven on {len(report.feeds)} inputs ({', '.join(report.feeds)}) in {report.proof_seconds:.1f} s"
    else:
        proven = ""
    where = report.output if report.output else "dry run, nothing written"
    parts = [part for part in (what, proven, f"{report.seconds:.1f} s in all") if part]
    return where, "   ".join(parts)
