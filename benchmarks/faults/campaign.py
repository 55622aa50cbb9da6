"""Many cases in a worker process that is limited in time and memory, and replaced when it dies; a journal of them."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pebble import ProcessExpired, ProcessPool
from rich.console import Console
from rich.progress import Progress

from benchmarks.faults.findings import FINE, LIMIT_BYTES, LIMIT_SECONDS, Finding, Late

Case = Callable[[int, Path, Callable[[str], Any]], tuple[str, list[Finding]]]
"""Number, a folder to work in and a watch -> what the case is, and what came of it."""

_WINDOW = 64
_RESTART = 2000
"""Cases before a worker is replaced: what libraries never free must not count as a case's memory."""

_base = 0


def run_campaign(case: Case, numbers: Sequence[int], journal: Path) -> Counter[str]:
    """Run the cases; the journal gets a line for each that has something to be mended.

    Returns:
        How many cases and steps there were, by the kind of their outcome.
    """
    counts: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as scratch,
        journal.open("a", encoding="utf-8") as lines,
        Progress(console=Console(stderr=True), transient=True) as progress,
        ProcessPool(
            1,
            _RESTART,
            initializer=_limit,
            context=multiprocessing.get_context("spawn"),
        ) as pool,
    ):
        bar = progress.add_task("cases", total=len(numbers))
        for start in range(0, len(numbers), _WINDOW):
            waiting = [
                (number, pool.schedule(_one, args=(case, number, Path(scratch)), timeout=LIMIT_SECONDS * 4))
                for number in numbers[start : start + _WINDOW]
            ]
            for number, future in waiting:
                made, findings = _outcome(future, Path(scratch))
                _count(counts, findings)
                wrong = [asdict(item) for item in findings if item.kind not in FINE]
                if wrong:
                    lines.write(json.dumps({"number": number, "made": made, "wrong": wrong}) + "\n")
                    lines.flush()
                progress.advance(bar)
    return counts


def _outcome(future: Any, scratch: Path) -> tuple[str, list[Finding]]:
    """What the worker says of a case, or how it ended on it."""
    try:
        made, findings = future.result()
    except FutureTimeoutError:
        return "", [Finding(_last_step(scratch), "hang", "the worker had to be killed")]
    except ProcessExpired as error:
        number = -(error.exitcode or 0)
        name = signal.Signals(number).name if number in list(signal.Signals) else f"exit status {error.exitcode}"
        return "", [Finding(_last_step(scratch), "died", name)]
    return made, findings


def _last_step(scratch: Path) -> str:
    path = scratch / "step"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _count(counts: Counter[str], findings: Sequence[Finding]) -> None:
    counts["cases"] += 1
    counts.update(f"step {item.kind}" for item in findings)
    worst = [item.kind for item in findings if item.kind not in FINE]
    counts[worst[0] if worst else "refused" if findings[0].kind == "refused" else "ok"] += 1


def _limit() -> None:
    """Limits for a worker: its address space, beside what it has with everything imported."""
    global _base
    import onnxruntime
    import scipy.optimize

    from benchmarks.faults import model_case  # noqa: F401

    _ = onnxruntime, scipy.optimize
    status = _status()
    _base = status["VmRSS"]
    size = status["VmSize"] + LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    signal.signal(signal.SIGALRM, _late)


def _late(_number: int, _frame: object) -> None:
    raise Late


def _status() -> dict[str, int]:
    """VmSize, VmRSS and VmHWM (the most that VmRSS was) of this process in bytes. Linux."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":") for line in lines if line.startswith("Vm"))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _one(case: Case, number: int, scratch: Path) -> tuple[str, list[Finding]]:
    """Run one case in the worker."""
    peaks: list[Finding] = []

    @contextlib.contextmanager
    def watch(step: str) -> Iterator[None]:
        (scratch / "step").write_text(step, encoding="utf-8")
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # VmHWM starts again from VmRSS
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, LIMIT_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            taken, seconds = _status()["VmHWM"] - _base, time.monotonic() - started
            if taken > LIMIT_BYTES:
                peaks.append(Finding(step, "memory", f"{taken / 2**30:.1f} GiB"))
            if seconds > LIMIT_SECONDS:
                peaks.append(Finding(step, "hang", f"{seconds:.0f} s"))

    made, findings = case(number, scratch / "case", watch)
    return made, findings + peaks
