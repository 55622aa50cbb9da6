"""What was measured, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Latency:
    """How long one model takes.

    Attributes:
        label: "A", "B" …
        model: The file.
        given: What it was fed: "images [1,3,640,640] float32".
        batch: Images a run.
        runs: Timed runs.
        median: Milliseconds a run.
        p90: Nine runs in ten take at most this, milliseconds; None of fewer than 10 runs.
        p99: The same of 99 in 100; None of fewer than 100 runs.
        images_per_second: Images of all timed runs, by the time these took.
        loading: Milliseconds until it can be run, median of all loads.
    """

    label: str
    model: str
    given: str
    batch: int
    runs: int
    median: float
    p90: float | None
    p99: float | None
    images_per_second: float
    loading: float


@dataclass(frozen=True)
class Ratio:
    """Time an image of a model by that of the first.

    Attributes:
        label: "B" …
        model: The file.
        ratio: Below 1 it is faster than the first.
        low: Lower end of the interval.
        high: Upper end of the interval.
        confidence: Of the interval, 0..1.
    """

    label: str
    model: str
    ratio: float
    low: float
    high: float
    confidence: float

    @property
    def differs(self) -> bool:
        """Whether the interval leaves 1 out."""
        return not self.low <= 1 <= self.high


@dataclass(frozen=True)
class OperatorTime:
    """One operator of one model.

    Attributes:
        op: As onnxruntime runs it, after its own fusions.
        calls: Nodes run in one run of the model.
        milliseconds: All of them in one run, without what runs inside of them (the bodies of If and Loop).
    """

    op: str
    calls: int
    milliseconds: float


@dataclass(frozen=True)
class OperatorChange:
    """What one operator takes in a model against what it takes in the first.

    Attributes:
        op: As onnxruntime runs it.
        milliseconds: More a run than in the first model; negative where it is less.
        low: Lower end of its interval of 99 %.
        high: Upper end.
        only: "A" where the first model alone has it, the other model's label where that one has, "" where both.
    """

    op: str
    milliseconds: float
    low: float
    high: float
    only: str

    @property
    def seen(self) -> bool:
        """Whether it is more than chance."""
        return not self.low <= 0 <= self.high


@dataclass(frozen=True)
class Profile:
    """Where the time of one model goes, from runs of their own: profiling costs time itself.

    Attributes:
        label: "A", "B" …
        runs: Profiled runs, in several loads; figures are medians.
        operators: The longest first.
        changes: Against the first model, the largest first; () of the first itself.
    """

    label: str
    runs: int
    operators: tuple[OperatorTime, ...]
    changes: tuple[OperatorChange, ...]


@dataclass(frozen=True)
class NodeTime:
    """What nodes take that onnxruntime runs together: often one, several where they are fused.

    Attributes:
        nodes: Of the model's main graph, in its order, as `graphkit coverage` calls them.
        ran: The operators that onnxruntime runs for them, in its order.
        milliseconds: In one run, with what runs inside of them (the bodies of If and Loop).
    """

    nodes: tuple[str, ...]
    ran: tuple[str, ...]
    milliseconds: float


@dataclass(frozen=True)
class NodeTimes:
    """Where the time of a model goes, by its nodes.

    A node in none of `times` takes no time of its own: onnxruntime computed it once beforehand, or took it out.

    Attributes:
        runtime: "onnxruntime 1.32.0, CPUExecutionProvider, 2 threads".
        given: What it was fed: "images [1,3,640,640] float32, noise (seed 0)".
        runs: Profiled runs, in several loads; figures are medians.
        milliseconds: All nodes in one run.
        added: Of that the nodes that onnxruntime added and that cannot be told to be part of one of the model's.
        times: In the order of their first nodes.
    """

    runtime: str
    given: str
    runs: int
    milliseconds: float
    added: float
    times: tuple[NodeTime, ...]


@dataclass(frozen=True)
class BenchReport:
    """Everything that was measured.

    Attributes:
        runtime: "onnxruntime 1.32.0".
        providers: Asked for, in the order of preference.
        threads: Of one operator.
        optimise: "all", "basic" or "off".
        spin: Whether waiting threads spin.
        input: "noise (seed 0)" or the pictures' names.
        loads: How often every model was loaded anew.
        rounds: In each of which every model had one turn.
        models: In the order given.
        ratios: Of every model but the first.
        profiles: In the order of the models; () where none was asked for.
        notes: What to know about these figures.
        seconds: All in all.
    """

    runtime: str
    providers: tuple[str, ...]
    threads: int
    optimise: str
    spin: bool
    input: str
    loads: int
    rounds: int
    models: tuple[Latency, ...]
    ratios: tuple[Ratio, ...]
    profiles: tuple[Profile, ...]
    notes: tuple[str, ...]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = asdict(self)
        for item, ratio in zip(found["ratios"], self.ratios, strict=True):
            item["differs"] = ratio.differs
        return found
