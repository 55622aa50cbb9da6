"""Transposes left and elements moved, by graphkit, by the simplifiers there are, and by onnxruntime's own optimiser.

    python -m benchmarks.transposes --exports exports --packages packages          # everything: half an hour
    python -m benchmarks.transposes --only a --rows "^Softmax|LSTM"
    python -m benchmarks.transposes --only b --rows yolov8n --latency --json cells.json

Three groups: (a) small graphs, one for each thing that may stand between two Transposes; (b) ultralytics' families,
static, dynamic, nms=True and in batches of 4; (c) models that packages of PyPI ship, and exports that work channels
last. Every tool works in a process of its own, with a time limit. Before and after, models run in onnxruntime with
optimisation off on the same seeded inputs, and onnxruntime's profile says what every Transpose moved. Outputs that are
not CLOSE (docs/architecture.md) are wrong; only the order of rows that a model chooses by their scores is free. What
onnxruntime's optimiser does is read from the model that it writes.

The exit status is 1 where graphkit's cleanup gives a wrong model, leaves more than the best of the others or more than
there was, leaves fewer in less than half of the rows where the best of the others leaves any, where onnxruntime removes
more after it from (a) or (b), or, with --latency, where a model is surely more than 2 % slower.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pebble import ProcessExpired, ProcessPool
from rich.console import Console
from rich.progress import track

from benchmarks.transposes_judge import BEFORE, Cell, Row, judge
from benchmarks.transposes_latency import Timed, latency
from benchmarks.transposes_models import Store
from benchmarks.transposes_report import report
from benchmarks.transposes_tools import AFTER, OTHERS, OURS

GROUPS = "abc"
ERRORS = Console(stderr=True, soft_wrap=True)


def silenced() -> None:
    """Send what tools print, from Python and from C++, nowhere: what they raise is in the cells."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def judged(rows: Sequence[Row], tools: Sequence[str], seconds: float) -> list[Cell]:
    """Every tool on every row, one after the other, in a process that is replaced where it dies or hangs."""
    cells = []
    # Not forked: onnxruntime and torch have threads, which do not live on in a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPool(max_workers=1, context=context, initializer=silenced) as pool:
        tasks = [(row, tool) for row in rows for tool in tools]
        for row, tool in track(tasks, "optimising", console=ERRORS, disable=not ERRORS.is_terminal):
            try:
                cell: Cell = pool.schedule(judge, args=[row, tool], timeout=seconds).result()
            except ProcessExpired as error:
                cell = Cell(row.group, row.name, tool, "crash", f"the process died with code {error.exitcode}")
            except TimeoutError:
                cell = Cell(row.group, row.name, tool, "crash", f"no answer in {seconds:g} s")
            cells.append(cell)
    return cells


def main(
    only: Annotated[list[str] | None, typer.Option(help="Only these groups: a, b, c.")] = None,
    rows: Annotated[str, typer.Option(help="Only rows whose name this regular expression is found in.")] = "",
    exports: Annotated[Path | None, typer.Option(help="Folder to keep exports in.")] = None,
    packages: Annotated[Path | None, typer.Option(help="Folder to keep the models of packages in.")] = None,
    limit: Annotated[float, typer.Option(min=1, help="Seconds that a tool may take for a model.")] = 300,
    timing: Annotated[bool, typer.Option("--latency", help="Time models before and after cleanup, too.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of timed runs, for each model.")] = 5.0,
    out: Annotated[Path | None, typer.Option("--json", help="Write every cell to this file.")] = None,
) -> None:
    """Print the table and what it says."""
    unknown = [group for group in only or () if group not in GROUPS]
    if unknown:
        raise typer.BadParameter(f"there is no group {unknown[0]}; the groups are a, b and c")
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        kept, shipped, work = exports or scratch / "exports", packages or scratch / "packages", scratch / "rows"
        for place in (kept, shipped, work):
            place.mkdir(parents=True, exist_ok=True)
        try:
            names = re.compile(rows)
        except re.error as error:
            raise typer.BadParameter(f"--rows {rows} is no regular expression: {error}") from error
        found = list(Store(kept, shipped, work, names, ERRORS.print).rows(sorted(set(only or GROUPS))))
        if not found:
            raise typer.BadParameter(f"no row's name has {rows} in it; leave out --rows to see them all")
        cells = judged(found, [BEFORE, *OURS, *OTHERS, *AFTER], limit)
        timed: list[Timed] = []
        if timing:
            for row in track(found, "timing", console=ERRORS, disable=not ERRORS.is_terminal):
                made = latency(row, "cleanup", seconds)
                timed += [made] if made is not None else []
    if out is not None:
        out.write_text(json.dumps({"cells": list(map(asdict, cells)), "latency": list(map(asdict, timed))}, indent=0))
    raise typer.Exit(0 if report(cells, timed, time.perf_counter() - start) else 1)


if __name__ == "__main__":
    typer.run(main)
