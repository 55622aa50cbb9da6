"""bench: models against each other in onnxruntime."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort

from graphkit.bench.inputs import Fed, bench_inputs
from graphkit.bench.operators import LABELS, profile_models
from graphkit.bench.ratio import CONFIDENCE, ratio_of
from graphkit.bench.report import BenchReport, Latency, Profile, Ratio
from graphkit.bench.rounds import Budget, Timings, time_rounds
from graphkit.bench.sessions import Serving, open_model, runner
from graphkit.errors import UsageError
from graphkit.model import Model

_PROFILE_SECONDS = 1.0
_PROFILE_RUNS = (3, 12)
"""Of each load."""
_NMS = frozenset({"NonMaxSuppression"})


@dataclass(frozen=True)
class Wanted:
    """What the user asked for.

    Attributes:
        serving: How models are loaded.
        budget: How long they are timed.
        batch: Images a run where a model leaves it open; None for what fits.
        size: Height and width where a model leaves them open; None for what fits.
        images: Pictures to run on; () for noise.
        seed: Of the noise and of the order of turns.
        profile: Whether operators are timed too.
    """

    serving: Serving = field(default_factory=Serving)
    budget: Budget = field(default_factory=Budget)
    batch: int | None = None
    size: tuple[int, int] | None = None
    images: tuple[Path, ...] = ()
    seed: int = 0
    profile: bool = True


def bench(paths: Sequence[Path], wanted: Wanted, tell: Callable[[str], None] = lambda _: None) -> BenchReport:
    """Time models in onnxruntime, against the first of them.

    Args:
        paths: ONNX files; the same may stand there twice.
        wanted: How, and how long.
        tell: Called with what is being done.

    Raises:
        UsageError: A model is no ONNX file, or does not fit what was asked for.
        ModelError: A file is damaged.
        NotRunnable: onnxruntime cannot load or run a model.
    """
    start = time.perf_counter()
    if not 1 <= len(paths) <= len(LABELS):
        raise UsageError(f"{len(paths)} models were given; give one to {len(LABELS)}.")
    models = [_load(path) for path in paths]
    fed = bench_inputs(models, wanted.batch, wanted.size, wanted.images, wanted.seed)

    def opener(model: Model, given: Fed) -> Callable[[int], None]:
        return runner(open_model(model, wanted.serving), given.feeds, model.name)

    openers = [partial(opener, model, given) for model, given in zip(models, fed, strict=True)]
    timings = time_rounds(openers, wanted.budget, wanted.seed, tell=tell)
    latencies = tuple(
        _latency(label, path, given, runs, loading)
        for label, path, given, runs, loading in zip(LABELS, paths, fed, timings.runs, timings.loading, strict=False)
    )
    profiles: tuple[Profile, ...] = ()
    if wanted.profile:
        tell("profiling")
        profiles = _profiles(models, fed, wanted.serving, latencies)
    return BenchReport(
        runtime=f"onnxruntime {ort.__version__}",
        providers=wanted.serving.providers,
        threads=wanted.serving.threads,
        optimise=wanted.serving.optimise,
        spin=wanted.serving.spin,
        input=", ".join(path.name for path in wanted.images) or f"noise (seed {wanted.seed})",
        loads=len(timings.turns),
        rounds=timings.turns.shape[0] * timings.turns.shape[1],
        models=latencies,
        ratios=_ratios(latencies, timings, fed),
        profiles=profiles,
        notes=tuple(_notes(models, fed, wanted)),
        seconds=round(time.perf_counter() - start, 1),
    )


def _load(path: Path) -> Model:
    if path.suffix.lower() in (".pt", ".pth"):
        raise UsageError(f"{path} is PyTorch's; bench times ONNX files in onnxruntime: graphkit export {path} first.")
    if not path.exists():
        raise UsageError(f"{path} does not exist; name an .onnx file.")
    model = Model.load(path)
    model.proto()
    return model


def _latency(label: str, path: Path, given: Fed, runs: Sequence[float], loading: Sequence[float]) -> Latency:
    milliseconds = np.array(runs) * 1000
    return Latency(
        label=label,
        model=str(path),
        given=given.given,
        batch=given.batch,
        runs=len(runs),
        median=float(np.median(milliseconds)),
        p90=float(np.percentile(milliseconds, 90)) if len(runs) >= 10 else None,
        p99=float(np.percentile(milliseconds, 99)) if len(runs) >= 100 else None,
        images_per_second=given.batch * len(runs) / float(np.sum(runs)),
        loading=statistics.median(loading) * 1000,
    )


def _ratios(latencies: Sequence[Latency], timings: Timings, fed: Sequence[Fed]) -> tuple[Ratio, ...]:
    found = []
    for index, latency in enumerate(latencies[1:], 1):
        ratio, low, high = ratio_of(timings.turns, index, (fed[0].batch, fed[index].batch))
        found.append(Ratio(latency.label, latency.model, ratio, low, high, CONFIDENCE))
    return tuple(found)


def _profiles(
    models: Sequence[Model], fed: Sequence[Fed], serving: Serving, latencies: Sequence[Latency]
) -> tuple[Profile, ...]:
    round_seconds = sum(latency.median for latency in latencies) / 1000
    least, most = _PROFILE_RUNS
    runs = max(least, min(most, int(_PROFILE_SECONDS / round_seconds)))
    with tempfile.TemporaryDirectory() as folder:

        def opener(index: int) -> tuple[Callable[[int], None], Callable[[], str]]:
            session = open_model(models[index], serving, str(Path(folder) / f"model{index}"))
            return runner(session, fed[index].feeds, models[index].name), session.end_profiling

        return profile_models([partial(opener, index) for index in range(len(models))], runs)


def _notes(models: Sequence[Model], fed: Sequence[Fed], wanted: Wanted) -> list[str]:
    notes = []
    if len({given.size for given in fed}) > 1:
        sizes = ", ".join(f"{a} × {b}" for a, b in (given.size for given in fed if given.size is not None))
        notes.append(f"the models are not given the same work: they take pictures of {sizes} (height × width)")
    if len({given.batch for given in fed}) > 1:
        notes.append("batches differ; ratios are of the time an image")
    with_nms = [model.name for model in models if any(node.op_type in _NMS for node in model.proto().graph.node)]
    if with_nms and not wanted.images:
        notes.append(
            f"NMS in {', '.join(dict.fromkeys(with_nms))} has little to do on noise, which holds no objects; "
            "--images runs it on pictures"
        )
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if wanted.serving.threads > processors:
        notes.append(f"{wanted.serving.threads} threads were asked for and there are {processors} processors")
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        if load > max(processors, wanted.serving.threads) + 0.5:
            notes.append(
                f"other programs were at work too (load {load:.1f} on {processors} processors), so latencies are too "
                "high; the models took turns, so the ratio holds all the same"
            )
    return notes
