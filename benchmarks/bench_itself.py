"""Whether `graphkit bench A A` says what it should: that a model is as fast as itself.

    python -m benchmarks.bench_itself ../shared/data/yolov8n-coco-640.onnx
    python -m benchmarks.bench_itself --runs 20 --seconds 20

Each run times a model against a second load of the same file, in a process of its own and with another seed. A run is
right where its interval holds 1. The exit status is 1 where fewer than 19 in 20 are.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from graphkit.demo import write_demo


def one(model: Path, seconds: float, seed: int) -> tuple[float, float, float, int]:
    """Ratio, its interval, and how many rounds it rests on."""
    line = [sys.executable, "-c", "from graphkit.cli import main; main()", "bench", str(model), str(model)]
    options = ["--seconds", str(seconds), "--seed", str(seed), "--no-profile", "--json"]
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    (ratio,) = report["ratios"]
    return ratio["ratio"], ratio["low"], ratio["high"], report["rounds"]


def main(
    model: Annotated[Path | None, typer.Argument(help="By default the demo's detector.")] = None,
    runs: Annotated[int, typer.Option(min=1)] = 20,
    seconds: Annotated[float, typer.Option(min=0.1, help="Of timed runs, in each.")] = 20.0,
) -> None:
    """Print a row for each run, and how many are right."""
    console = Console(width=100)
    table = Table("run", "ratio", "99 % interval", "to either side", "rounds", "load", "holds 1")
    right, reach = 0, []
    with tempfile.TemporaryDirectory() as folder:
        path = model or write_demo(Path(folder))[0]
        for seed in range(runs):
            ratio, low, high, rounds = one(path, seconds, seed)
            holds = low <= 1 <= high
            right += holds
            reach.append((high - low) / 2)
            load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
            row = (str(seed), f"{ratio:.4f}", f"{low:.4f} to {high:.4f}", f"{reach[-1]:.2%}", str(rounds), load)
            table.add_row(*row, "✓" if holds else "✗")
            print(*row, holds, flush=True, file=sys.stderr)
    console.print(table)
    console.print(f"{right} of {runs} hold 1; to either side {statistics.median(reach):.2%} (median)")
    raise typer.Exit(0 if right >= 0.95 * runs else 1)


if __name__ == "__main__":
    typer.run(main)
