"""How long models take, as a person reads it in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphkit.render.console import plain, print_message

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from graphkit.bench import BenchReport, OperatorChange, OperatorTime, Profile, Ratio

_LEAST_SHARE = 0.005
_MOST_ROWS = 16
_MOST_CHANGES = 6
_LEAST_CHANGE = 0.005
"""Milliseconds that are shown at all."""


def print_bench(console: Console, report: BenchReport) -> None:
    """How it was measured, a row for each model, the ratios, the operators, and what to know."""
    spin = ", spinning" if report.spin else ""
    threads = f"{report.threads} thread{'s'[: report.threads != 1]}{spin}"
    print_message(
        console,
        f"{report.runtime}, {', '.join(report.providers)}, {threads}, optimise {report.optimise}; "
        f"{report.rounds} rounds in {report.loads} loads on {report.input}; {report.seconds:.1f} s",
    )
    console.print()
    _print_models(console, report)
    if report.ratios:
        console.print()
    for ratio in report.ratios:
        print_message(console, _ratio(ratio))
    if report.profiles:
        console.print()
        _print_operators(console, report)
    if report.notes:
        console.print()
    for note in report.notes:
        print_message(console, f"  note: {note}")


def _print_models(console: Console, report: BenchReport) -> None:
    from rich.text import Text

    table = _table(("", "model", "median ms", "p90", "p99", "images/s"))
    for item in report.models:
        table.add_row(
            item.label,
            Text(_name(item.model), "bold"),
            _time(item.median),
            _time(item.p90),
            _time(item.p99),
            f"{item.images_per_second:.1f}",
        )
    console.print(table)
    for item in report.models:
        print_message(
            console, f"  {item.label} was given {item.given}, {item.runs} runs; loading took {_time(item.loading)} ms"
        )


def _ratio(ratio: Ratio) -> str:
    if not ratio.differs:
        said = "no difference was seen"
    elif ratio.ratio < 1:
        said = f"{ratio.label} is faster"
    else:
        said = f"{ratio.label} is slower"
    return (
        f"{ratio.label} takes {ratio.ratio:.3f} of A's time an image "
        f"({ratio.low:.3f} to {ratio.high:.3f} with {ratio.confidence:.0%} confidence): {said}"
    )


def _print_operators(console: Console, report: BenchReport) -> None:
    from rich.text import Text

    profiles = report.profiles
    both = len(profiles) == 2
    headings = [
        "",
        "operator",
        *(f"{profile.label} ms" for profile in profiles),
        *(("B - A",) if both else ()),
        "calls",
    ]
    table = _table(headings)
    tables = [{item.op: item for item in profile.operators} for profile in profiles]
    total = max((sum(item.milliseconds for item in own.values()) for own in tables), default=0.0)
    names = _order(tables)
    shown = [name for name in names if any(_spent(own, name) >= _LEAST_SHARE * total for own in tables)][:_MOST_ROWS]
    changes = {item.op: item for item in profiles[1].changes} if both else {}
    for name in shown:
        found = [own.get(name) for own in tables]
        calls = [item.calls if item is not None else 0 for item in found]
        said = str(calls[0]) if len(set(calls)) == 1 else " → ".join(map(str, calls))
        times = [_time(item.milliseconds) if item is not None else "–" for item in found]
        table.add_row("", Text(plain(name)), *times, *([_change(changes[name])] if both else []), said)
    rest = [name for name in names if name not in shown]
    blank = [""] * both
    if rest:
        sums = [sum(_spent(own, name) for name in rest) for own in tables]
        table.add_row("", Text(f"{len(rest)} others", "dim"), *map(_time, sums), *blank, "")
    sums = [sum(item.milliseconds for item in own.values()) for own in tables]
    table.add_row("", Text("all", "bold"), *map(_time, sums), *blank, "")
    console.print(table)
    print_message(console, f"  medians of {profiles[0].runs} runs of their own, with onnxruntime's profiler on")
    for profile in profiles[1:]:
        _print_changes(console, profile)


def _print_changes(console: Console, profile: Profile) -> None:
    gone = [item.op for item in profile.changes if item.only == "A"]
    new = [item.op for item in profile.changes if item.only == profile.label]
    seen = [item for item in profile.changes if item.seen and abs(item.milliseconds) >= _LEAST_CHANGE]
    if gone:
        print_message(console, f"  only in A, not in {profile.label}: {', '.join(map(plain, sorted(gone)))}")
    if new:
        print_message(console, f"  only in {profile.label}, not in A: {', '.join(map(plain, sorted(new)))}")
    said = [f"{plain(item.op)} {item.milliseconds:+.2f} ms" for item in seen[:_MOST_CHANGES]]
    more = f" and {len(seen) - _MOST_CHANGES} more" if len(seen) > _MOST_CHANGES else ""
    print_message(
        console, f"  changed from A to {profile.label} by more than chance: {', '.join(said) or 'no operator'}{more}"
    )


def _change(change: OperatorChange) -> Text:
    from rich.text import Text

    return Text(f"{change.milliseconds:+.2f} ±{(change.high - change.low) / 2:.2f}", "" if change.seen else "dim")


def _order(tables: Sequence[dict[str, OperatorTime]]) -> list[str]:
    """What takes the longest in any of them first."""
    names = {name for own in tables for name in own}
    return sorted(names, key=lambda name: (-max(_spent(own, name) for own in tables), name))


def _spent(own: dict[str, OperatorTime], name: str) -> float:
    return own[name].milliseconds if name in own else 0.0


def _table(headings: Sequence[str]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, heading in enumerate(headings):
        if number < 2:
            table.add_column(heading, overflow="fold", min_width=2)
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def _time(milliseconds: float | None) -> str:
    """Three figures, milliseconds."""
    if milliseconds is None:
        return "–"
    digits = 0 if milliseconds >= 100 else 1 if milliseconds >= 10 else 2
    return f"{milliseconds:.{digits}f}"


def _name(path: str) -> str:
    return plain(path).replace("\\", "/").rpartition("/")[2]
