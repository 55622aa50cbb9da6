"""What an examination found, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from graphkit.doctor import Checkup, Preprocessing
    from graphkit.doctor.preprocessing import Outcome

_MARKS = {"ok": ("✓", "green"), "note": ("!", "yellow"), "broken": ("✗", "red")}


def print_checkup(console: Console, checkup: Checkup) -> None:
    """A row for each finding, the command that mends it below, and what it comes to."""
    from rich.text import Text

    console.print(Text(f"Python {checkup.python} on {checkup.system}", "bold"))
    console.print()
    for finding in checkup.findings:
        mark, colour = _MARKS[finding.level]
        _row(console, Text(mark, colour), Text(plain(finding.topic)), plain(finding.text))
        if finding.mend:
            # As one line, so that it can be copied.
            console.print(
                Text(f"      {plain(finding.mend)}", "bold" if finding.level == "broken" else ""), soft_wrap=True
            )
    broken = sum(finding.level == "broken" for finding in checkup.findings)
    console.print()
    if not broken:
        console.print(Text("Nothing is broken.", "green"))
    else:
        console.print(Text(f"{broken} thing{' is' if broken == 1 else 's are'} broken.", "red"))


def print_preprocessing(console: Console, report: Preprocessing) -> None:
    """What is right, then a sentence for each mistake."""
    from rich.text import Text

    name = plain(report.model).replace("\\", "/").rpartition("/")[2]
    picture = plain(report.image).replace("\\", "/").rpartition("/")[2]
    console.print(
        Text.assemble(
            (name, "bold"), f" on {picture}, {report.size[0]} × {report.size[1]}, scores over {report.confidence:g}"
        )
    )
    console.print()
    if report.nothing:
        best = _best(report.right)
        _row(
            console,
            Text("✗", "red"),
            None,
            f"No way of giving it this picture finds anything{best}: either the picture has no object that the model "
            "knows, or the model itself is wrong (graphkit verify holds it against the one it was made from).",
        )
        return
    usual = "" if report.usual else ", which is not the usual way"
    classes = ", ".join(f"{count} {plain(label)}" for label, count in report.right.classes.items())
    _row(
        console, Text("✓", "green"), None, f"Right{usual}: {report.right.way}. It finds {classes}{_best(report.right)}."
    )
    console.print()
    console.print("What mistakes look like", style="bold")
    for outcome in report.wrong:
        mark, sentence = _sentence(outcome, report.right)
        _row(console, mark, None, sentence)


def _sentence(outcome: Outcome, right: Outcome) -> tuple[Text, str]:
    from rich.text import Text

    from graphkit.doctor.preprocessing import harmless

    way, mend = outcome.way[0].upper() + outcome.way[1:], f"Mend: {outcome.mend}."
    if outcome.refused:
        return Text("✗", "red"), f"{way}: it does not run, “{plain(outcome.refused).rstrip('.')}”. {mend}"
    if not outcome.detections:
        return Text("✗", "red"), f"{way}: nothing is found{_best(outcome)}. {mend}"
    others = outcome.detections - outcome.found
    found = f"{outcome.found} of {right.detections}"
    more = f" and {others} that {'is' if others == 1 else 'are'} not there" if others else ""
    if harmless(outcome, right):
        return (
            Text("!", "yellow"),
            f"{way}: finds {found}{_best(outcome)}, so that what is found here does not show the mistake. {mend}",
        )
    return Text("✗", "red"), f"{way}: finds {found}{more}{_best(outcome)}. {mend}"


def _best(outcome: Outcome) -> str:
    if outcome.best is None:
        return ""
    return ", scores are not numbers (NaN)" if outcome.best != outcome.best else f", best score {outcome.best:.2f}"


def _row(console: Console, mark: Text, topic: Text | None, text: str) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=3, no_wrap=True, justify="right")
    if topic is not None:
        table.add_column(width=13, overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    cells = [mark, *([topic] if topic is not None else []), Text(text)]
    table.add_row(*cells)
    console.print(table)
