"""Probing a runtime from beginning to end: cases, journal, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphkit.runtimes.probing.corpus import Case
from graphkit.runtimes.probing.journal import Journal
from graphkit.runtimes.probing.outcome import Outcome
from graphkit.runtimes.probing.schedule import run_cases
from graphkit.runtimes.runners import TIMEOUT, Runner

Watch = Callable[[int, int, Outcome], None]
"""Called with how many cases are done, of how many, and the last one's outcome."""


@dataclass(frozen=True)
class Settings:
    """How to probe.

    Attributes:
        jobs: How many processes work at a time.
        timeout: Seconds for one case.
        budget: Seconds for all; None for as long as it takes.
        resume: Whether to go on where a journal ends.
    """

    jobs: int = 1
    timeout: float = TIMEOUT
    budget: float | None = None
    resume: bool = False


@dataclass(frozen=True)
class Measurement:
    """What became of the cases.

    Attributes:
        outcomes: By the case's key; of those that were probed.
        complete: Whether all were.
    """

    outcomes: dict[str, Outcome]
    complete: bool


def measure(runner: Runner, cases: Sequence[Case], journal: Path, settings: Settings, watch: Watch) -> Measurement:
    """Probe an installed runtime.

    Args:
        runner: The runtime.
        cases: What to probe.
        journal: Where finished cases are noted.
        settings: How.
        watch: Follows the progress.

    Raises:
        NotInstalled: The runtime is not there.
        UsageError: The journal is about something else.
    """
    import onnx

    about = {"runtime": runner.name, "version": runner.required(), "onnx": str(onnx.__version__)}
    keys = {case.key for case in cases}
    with Journal(journal, about, resume=settings.resume) as noted:
        left = [case for case in cases if case.key not in noted.outcomes]
        finished = len(cases) - len(left)

        def done(case: Case, outcome: Outcome) -> None:
            nonlocal finished
            noted.note(case.key, outcome)
            finished += 1
            watch(finished, len(cases), outcome)

        complete = run_cases(runner, left, done, jobs=settings.jobs, timeout=settings.timeout, budget=settings.budget)
        return Measurement({key: value for key, value in noted.outcomes.items() if key in keys}, complete)
