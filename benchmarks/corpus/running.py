"""Every cell in a worker process that is limited in time and memory, and replaced when it dies; a journal of them."""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool

from benchmarks.corpus.cells import run_cell
from benchmarks.corpus.files import File
from benchmarks.corpus.result import Cell

LIMIT_SECONDS = 300
LIMIT_BYTES = 8 * 2**30
"""Of a worker's address space, beside what it has with everything imported."""

_RESTART = 400
_WINDOW = 32


def journalled(journal: Path) -> dict[tuple[str, str], Cell]:
    """What a journal has: (sha256 of the file, name of the cell) -> cell. The last line of a cell counts."""
    if not journal.is_file():
        return {}
    lines = (json.loads(line) for line in journal.read_text("utf-8").splitlines())
    return {(line["sha256"], line["cell"]["name"]): Cell(**line["cell"]) for line in lines}


def run_cells(
    work: Sequence[tuple[File, str]], journal: Path, limit: float = LIMIT_SECONDS
) -> Iterator[tuple[File, Cell]]:
    """Run cells one after the other, each with a time limit; the journal gets a line for each.

    Args:
        work: Files and the names of their cells.
        journal: Is appended to.
        limit: Seconds for one cell.
    """
    context = multiprocessing.get_context("spawn")
    with (
        journal.open("a", encoding="utf-8") as lines,
        ProcessPool(1, _RESTART, initializer=_limited, context=context) as pool,
    ):
        for start in range(0, len(work), _WINDOW):
            waiting = [
                (file, name, pool.schedule(run_cell, args=(file.path, name), timeout=limit))
                for file, name in work[start : start + _WINDOW]
            ]
            for file, name, future in waiting:
                cell = _outcome(name, future, limit)
                line = {"sha256": file.sha256, "file": file.key, "cell": asdict(cell)}
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
                lines.flush()
                yield file, cell


def _outcome(name: str, future: Any, limit: float) -> Cell:
    """What the worker says of a cell, or how it ended on it."""
    try:
        cell: Cell = future.result()
    except FutureTimeoutError:
        return Cell(name, "hang", f"over {limit:.0f} s")
    except ProcessExpired as error:
        number = -(error.exitcode or 0)
        known = number in list(signal.Signals)
        return Cell(name, "died", signal.Signals(number).name if known else f"exit status {error.exitcode}")
    return cell


def _limited() -> None:
    import onnxruntime
    import scipy.optimize

    _ = onnxruntime, scipy.optimize
    sizes = Path("/proc/self/status").read_text("utf-8").split("VmSize:")[1].split()
    size = int(sizes[0]) * 1024 + LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
