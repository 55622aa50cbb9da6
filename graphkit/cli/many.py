"""`graphkit run` over several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.batch import BatchReport, Work


def run_many(
    models: Sequence[Path],
    work: Work,
    output: Path | None,
    alone: Mapping[str, object],
    *,
    in_place: bool,
    jobs: int,
    skip_done: bool,
    as_json: bool,
) -> None:
    """Run every model, print what became of each, and end with exit status 1 where one failed.

    Args:
        models: Files and folders.
        work: How to run them.
        output: The folder for the results, or None.
        alone: Option -> value, for the options that are for a single model.
        in_place: Put each result in the place of its model.
        jobs: How many processes at once.
        skip_done: Leave out what `output` has already.
        as_json: Print JSON.

    Raises:
        UsageError: The options do not go together, or see `graphkit.batch.plan`.
        WriteError: The results, or the record of them, cannot be written.
    """
    import sys

    import typer

    from graphkit.errors import UsageError
    from graphkit.render.json_text import json_text

    given = [option for option, value in alone.items() if value]
    if given:
        raise UsageError(f"{given[0]} is for one model; name the one it is for, and run it without --skip-done.")
    if skip_done and output is None:
        raise UsageError("--skip-done goes by the record in the output folder; name that with -o FOLDER.")
    pipeline = work.pipeline()  # its mistakes come before the models are looked for

    from graphkit.batch import plan, run_batch
    from graphkit.cli.many_progress import ManyProgress

    todo = plan(models, output, in_place=in_place, dry_run=not work.write)
    with ManyProgress(len(todo), len(pipeline.steps), quiet=as_json) as progress:
        report = run_batch(todo, work, pipeline, folder=output, count=jobs, skip_done=skip_done, watcher=progress)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
    else:
        from graphkit.render.batch_text import print_batch
        from graphkit.render.console import make_console

        print_batch(make_console(), report)
    if work.debug:
        _print_tracebacks(report)
    if report.counts["failed"]:
        raise typer.Exit(1)


def _print_tracebacks(report: BatchReport) -> None:
    import sys

    for result in report.models:
        if result.failure is not None and result.failure.traceback:
            sys.stderr.write(f"{result.model}:\n{result.failure.traceback}\n")
