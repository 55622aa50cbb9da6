"""mAP of a detector by graphkit and by ultralytics' own validator: the figures, their difference, and the times.

    python -m benchmarks.map ../shared/data/yolov8n-coco-640.onnx --data ../shared/data/coco-val128

Both read the same pictures and labels at confidence 0.001, IoU 0.7, 300 detections and multi-label, one picture at a
time, letterboxed without `rect`, on the CPU. Times are those of the whole evaluation, loading included: on the clock,
and on the processor over all threads, which other programs on the machine change less. Nothing is downloaded. Rounds
are interleaved, so that a machine that drifts slows both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.validate import Scores as Theirs
from benchmarks.validate import validate
from graphkit.detectors import open_detector
from graphkit.metrics import Scores, evaluate

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[T, float, float]:
    """What it returns, seconds on the clock, and seconds on the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - processor


def ours(model: Path, data: Path) -> Scores:
    """graphkit's figures."""
    return evaluate(open_detector(model, optimise=True), data)


def main(
    model: Annotated[Path, typer.Argument(help="A COCO-80 detector of 640 x 640, .onnx or .pt.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/ in YOLO format.")],
    rounds: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Print the table."""
    import ultralytics  # noqa: F401 - not a part of what is timed

    mine: list[tuple[Scores, float, float]] = []
    theirs: list[tuple[Theirs, float, float]] = []
    for _ in range(rounds):
        mine.append(timed(lambda: ours(model, data)))
        theirs.append(timed(lambda: validate(model, data)))
    scores, reference = mine[0][0], theirs[0][0]
    clock = [statistics.median(seconds for _, seconds, _ in rows) for rows in (theirs, mine)]
    processor = [statistics.median(seconds for _, _, seconds in rows) for rows in (theirs, mine)]
    ratios = [
        statistics.median(m[1] / t[1] for m, t in zip(mine, theirs, strict=True)),
        statistics.median(m[2] / t[2] for m, t in zip(mine, theirs, strict=True)),
    ]
    table = Table("", "mAP50-95", "mAP50", "seconds", "of the CPU", title=f"{model.name}, {scores.images} pictures")

    def row(name: str, whole: float, half: float, *times: str) -> None:
        sign = "+" if name == "difference" else ""
        table.add_row(name, f"{whole:{sign}.5f}", f"{half:{sign}.5f}", *times)

    row("ultralytics' validator", reference.map50_95, reference.map50, f"{clock[0]:.1f}", f"{processor[0]:.1f}")
    row("graphkit", scores.map50_95, scores.map50, f"{clock[1]:.1f}", f"{processor[1]:.1f}")
    row(
        "difference",
        scores.map50_95 - reference.map50_95,
        scores.map50 - reference.map50,
        *(f"{ratio:.2f} ×" for ratio in ratios),
    )
    row("graphkit, as COCO interpolates", scores.coco_map50_95, scores.coco_map50)
    Console(width=100).print(table)


if __name__ == "__main__":
    typer.run(main)
