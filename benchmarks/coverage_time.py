"""How long coverage takes against every support table, and how that compares with one shape inference of onnx.

    python -m benchmarks.coverage_time [--model yolov8n.onnx] [--nodes 50000] [--profile]

The command is run as a user runs it, in a process of its own; of a chain of many nodes the analysis alone is timed too.
The peer is `onnx.shape_inference.infer_shapes` with its data propagation on the same model in the same run: it is part
of what coverage does. Seconds are of the processor, the best of several: the machine may have other things to do. The
exit status is 1 where a budget is exceeded.
"""

from __future__ import annotations

import cProfile
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import onnx
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.opset_scale import chain
from graphkit.analysis.coverage import cover
from graphkit.model import Model
from graphkit.runtimes import newest_tables

MODEL = Path(__file__).parents[2] / "shared" / "data" / "yolov8n-coco-640.onnx"
DETECTOR_SECONDS, CHAIN_SECONDS = 1.0, 10.0


def command(path: Path, times: int) -> float:
    """Processor seconds of `graphkit coverage`, start of the process included."""

    def once() -> None:
        line = [sys.executable, "-c", "from graphkit.cli import main; main()", "coverage", str(path)]
        subprocess.run(line, stdout=subprocess.DEVNULL, check=True)

    return best(once, times, children=True)


def best(what: Callable[[], object], times: int, *, children: bool = False) -> float:
    """The best of several runs, in processor seconds of this process or of those that it starts."""
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    found = []
    for _ in range(times):
        before = resource.getrusage(who)
        what()
        after = resource.getrusage(who)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def row(path: Path, times: int) -> tuple[float, float, float, int]:
    """Seconds of the command, of the analysis alone, and of the peer; and how many nodes were judged."""
    model, tables = Model.load(path), newest_tables()
    proto = model.proto()
    nodes = cover(model, tables).nodes
    alone = best(lambda: cover(model, tables), times)
    peer = best(lambda: onnx.shape_inference.infer_shapes(proto, data_prop=True), times)
    return command(path, times), alone, peer, nodes


def main(
    model: Annotated[Path, typer.Option(help="A detector.")] = MODEL,
    nodes: Annotated[int, typer.Option(help="The length of the chain.")] = 50_000,
    profile: Annotated[bool, typer.Option(help="Profile the analysis of the detector instead.")] = False,
) -> None:
    """Print the table."""
    console = Console(soft_wrap=True)
    if profile:
        loaded, tables = Model.load(model), newest_tables()
        with cProfile.Profile() as record:
            cover(loaded, tables)
        pstats.Stats(record).sort_stats("tottime").print_stats(30)
        return
    table = Table("model", "nodes", "command", "budget", "cover alone", "onnx infer_shapes", "cover / infer_shapes")
    kept = True
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "chain.onnx"
        long.write_bytes(chain(nodes).SerializeToString())
        for path, name, budget, times in ((model, model.name, DETECTOR_SECONDS, 5), (long, "chain", CHAIN_SECONDS, 1)):
            started = time.perf_counter()
            whole, alone, peer, count = row(path, times)
            kept &= whole <= budget
            seconds = (f"{whole:.2f} s", f"{budget:g} s", f"{alone:.2f} s", f"{peer:.3f} s")
            table.add_row(name, str(count), *seconds, f"{alone / peer:.1f}")
            console.print(f"{name} measured in {time.perf_counter() - started:.0f} s", style="dim")
    console.print(f"{len(newest_tables())} runtimes")
    console.print(table)
    raise typer.Exit(0 if kept else 1)


if __name__ == "__main__":
    typer.run(main)
