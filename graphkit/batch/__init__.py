"""One pipeline over many models: which ones, in processes of their own, and what is done already.

The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.batch.crew import Event
    from graphkit.batch.planning import STATE_NAME, Job, plan
    from graphkit.batch.report import BatchReport, Failure, ModelResult
    from graphkit.batch.run import run_batch
    from graphkit.batch.work import Work

_HOMES = {
    "STATE_NAME": "planning",
    "BatchReport": "report",
    "Event": "crew",
    "Failure": "report",
    "Job": "planning",
    "ModelResult": "report",
    "Work": "work",
    "plan": "planning",
    "run_batch": "run",
}

__all__ = [
    "STATE_NAME",
    "BatchReport",
    "Event",
    "Failure",
    "Job",
    "ModelResult",
    "Work",
    "plan",
    "run_batch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.batch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.batch.{_HOMES[name]}"), name)
