"""YAML -> Pipeline -> RunReport.

The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.pipeline.files import find_pipeline, shipped_pipelines
    from graphkit.pipeline.parse import parse_pipeline
    from graphkit.pipeline.pipeline import Pipeline, Verify
    from graphkit.pipeline.report import PassRecord, RunReport, jsonable
    from graphkit.pipeline.run import Outcome, Settings, run_pipeline

_HOMES = {
    "Outcome": "run",
    "PassRecord": "report",
    "Pipeline": "pipeline",
    "RunReport": "report",
    "Settings": "run",
    "Verify": "pipeline",
    "find_pipeline": "files",
    "jsonable": "report",
    "parse_pipeline": "parse",
    "run_pipeline": "run",
    "shipped_pipelines": "files",
}

__all__ = [
    "Outcome",
    "PassRecord",
    "Pipeline",
    "RunReport",
    "Settings",
    "Verify",
    "find_pipeline",
    "jsonable",
    "parse_pipeline",
    "run_pipeline",
    "shipped_pipelines",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.pipeline' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.pipeline.{_HOMES[name]}"), name)
