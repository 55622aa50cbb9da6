"""What came of trying a model, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.trial import Trial

_MOST_GAPS = 12
_SENTENCES = {
    "right": "loads, runs, and computes what onnxruntime computes",
    "wrong": "loads, runs, and computes something else",
    "not loaded": "does not load",
    "not run": "loads and does not run",
    "crashed": "takes the process down",
    "timeout": "was not done in time",
    "not comparable": "cannot be compared",
}
_STYLES = {"right": "green", "not comparable": "yellow"}


def print_try(console: Console, trial: Trial) -> None:
    """What happened, each comparison, and the prediction beside it."""
    from rich.text import Text

    style = _STYLES.get(trial.ending, "red")
    console.print(
        Text.assemble(
            (plain(trial.model), "bold"), f" in {trial.runtime} {trial.version}: ", (_SENTENCES[trial.ending], style)
        )
    )
    if trial.reason and trial.ending != "wrong":
        console.print(Text(f"  {plain(trial.reason)}"))
    for item in trial.outputs:
        mark, colour = ("✓", "green") if item.same else ("✗", "red")
        console.print(
            Text.assemble(("  " + mark, colour), f" {plain(item.output)} on {plain(item.feed)}: {plain(item.how)}")
        )
    console.print()
    _print_prediction(console, trial)


def _print_prediction(console: Console, trial: Trial) -> None:
    from rich.text import Text

    if not trial.table:
        console.print(
            f"There is no support table for {trial.runtime}; graphkit probe --runtime {trial.runtime} makes one."
        )
        return
    said = {
        "whole": "it runs whole",
        "partial": "it runs in parts",
        "none": "it does not load or computes something else",
        "unknown": "not known whether it runs",
    }[trial.predicted]
    judged = {True: " – as it happened", False: " – which is not what happened", None: ""}[trial.as_predicted]
    style = {True: "green", False: "red", None: "yellow"}[trial.as_predicted]
    console.print(Text.assemble(f"{trial.table} predicts: {said}", (judged, style)))
    for op, status, reason in trial.gaps[:_MOST_GAPS]:
        console.print(Text(f"  {plain(op)}: {status}{f', {plain(reason)}' if reason else ''}", "dim"))
    if len(trial.gaps) > _MOST_GAPS:
        console.print(Text(f"  and {len(trial.gaps) - _MOST_GAPS} more; --json names all", "dim"))
