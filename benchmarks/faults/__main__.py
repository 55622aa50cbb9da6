"""The command line; see the package."""

from __future__ import annotations

import os
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Annotated

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import typer
from rich.console import Console

from benchmarks.faults.campaign import Case, run_campaign
from benchmarks.faults.findings import FINE

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="Broken models, broken pipelines, killed runs."
)

Count = Annotated[int, typer.Option(help="How many cases.")]
Seed = Annotated[int, typer.Option(help="Of the random numbers.")]
First = Annotated[int, typer.Option(help="Number of the first case.")]
Journal = Annotated[Path, typer.Option(help="Gets a line of JSON for each case with something to be mended.")]
Keep = Annotated[Path | None, typer.Option(help="Do the one case in this process and keep its files here.")]


@app.command()
def models(
    count: Count = 500,
    seed: Seed = 1,
    first: First = 0,
    exports: Annotated[Path | None, typer.Option(help="A folder with real models, mutated now and then.")] = None,
    journal: Journal = Path("faults-models.jsonl"),
    keep: Keep = None,
) -> None:
    """Mutated models, through everything that reads or rewrites a model."""
    from benchmarks.faults import model_case

    found = tuple(sorted(exports.glob("*.onnx"))) if exports else ()
    _run(partial(model_case.run, seed, found), count, first, journal, keep)


@app.command()
def pipelines(
    count: Count = 500,
    seed: Seed = 1,
    first: First = 0,
    journal: Journal = Path("faults-pipelines.jsonl"),
    keep: Keep = None,
) -> None:
    """Mutated pipelines, read, and run where they can be read."""
    from benchmarks.faults import pipeline_case

    _run(partial(pipeline_case.run, seed), count, first, journal, keep)


@app.command()
def kills(
    count: Count = 500,
    seed: Seed = 1,
) -> None:
    """Runs with --in-place, killed at random moments."""
    from benchmarks.faults.kills import main

    raise typer.Exit(main(count, seed))


def _run(case: Case, count: int, first: int, journal: Path, keep: Path | None) -> None:
    import contextlib

    console = Console()
    if keep is not None:
        made, findings = case(first, keep, lambda _: contextlib.nullcontext())
        console.print(made, markup=False)
        for item in findings:
            console.print(f"  {item.kind:10} {item.step}: {item.what} {item.where}", markup=False, soft_wrap=True)
        return
    started = time.perf_counter()
    counts = run_campaign(case, range(first, first + count), journal)
    _show(console, counts, time.perf_counter() - started)
    raise typer.Exit(int(any(counts[kind] for kind in counts if " " not in kind and kind not in (*FINE, "cases"))))


def _show(console: Console, counts: Counter[str], seconds: float) -> None:
    console.print(f"{counts.pop('cases')} cases in {seconds:.0f} s")
    for kind, number in sorted(counts.items()):
        console.print(f"  {number:8} {kind}", highlight=False)


if __name__ == "__main__":
    app()
