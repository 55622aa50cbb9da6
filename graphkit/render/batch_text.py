"""A run over many models as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphkit.render.console import plain
from graphkit.render.quantities import size

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from graphkit.batch import BatchReport, ModelResult
    from graphkit.pipeline import RunReport

_HEADINGS = ("", "model", "passes", "nodes", "size", "proven", "time")
_GAP = 2
_LEAST_NAME = 12
"""Columns that the names of models keep, however narrow the terminal is."""


def print_batch(console: Console, report: BatchReport) -> None:
    """A row a model, what passes want to be known, and how many there were of each kind.

    What failed says why in place of the figures: across the columns in a terminal, on one line in a pipe.
    """
    from rich.text import Text

    rows = [_row(result) for result in report.models]
    widths = [max(map(len, column)) for column in zip(_HEADINGS, *filter(None, rows), strict=True)]
    names = max(len("model"), *(len(plain(result.name)) for result in report.models))
    if console.is_terminal:
        names = max(min(names, console.width - sum(widths[2:]) - widths[0] - _GAP * (len(widths) - 1)), _LEAST_NAME)
    widths[0], widths[1] = 1, names
    _print(console, [Text(text, "dim") for text in _HEADINGS], widths)
    for result, row in zip(report.models, rows, strict=True):
        _print_model(console, result, row, widths)
    console.print()
    for note in _notes(report.models):
        console.print(Text.assemble(("note", "yellow"), "  ", note), soft_wrap=not console.is_terminal)
    console.print(Text(_closing(report), "bold"), soft_wrap=not console.is_terminal)


def _row(result: ModelResult) -> tuple[str, ...] | None:
    """The cells of a model that is done; its name is left out, as it may be broken."""
    report = result.report
    if report is None:
        return None
    changed = sum(record.rewrites > 0 for record in report.passes)
    before, after = report.before, report.after
    nodes = str(before.nodes) if before.nodes == after.nodes else f"{before.nodes} → {after.nodes}"
    sizes = size(after.bytes)
    return "✓", "", f"{changed} of {len(report.passes)}", nodes, sizes, _proven(report), f"{result.seconds:.1f} s"


def _proven(report: RunReport) -> str:
    if not report.changed:
        return "unchanged"
    count = len(report.feeds)
    return f"on {count} input{'s'[: count != 1]}" if report.verified else "not verified"


def _print_model(console: Console, result: ModelResult, row: tuple[str, ...] | None, widths: list[int]) -> None:
    from rich.text import Text

    name = Text(plain(result.name))
    if row is not None:
        style = "yellow" if row[5] == "not verified" else ""
        _print(console, [Text(row[0], "green"), name, *map(Text, row[2:5]), Text(row[5], style), Text(row[6])], widths)
        return
    if result.failure is None:
        _print(console, [Text("–", "dim"), Text(name.plain, "dim"), Text("done before", "dim")], widths)
        return
    mark, why = Text("✗", "red"), Text(plain(_without_name(result)))
    if console.is_terminal:
        _print(console, [mark, name, why], widths)
    else:
        blank = " " * (widths[1] - len(name) + _GAP)
        console.print(Text.assemble(mark, " " * _GAP, name, blank, why), soft_wrap=True)


def _print(console: Console, cells: Sequence[RenderableType], widths: list[int]) -> None:
    """One row; where it has fewer cells than there are columns, the last takes the room of all that are left."""
    from rich.table import Table

    line = Table.grid(padding=(0, _GAP, 0, 0))
    for number in range(len(cells)):
        spans = number == len(cells) - 1 and len(cells) < len(widths)
        right = number >= 2 and len(cells) == len(widths) and _HEADINGS[number] in ("size", "time")
        line.add_column(width=None if spans else widths[number], overflow="fold", justify="right" if right else "left")
    line.add_row(*cells)
    console.print(line)


def _without_name(result: ModelResult) -> str:
    """The sentence without the file it starts with, which stands beside it."""
    assert result.failure is not None
    message = result.failure.message
    for name in (result.model, result.name, result.name.rpartition("/")[2]):
        if message.startswith((f"{name}: ", f"{name} ")):
            return message[len(name) :].removeprefix(":").strip()
    return message


def _notes(results: Sequence[ModelResult]) -> list[str]:
    """What the user should know though nothing is wrong: each once, with how many models it is about."""
    found: dict[str, int] = {}
    for result in results:
        if result.report is None:
            continue
        said = [f"{record.name}: {warning}" for record in result.report.passes for warning in record.warnings]
        for note in dict.fromkeys([*said, *filter(None, [result.report.note])]):
            found[note] = found.get(note, 0) + 1
    return [f"{plain(' '.join(note.split()))} ({_models(count)})" for note, count in found.items()]


def _closing(report: BatchReport) -> str:
    counts = report.counts
    parts = [f"{counts['done']} done", f"{counts['failed']} failed"]
    if counts["skipped"]:
        parts.append(f"{counts['skipped']} done before")
    wrote = any(result.output for result in report.models)
    where = f"   {plain(report.folder)}" if report.folder is not None and wrote else ""
    dry = "" if wrote or not counts["done"] else "   dry run, nothing written"
    return f"{_models(len(report.models))}: {', '.join(parts)}   {report.seconds:.1f} s in all{where}{dry}"


def _models(count: int) -> str:
    return f"{count} model{'s'[: count != 1]}"
