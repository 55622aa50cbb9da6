"""Turns in random order, round by round, load by load: what is timed, and when."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Run = Callable[[int], None]
"""Runs a model once; told how many runs there were before, so that it can take the next picture."""
Clock = Callable[[], float]

LOADS = 10
_MOST_LOADS = 30
_LEAST_LOADS = 8
_LOADING_SHARE = 0.5
"""Of the timed runs' time, what loading more than ten times may take besides."""
_TURN = 0.02
_MOST_RUNS = 50
_WINDOW = 2
_STABLE = 0.97
_WARM_AT_LEAST = 0.02
_WARM_AT_MOST = 2.0


@dataclass(frozen=True)
class Budget:
    """How long to measure.

    Attributes:
        seconds: Of timed runs, about; loading and warming up come on top.
        rounds: Exactly this many, rounded up to whole loads of even ones; None for as many as `seconds` hold.
    """

    seconds: float = 20.0
    rounds: int | None = None


@dataclass(frozen=True, eq=False)
class Timings:
    """Seconds, as measured.

    Attributes:
        turns: [loads, rounds of a load, models], the median run of each turn.
        runs: Of each model every timed run.
        loading: Of each model every load.
    """

    turns: NDArray[np.float64]
    runs: tuple[list[float], ...]
    loading: tuple[list[float], ...]


def time_rounds(
    openers: Sequence[Callable[[], Run]],
    budget: Budget,
    seed: int = 0,
    clock: Clock = time.perf_counter,
    tell: Callable[[str], None] = lambda _: None,
) -> Timings:
    """Time models against each other.

    In a round every model has one turn, in random order, and the next round takes them in reverse: what drifts
    meanwhile, or comes of following another model, is the same for all. Every few rounds all models are loaded anew,
    in random order and then in its reverse, because where a model happens to lie in memory makes it faster or slower
    by some per cent for as long as it is loaded, whatever the number of rounds. A turn of a model that takes less than
    20 ms is several runs, after one that is not timed.

    Args:
        openers: Each loads a model and gives what runs it.
        budget: How long.
        seed: Of the order.
        clock: Seconds.
        tell: Called with what is being done.
    """
    rng = np.random.default_rng(seed)
    count = len(openers)
    runs: tuple[list[float], ...] = tuple([] for _ in openers)
    loading: tuple[list[float], ...] = tuple([] for _ in openers)
    turns: list[list[list[float]]] = []
    loads, rounds, repeats = 1, 2, [1] * count
    order: list[int] = []
    while len(turns) < loads:
        began = clock()
        tell(f"load {len(turns) + 1}{f' of {loads}' if turns else ''}")
        order = order[::-1] if len(turns) % 2 else rng.permutation(count).tolist()
        # Kept in this order, so that they are let go in it too: nothing is always first for the same model.
        ready: dict[int, Run] = {}
        for model in order:
            start = clock()
            ready[model] = openers[model]()
            loading[model].append(clock() - start)
        with _undisturbed():
            warmed = {model: warm_up(run, clock) for model, run in ready.items()}
            if not turns:
                # The fastest run says how long it takes: any may be interrupted for longer than that.
                warm = [warmed[model] for model in range(count)]
                repeats = [max(1, min(_MOST_RUNS, math.ceil(_TURN / max(min(times), 1e-9)))) for times in warm]
                turn = sum(statistics.median(times) * often for times, often in zip(warm, repeats, strict=True))
                loads, rounds = plan(budget, turn, clock() - began)
            turns.append(_rounds(ready, rounds, repeats, runs, rng, clock))
        del ready
    return Timings(np.array(turns), runs, loading)


def plan(budget: Budget, turn: float, loading: float) -> tuple[int, int]:
    """How many loads, and how many rounds in each: even numbers, so that every order is met by its reverse.

    Ten loads; up to thirty where loading takes little, because what differs from load to load is only averaged over
    loads; down to eight where a round takes long.

    Args:
        budget: What was asked for.
        turn: Seconds that one round takes.
        loading: Seconds until all models are loaded and warm.
    """
    wanted = budget.rounds if budget.rounds is not None else int(budget.seconds / max(turn, 1e-9))
    cheap = int(_LOADING_SHARE * wanted * turn / max(loading, 1e-9))
    loads = max(_LEAST_LOADS, min(max(LOADS, min(_MOST_LOADS, cheap)), wanted // 2)) // 2 * 2
    each = max(2, wanted / loads)
    return loads, 2 * (math.ceil(each / 2) if budget.rounds is not None else int(each / 2))


def warm_up(run: Run, clock: Clock) -> list[float]:
    """Run until it gets no faster: until the last two runs are not 3 % below the two before, or 2 s have gone by.

    Returns:
        Seconds of every run but the first, which may have been cold.
    """
    times: list[float] = []
    while True:
        start = clock()
        run(len(times))
        times.append(clock() - start)
        spent = sum(times)
        if len(times) < _WINDOW or (spent < _WARM_AT_MOST and len(times) < 2 * _WINDOW):
            continue
        last = statistics.median(times[-_WINDOW:])
        before = statistics.median(times[-2 * _WINDOW : -_WINDOW] or times)
        if spent >= _WARM_AT_MOST or (spent >= _WARM_AT_LEAST and last >= _STABLE * before):
            return times[1:]


def _rounds(
    ready: Mapping[int, Run],
    rounds: int,
    repeats: Sequence[int],
    runs: Sequence[list[float]],
    rng: np.random.Generator,
    clock: Clock,
) -> list[list[float]]:
    found: list[list[float]] = []
    order: list[int] = []
    for number in range(rounds):
        order = order[::-1] if number % 2 else rng.permutation(len(ready)).tolist()
        turn = [0.0] * len(ready)
        for model in order:
            run, times = ready[model], []
            if repeats[model] > 1:
                run(len(runs[model]))  # brings its weights back into the caches
            for _ in range(repeats[model]):
                start = clock()
                run(len(runs[model]))
                times.append(clock() - start)
                runs[model].append(times[-1])
            turn[model] = statistics.median(times)
        found.append(turn)
    return found


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without Python's garbage collector, which stops a run wherever it likes."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
