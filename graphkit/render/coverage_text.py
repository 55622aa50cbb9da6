"""Where a model runs, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain
from graphkit.render.coverage_words import (
    MARKS,
    STATUS_MARKS,
    Line,
    by_operator,
    cited,
    known_by,
    lines,
    nodes,
    nodes_count,
    parts,
    verdict_words,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

    from graphkit.analysis.coverage import CoverageReport, Fix, GapGroup, RuntimeCoverage

_DETAILED = 3
"""So many runtimes are told of in detail; of more there is a matrix."""
_MOST_LINES = 4
_MOST_OPS = 5
_NARROW = 80
"""Columns below which there is only room for names and verdicts."""
_LEAST_WHY = 24
_STYLES = {"whole": "green", "partial": "yellow", "none": "red", "unknown": "yellow"}
_GAP_STYLES = {"none": "red", "wrong": "red", "unknown": "yellow", "partial": "cyan", "full": "green"}


def print_coverage(console: Console, report: CoverageReport, *, ops: bool = False) -> None:
    """The model, then a few runtimes in detail, or a matrix of many and their gaps together."""
    from rich.text import Text

    head = Text.assemble((plain(report.model), "bold"), f"   opset {report.opset}   {nodes_count(report.nodes)}")
    if len(report.runtimes) > _DETAILED:
        console.print(head.append(f"   {len(report.runtimes)} runtimes"))
        console.print()
        _print_matrix(console, report)
        _print_gaps(console, report)
    else:
        console.print(head)
        for item in report.runtimes:
            console.print()
            _print_runtime(console, item)
    if ops:
        console.print()
        _print_operators(console, report)


def _print_matrix(console: Console, report: CoverageReport) -> None:
    """A line a runtime: as many columns as there is room for."""
    from rich.table import Table
    from rich.text import Text

    counted = console.width >= _NARROW
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("  runtime", overflow="fold")
    table.add_column("verdict", no_wrap=counted)
    if counted:
        for title in ("run", "if", "?", "not"):
            table.add_column(title, justify="right", no_wrap=True)
    rows = [_cells(item, counted) for item in report.runtimes]
    room = console.width - sum(max(*(len(row[index]) for row in rows), 3) + 2 for index in range(len(rows[0])))
    known = [Text(known_by(item)) for item in report.runtimes]
    widest = max(map(len, known)) + 2
    if counted and room >= _LEAST_WHY:
        if room - widest >= _LEAST_WHY:
            table.add_column("known by", no_wrap=True, style="dim")
            rows = [[*row, cell] for row, cell in zip(rows, known, strict=True)]
            room -= widest
        table.add_column("", overflow="fold")
        for row, item in zip(rows, report.runtimes, strict=True):
            row.append(Text(plain(parts(item) or why(item))))
            if console.is_terminal:
                row[-1].truncate(room, overflow="ellipsis")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _cells(item: RuntimeCoverage, counted: bool) -> list[Text]:
    from rich.text import Text

    cells = [Text(f"  {item.id}"), Text(f"{MARKS[item.verdict]} {verdict_words(item)}", _STYLES[item.verdict])]
    if counted:
        has = item.counts
        numbers = (has.get("full"), has.get("partial"), has.get("unknown"), has.get("none", 0) + has.get("wrong", 0))
        cells += [Text(f"{number or '·'}", "" if number else "dim") for number in numbers]
    return cells


def _print_gaps(console: Console, report: CoverageReport) -> None:
    """What is in the way, each thing once, with the runtimes that it is in the way of."""
    from rich.text import Text

    shared: dict[tuple[object, ...], tuple[Line, list[str]]] = {}
    more: dict[str, int] = {}
    conditions: dict[str, list[Line]] = {}
    for item in report.runtimes:
        found = lines(item, "none", "wrong", "unknown")
        for line in found[:_MOST_LINES]:
            shared.setdefault(line.key, (line, []))[1].append(item.id)
        if len(found) > _MOST_LINES:
            more[item.id] = len(found) - _MOST_LINES
        conditions[item.id] = lines(item, "partial")
    order = sorted(shared.values(), key=lambda pair: (_rank(pair[0]), -len(pair[1])))
    for line, names in order:
        console.print()
        console.print(_indented(_line(line), 2))
        console.print(_indented(Text(", ".join(names), "dim"), 4))
    for name, count in more.items():
        console.print()
        console.print(Text(f"  {name}: {count} more kinds of gap; --runtime {name} names them", "dim"))
    for text in _fixes(report.runtimes):
        console.print(text)
    _print_conditions(console, conditions)


def _print_conditions(console: Console, conditions: dict[str, list[Line]]) -> None:
    """A line for each runtime that runs nodes under conditions which nobody can check from outside."""
    from rich.text import Text

    under = {name: found for name, found in conditions.items() if found}
    if not under:
        return
    console.print()
    console.print(Text("  Runs under conditions that the model alone does not tell:"))
    for name, found in under.items():
        count = sum(number for line in found for _, number in line.ops)
        if len(found) == 1:
            said = f"{_ops(found[0])}: {plain(found[0].gap.reason)}"
        else:
            said = f"{nodes_count(count)}, {len(found)} conditions; --runtime {name} names them"
        console.print(_indented(Text.assemble(("~ ", "cyan"), f"{name}  ", (said, "dim")), 2))


def _print_runtime(console: Console, item: RuntimeCoverage) -> None:
    """Everything about one runtime, each kind of gap with its nodes and where it is said."""
    from rich.text import Text

    run = item.counts.get("full", 0) + item.counts.get("partial", 0)
    verdict = (f"{MARKS[item.verdict]} {verdict_words(item)}", _STYLES[item.verdict])
    count = "every node runs" if run == item.nodes else f"{run} of {nodes_count(item.nodes)} run"
    console.print(Text.assemble((item.id, "bold"), "   ", verdict, f"   {count}"))
    facts = [f"known by: {known_by(item)}"] if item.evidence else []
    for fact in [*filter(None, [parts(item)]), *facts]:
        console.print(_indented(Text(fact, "dim"), 2))
    for group in item.groups("none", "wrong", "unknown"):
        _print_group(console, group)
    for line in lines(item, "partial"):
        console.print()
        console.print(_indented(_line(line), 2))
        console.print(_indented(Text(_source(line.gap.evidence, line.gap.source), "dim"), 6))
    for text in _fixes([item]):
        console.print()
        console.print(text)


def _print_group(console: Console, group: GapGroup) -> None:
    from rich.text import Text

    gap = group.gap
    name = f"{gap.op}-{gap.since}" if gap.since else gap.op
    mark = (f"{STATUS_MARKS[gap.status]} ", _GAP_STYLES[gap.status])
    console.print()
    console.print(_indented(Text.assemble(mark, (plain(name), "bold"), "  ", (plain(nodes(group.nodes)), "dim")), 2))
    said = plain(gap.reason) + (f"; {gap.falls_to} runs it instead" if gap.falls_to else "")
    console.print(_indented(Text(said), 6))
    if gap.place:
        console.print(_indented(Text(f"in {plain(gap.place)}", "dim"), 6))
    if gap.source:
        console.print(_indented(Text(_source(gap.evidence, gap.source), "dim"), 6))
    for status, source in gap.others:
        says = "runs" if status in ("full", "partial") else "does not run" if status == "none" else "computes wrongly"
        console.print(_indented(Text(f"but it {says} by {plain(cited(source))}", "yellow"), 6))


def _print_operators(console: Console, report: CoverageReport) -> None:
    """Every operator: in how many runtimes all its nodes run, and the others by name."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("  operator", no_wrap=True)
    table.add_column("nodes", justify="right", no_wrap=True)
    table.add_column("run in", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for name, count, at in by_operator(report):
        said = Text("   ").join(
            Text(f"{STATUS_MARKS[status]} {', '.join(at[status])}", _GAP_STYLES[status])
            for status in ("none", "wrong", "unknown", "partial")
            if status in at
        )
        table.add_row(f"  {plain(name)}", str(count), str(len(at.get("full", [])) + len(at.get("partial", []))), said)
    console.print(table)


def _rank(line: Line) -> tuple[bool, int]:
    """What keeps a model from loading first."""
    return bool(line.gap.falls_to), ("wrong", "none", "unknown").index(line.gap.status)


def _line(line: Line) -> Text:
    from rich.text import Text

    mark = (f"{STATUS_MARKS[line.gap.status]} ", _GAP_STYLES[line.gap.status])
    reason = f": {plain(line.gap.reason)}" if line.gap.reason else ""
    falls = "; its fallback runs it" if line.gap.falls_to else ""
    return Text.assemble(mark, (_ops(line), "bold"), reason, (falls, "dim"))


def _ops(line: Line) -> str:
    shown = ", ".join(f"{plain(op)} ×{count}" if count > 1 else plain(op) for op, count in line.ops[:_MOST_OPS])
    more = len(line.ops) - _MOST_OPS
    return shown + (f" and {more} more" if more > 0 else "")


def _source(evidence: str, source: str) -> str:
    return plain(f"{evidence}: {cited(source)}" if evidence else cited(source))


def _fixes(items: Sequence[RuntimeCoverage]) -> list[RenderableType]:
    """What would help, each thing once, with the runtimes that it helps in."""
    from rich.text import Text

    helps: dict[tuple[str, str], list[str]] = {}
    for item in items:
        for fix in item.fixes:
            helps.setdefault((fix.text, _becomes(fix)), []).append(item.id)
    shown = len(items) > 1
    return [
        _indented(Text(f"→ {plain(text)} {becomes}" + (f" in {', '.join(names)}" if shown else ""), "green"), 2)
        for (text, becomes), names in helps.items()
    ]


def _becomes(fix: Fix) -> str:
    if fix.verdict == "whole":
        return "makes it run whole"
    gaps = f"{fix.closed} gap{'s' if fix.closed != 1 else ''}"
    return f"makes it run in parts, without {gaps}" if fix.verdict == "partial" else f"closes {gaps}"


def _indented(what: RenderableType, by: int) -> RenderableType:
    from rich.padding import Padding

    return Padding(what, (0, 0, 0, by), expand=False)
