"""A model loaded and run in a runtime, and compared with onnxruntime on the CPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphkit.analysis.coverage import cover
from graphkit.errors import ModelError, UsageError
from graphkit.model import Model
from graphkit.runtimes import find_table
from graphkit.runtimes.runners import (
    Crashed,
    NotLoaded,
    NotMeasurable,
    NotRun,
    Runner,
    RunnerError,
    TimedOut,
)
from graphkit.trial.comparing import compare_outputs
from graphkit.trial.report import Ending, OutputTrial, Trial
from graphkit.verify import Feed, NotRunnable, make_feeds, run_model

_ENDINGS: dict[type[RunnerError], Ending] = {
    NotLoaded: "not loaded",
    NotRun: "not run",
    Crashed: "crashed",
    TimedOut: "timeout",
    NotMeasurable: "not comparable",
}


def try_model(model: Model, path: Path, runner: Runner, images: Sequence[Path], timeout: float) -> Trial:
    """Try a model.

    Args:
        model: The model, as it is read from `path`.
        path: Its file, which the runtime reads.
        runner: The runtime.
        images: Pictures to run it on; the built-in one where there are none.
        timeout: Seconds for loading and one run.

    Raises:
        ModelError: No inputs can be made for it.
        NotInstalled: The runtime is not there.
    """
    feeds = _feeds(model, images)
    started = time.perf_counter()
    ending, reason, results = _run(path, feeds, runner, timeout)
    seconds = time.perf_counter() - started
    compared: list[OutputTrial] = []
    if results:
        try:
            right = run_model(model, feeds[: len(results)])
        except NotRunnable as error:
            if ending == "right":
                ending, reason = "not comparable", str(error)
        else:
            for feed, expected, got in zip(feeds, right, results, strict=False):
                options = {"ones": runner.folds_ones, "types": not runner.native_types}
                compared += compare_outputs(expected, _flat(got), feed.name, **options)
            if ending == "right" and not all(item.same for item in compared):
                ending, reason = "wrong", "it computes something else"
    table, predicted, gaps = _predicted(model, runner)
    return Trial(
        model=str(path),
        runtime=runner.name,
        version=runner.required(),
        ending=ending,
        reason=reason,
        outputs=tuple(compared),
        seconds=seconds,
        table=table,
        predicted=predicted,
        gaps=gaps,
    )


def _feeds(model: Model, images: Sequence[Path]) -> list[Feed]:
    """The pictures; random values where the model has no input for pictures."""
    feeds = make_feeds(model, images or None)
    pictures = [feed for feed in feeds if not feed.name.startswith("random")]
    return pictures or feeds[:1]


def _run(path: Path, feeds: Sequence[Feed], runner: Runner, timeout: float) -> tuple[Ending, str, list[dict[str, Any]]]:
    results: list[dict[str, Any]] = []
    with runner.process(timeout, memory=_MEMORY) as process:
        for feed in feeds:
            try:
                results.append(process.run(path, feed.inputs))
            except RunnerError as error:
                return _ENDINGS[type(error)], error.reason, results
    return "right", "", results


_MEMORY = 16 << 30
"""A model that was asked for may take more than a probe of one node."""


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Sequences as one value an element, absent ones left out: as `run_model` returns them."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            flat |= {f"{name}[{index}]": item for index, item in enumerate(value)}
        elif value is not None:
            flat[name] = value
    return flat


def _predicted(model: Model, runner: Runner) -> tuple[str, str, tuple[tuple[str, str, str], ...]]:
    """What the support table of the installed version says, else that of the newest."""
    table = None
    for name in (f"{runner.name}@{runner.required()}", runner.name):
        try:
            table = find_table(name)
            break
        except UsageError:
            continue
    if table is None:
        return "", "", ()
    try:
        column = cover(model, [table]).runtimes[0]
    except ModelError:
        return table.name, "unknown", ()
    found = dict.fromkeys((gap.op, gap.status, gap.reason) for gap in column.gaps)
    return table.name, column.verdict, tuple(found)
