"""Cases spread over worker processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from queue import Empty, Queue
from threading import Event, Thread

from graphkit.runtimes.probing.corpus import Case
from graphkit.runtimes.probing.outcome import Leniency, Outcome, probe
from graphkit.runtimes.runners import Runner

_SERVED = 500
"""A worker is replaced after so many cases: runtimes leak."""

Done = Callable[[Case, Outcome], None]


def run_cases(
    runner: Runner, cases: Iterable[Case], done: Done, *, jobs: int, timeout: float, budget: float | None = None
) -> bool:
    """Probe cases, several at a time.

    Args:
        runner: The runtime.
        cases: What to probe, in this order.
        done: Called in this thread with each outcome.
        jobs: How many at a time.
        timeout: Seconds for one case.
        budget: Seconds for all; cases that were not begun by then are left.

    Returns:
        Whether every case was probed.

    Raises:
        NotInstalled: The runtime is not there.
        NotLoaded: It cannot be imported.
    """
    waiting: Queue[Case] = Queue()
    for case in cases:
        waiting.put(case)
    results: Queue[tuple[Case, Outcome] | BaseException | None] = Queue()
    stop = Event()
    leniency = Leniency(ones=runner.folds_ones, types=not runner.native_types)
    threads = [
        Thread(target=_work, args=(runner, waiting, results, stop, timeout, leniency), daemon=True) for _ in range(jobs)
    ]
    ends = None if budget is None else time.monotonic() + budget
    for thread in threads:
        thread.start()
    working = len(threads)
    try:
        while working:
            if ends is not None and time.monotonic() > ends:
                stop.set()
            try:
                result = results.get(timeout=1.0)
            except Empty:
                continue
            if result is None:
                working -= 1
            elif isinstance(result, BaseException):
                raise result
            else:
                done(*result)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return waiting.empty()


def _work(
    runner: Runner,
    waiting: Queue[Case],
    results: Queue[tuple[Case, Outcome] | BaseException | None],
    stop: Event,
    timeout: float,
    leniency: Leniency,
) -> None:
    try:
        with runner.process(timeout, alone=True) as process:
            while not stop.is_set():
                try:
                    case = waiting.get_nowait()
                except Empty:
                    break
                results.put((case, probe(process, case, leniency)))
                if process.served >= _SERVED:
                    process.close()
        results.put(None)
    except BaseException as error:  # noqa: BLE001  (told in the thread that waits)
        results.put(error)
