"""The table of all heads, exports, backends and semantics: proven, or refused with its reason.

    python -m benchmarks.table                      # everything: some minutes
    python -m benchmarks.table --family 26 --form static
    python -m benchmarks.table --candidates 100     # late decode, which 96 x 96 pixels do not need by default

Each cell is an export from ultralytics' YAML file (untrained, but with outputs spread as a trained model's, 96 x 96),
run through the pipeline: sort, embed-nms, every proof on. The exit status is 1 where a proof does not hold.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.families.cells import BACKENDS, SEMANTICS, Result, cells, exported, run_cell, summary

_MARKS = {"proven": "✓", "refused": "–", "failed": "✗"}


def main(
    family: Annotated[list[str] | None, typer.Option(help="Only these families.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only these tasks.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Only these exports.")] = None,
    exports: Annotated[Path | None, typer.Option(help="Folder to keep the exports in.")] = None,
    split: Annotated[bool, typer.Option(help="Run split-head first.")] = False,
    backend: Annotated[list[str] | None, typer.Option(help="Only these backends.")] = None,
    candidates: Annotated[int | None, typer.Option(help="Let only so many enter; below 189 decoding is late.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every cell.")] = False,
) -> None:
    """Print the table."""
    wanted = [
        cell
        for cell in cells()
        if (not family or cell.family in family)
        and (not task or cell.task in task)
        and (not form or cell.form in form)
        and (not backend or cell.backend in backend)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = exports or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        errors = Console(stderr=True)
        results = [
            run_cell(cell, exported(cell, folder), split, candidates)
            for cell in track(wanted, "proving", console=errors)
        ]
    if as_json:
        print(json.dumps([{**asdict(result), "trace": result.trace} for result in results], indent=1))
    else:
        _show(results)
    raise typer.Exit(1 if summary(results)["failed"] else 0)


def _show(results: list[Result]) -> None:
    console = Console(width=120)
    # Each backend's column holds its semantics, in this order.
    table = Table("family", "task", "head", "export", *BACKENDS, caption=f"in each: {', '.join(SEMANTICS)}")
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for result in results:
        cell = result.cell
        row = rows.setdefault((cell.family, cell.task, cell.head, cell.form), dict.fromkeys(BACKENDS, ""))
        row[cell.backend] += _MARKS[result.status]
    for key, row in rows.items():
        table.add_row(*key, *row.values())
    console.print(table)
    counts = summary(results)
    console.print(", ".join(f"{count} {status}" for status, count in counts.items()))
    for status in ("refused", "failed"):
        reasons = Counter((result.text.split(": ", 1)[-1], status) for result in results if result.status == status)
        for (reason, _), count in reasons.most_common():
            console.print(f"{_MARKS[status]} {count} × {reason}")
    for result in results:
        if result.trace:
            console.print(f"\n✗ {result.cell}\n{result.trace}", markup=False)


if __name__ == "__main__":
    typer.run(main)
