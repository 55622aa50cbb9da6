"""What a probe found, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.runtimes.probing import ProbeReport

_MOST_REASON = 90


def print_probe(console: Console, report: ProbeReport) -> None:
    """How the cases ended, the operators that do not run in every case, and where the table is."""
    from rich.table import Table
    from rich.text import Text

    counted = f"{report.probed} cases" if report.complete else f"{report.probed} of {report.cases} cases"
    console.print(Text.assemble((f"{report.runtime} {report.version}", "bold"), "   ", counted))
    console.print(Text("  " + "   ".join(f"{count} {kind}" for kind, count in report.outcomes.items() if count)))
    troubled = [item for item in report.operators if item.wrong or item.failed]
    if troubled:
        console.print()
        table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
        table.add_column("  operator", no_wrap=True)
        for title in ("right", "wrong", "failed"):
            table.add_column(title, justify="right", no_wrap=True)
        table.add_column("", overflow="ellipsis", no_wrap=True)
        for item in troubled:
            style = "red" if not item.right else "yellow"
            reason = plain(item.reason)[:_MOST_REASON]
            numbers = (str(item.right), str(item.wrong), str(item.failed))
            table.add_row(Text(f"  {plain(item.op)}", style), *numbers, Text(reason, "dim"))
        console.print(table)
    console.print()
    whole = len(report.operators) - len(troubled)
    console.print(f"{whole} of {len(report.operators)} operators ran right in every case.")
    console.print(Text.assemble("Written to ", (plain(report.table), "bold"), "."))
    if not report.complete:
        console.print("The time was over before all cases were probed; --resume goes on.")
