"""Runtimes that models can really be run in, each in a process of its own. The doors: `find` and `runners`."""

from graphkit.runtimes.runners.contract import (
    Crashed,
    NotInstalled,
    NotLoaded,
    NotMeasurable,
    NotRun,
    RunnerError,
    TimedOut,
)
from graphkit.runtimes.runners.process import MEMORY, TIMEOUT, Process
from graphkit.runtimes.runners.registry import Runner, find, runners

__all__ = [
    "MEMORY",
    "TIMEOUT",
    "Crashed",
    "NotInstalled",
    "NotLoaded",
    "NotMeasurable",
    "NotRun",
    "Process",
    "Runner",
    "RunnerError",
    "TimedOut",
    "find",
    "runners",
]
