"""How long a model takes in onnxruntime before and after, in turns, on the row's own inputs.

One thread, and the processor's time: what else the machine does is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from benchmarks.transposes_judge import Row
from benchmarks.transposes_measure import quiet_options
from benchmarks.transposes_pattern import Feed
from graphkit.bench.ratio import ratio_of
from graphkit.bench.rounds import Budget, time_rounds

SLOWER = 1.02
"""A ratio above this is slower."""


@dataclass(frozen=True)
class Timed:
    """One model after, by before; onnxruntime optimises both as it does by default.

    Attributes:
        row: The row's name.
        milliseconds: A run of the model as it came.
        ratio: Below 1 it is faster.
        low: Lower end of the interval of 99 %.
        high: Upper end.
    """

    row: str
    milliseconds: float
    ratio: float
    low: float
    high: float

    @property
    def slower(self) -> bool:
        """Whether it is beyond what is allowed, surely."""
        return self.low > SLOWER


def latency(row: Row, tool: str, seconds: float) -> Timed | None:
    """Time what a tool made of a row's model against the model.

    None where it made none, and where onnxruntime cannot run what its own optimiser makes of one of the two.

    Args:
        row: The row, judged before.
        tool: One of graphkit's pipelines.
        seconds: Of timed runs, about.
    """
    if not row.made(tool).exists():
        return None
    feed = row.feeds()[0]
    openers = [partial(_opened, path, feed) for path in (row.path, row.made(tool))]
    try:
        timings = time_rounds(openers, Budget(seconds), clock=time.process_time)
    except InvalidArgument:
        return None
    ratio, low, high = ratio_of(timings.turns, 1, (1, 1))
    before = sorted(timings.runs[0])
    return Timed(row.name, before[len(before) // 2] * 1000, ratio, low, high)


def _opened(path: Path, feed: Feed) -> Callable[[int], None]:
    options = quiet_options(ort.GraphOptimizationLevel.ORT_ENABLE_ALL)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(_number: int) -> None:
        session.run(None, feed)

    return run
