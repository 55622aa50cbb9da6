"""What a search for a fitting rewrite found, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain, print_message
from graphkit.render.coverage_words import lines, verdict_words

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.analysis.coverage import RuntimeCoverage
    from graphkit.fit import FitReport
    from graphkit.pipeline import RunReport

_MOST_GAPS = 12


def print_fit(console: Console, model: str, report: FitReport, ran: RunReport | None) -> None:
    """Print what was in the way, what was found, and the run of it where there was one."""
    from rich.text import Text

    before = report.before
    console.print(Text.assemble((plain(model), "bold"), f"   {before.id}: {verdict_words(before)}"))
    if report.whole_already:
        print_message(console, "It runs whole there as it is; nothing was written.")
        return
    _print_gaps(console, before)
    console.print()
    tried = f"{report.tried} rewritten model{'' if report.tried == 1 else 's'} tried in {report.seconds:.1f} s"
    if report.found is not None:
        console.print(
            Text.assemble(("✓ ", "green"), "runs whole with  ", (plain(report.found.text), "bold"), f"   {tried}")
        )
        if ran is not None:
            from graphkit.render.run_text import print_run

            console.print()
            print_run(console, ran)
        return
    ended = "" if report.complete else ", and the search ended before all were (--seconds lets it go on)"
    print_message(console, f"Nothing makes it run whole there: {tried}{ended}. Nothing was written.")
    if report.stuck:
        print_message(console, f"No pass closes a gap of {', '.join(report.stuck)}.")
    if report.nearest is not None:
        after = report.nearest.coverage
        console.print()
        console.print(
            Text.assemble("nearest  ", (plain(report.nearest.text), "bold"), f"   {verdict_words(after)}; what stays:")
        )
        _print_gaps(console, after)


def _print_gaps(console: Console, coverage: RuntimeCoverage) -> None:
    """A line a reason: what it is in the way of."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    found = lines(coverage, "none", "wrong", "unknown")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for line in found[:_MOST_GAPS]:
        unsure = line.gap.status == "unknown"
        ops = ", ".join(f"{count} {op}" for op, count in line.ops)
        table.add_row(
            Text("?" if unsure else "✗", "yellow" if unsure else "red"), Text(plain(ops)), Text(plain(line.gap.reason))
        )
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if len(found) > _MOST_GAPS:
        print_message(console, f"  and {len(found) - _MOST_GAPS} more kinds; --json names every node")
