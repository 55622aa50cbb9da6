"""Every node test of onnx to every opset, by graphkit and by the other converters there are.

    python -m benchmarks.opset [--targets 9-28] [--models SUBSTRING] [--only graphkit] [--jobs 2] [--json FILE]

A cell is one model at one opset, by one tool: converted and right, refused, converted and wrong, or crashed (an error
that is no refusal, a process that died or hung). How right and wrong are told apart is in `benchmarks.opset_judge`.
Every tool works in processes of its own; where one dies or hangs, its cells are tried again one by one.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import onnx
import typer
from pebble import ProcessExpired, ProcessPool
from rich.console import Console
from rich.progress import track

from benchmarks.corpus_nodes import Case, cases
from benchmarks.opset_judge import Judge, newest_of_onnxruntime
from benchmarks.opset_report import report
from benchmarks.opset_tools import TOOLS, Refused
from graphkit.model import standard_domain

_CASES: list[Case] = []
"""Filled before the workers are forked off, so that each of them has it."""

_WHOLE, _SINGLE = 240.0, 30.0
"""Seconds for a model at all opsets, and for a cell that is tried again."""


@dataclass(frozen=True)
class Cell:
    """One model at one opset, by one tool.

    Attributes:
        tool: The tool's name.
        model: The node test's name.
        now: The opset that the model is at.
        target: The one asked for.
        kind: right, refused, wrong, crashed or unjudged.
        why: The refusal, what is wrong, or why it is not judged.
        held_to: See Verdict.
        seconds: The conversion alone.
    """

    tool: str
    model: str
    now: int
    target: int
    kind: str
    why: str = ""
    held_to: str = "expected"
    seconds: float = 0.0

    @property
    def down(self) -> bool:
        """Whether it is on the way down."""
        return self.target < self.now


@dataclass(frozen=True)
class Task:
    """What one process is given to do at a time.

    Attributes:
        tool: The tool's name.
        index: Of the case.
        targets: The opsets.
        runners: The runtimes that may judge.
    """

    tool: str
    index: int
    targets: tuple[int, ...]
    runners: tuple[str, ...] = ("onnxruntime", "reference")


def opset_of(case: Case) -> int | None:
    """The opset a case is at; None where it uses nothing of the default domain."""
    return next((int(item.version) for item in case.model.opset_import if standard_domain(item.domain)), None)


def work(task: Task) -> list[Cell]:
    """Convert and judge."""
    case = _CASES[task.index]
    judge = Judge(case, task.runners)
    return [_cell(task.tool, case, target, judge) for target in task.targets]


def _cell(tool: str, case: Case, target: int, judge: Judge) -> Cell:
    now = opset_of(case) or 0
    start = time.perf_counter()
    try:
        made = TOOLS[tool](case.model, target)
    except Refused as error:
        return Cell(tool, case.name, now, target, "refused", str(error), seconds=time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001 - anything but a refusal is a crash
        return Cell(tool, case.name, now, target, "crashed", f"{type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    verdict = judge.verdict(made)
    return Cell(tool, case.name, now, target, verdict.kind, verdict.why, verdict.held_to, seconds)


def run(tasks: Sequence[Task], jobs: int, seconds: float) -> Iterator[tuple[Task, list[Cell] | str]]:
    """What each task gives; a sentence where its process died or hung."""
    with ProcessPool(max_workers=jobs, context=multiprocessing.get_context("fork")) as pool:
        futures: dict[Future[list[Cell]], Task] = {
            pool.schedule(work, args=[task], timeout=seconds): task for task in tasks
        }
        for future in as_completed(futures):
            task = futures[future]
            try:
                yield task, future.result()
            except ProcessExpired as error:
                yield task, f"the process died with code {error.exitcode}"
            except TimeoutError:
                yield task, f"no answer in {seconds:g} s"


def compare(tools: Sequence[str], targets: Sequence[int], chosen: Iterable[int], jobs: int) -> list[Cell]:
    """All cells."""
    tasks = []
    for index in chosen:
        now = opset_of(_CASES[index])
        if now is not None:
            aims = tuple(target for target in targets if target != now)
            tasks += [Task(tool, index, aims) for tool in tools if aims]
    cells: list[Cell] = []
    again: list[Task] = []
    console = Console(stderr=True)
    for task, made in track(run(tasks, jobs, _WHOLE), "converting", len(tasks), console=console, transient=True):
        if isinstance(made, str):
            again += [Task(task.tool, task.index, (target,)) for target in task.targets]
        else:
            cells += made
    # One cell at a time; what dies now is tried once more without onnxruntime, which may be what dies.
    for task, made in track(run(again, jobs, _SINGLE), "one by one", len(again), console=console, transient=True):
        cells += made if isinstance(made, list) else _last(task, made)
    return cells


def _last(task: Task, why: str) -> list[Cell]:
    case = _CASES[task.index]
    alone = Task(task.tool, task.index, task.targets, ("reference",))
    (_, made), *_ = list(run([alone], 1, _SINGLE))
    if isinstance(made, list):
        return made
    return [Cell(task.tool, case.name, opset_of(case) or 0, target, "crashed", why) for target in task.targets]


def main(
    targets: Annotated[str, typer.Option(help="Opsets: 11, or 9-28, or 11,13,17.")] = "",
    models: Annotated[str, typer.Option(help="Only node tests whose name contains this.")] = "",
    only: Annotated[str, typer.Option(help="One of the tools.")] = "",
    jobs: Annotated[int, typer.Option(help="Processes.")] = 2,
    out: Annotated[Path | None, typer.Option("--json", help="Write every cell to this file.")] = None,
) -> None:
    """Convert onnx's node tests and say what came out; exit code 1 if graphkit was wrong, crashed or did not get up."""
    newest_of_onnxruntime()
    _CASES.extend(cases())
    aims = _numbers(targets or f"9-{onnx.defs.onnx_opset_version()}")
    chosen = [index for index, case in enumerate(_CASES) if models in case.name]
    start = time.perf_counter()
    cells = compare([only] if only else list(TOOLS), aims, chosen, jobs)
    if out is not None:
        out.write_text(json.dumps([asdict(cell) for cell in cells], indent=0))
    outside = [_CASES[index].name for index in chosen if opset_of(_CASES[index]) is None]
    bad = report(cells, len(chosen), outside, time.perf_counter() - start)
    raise typer.Exit(1 if bad else 0)


def _numbers(text: str) -> list[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return sorted(found)


if __name__ == "__main__":
    typer.run(main)
