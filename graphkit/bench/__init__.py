"""Bench: how long models take in onnxruntime, against each other, and where the time goes.

The names below are imported when they are first used: reading options needs neither NumPy nor onnxruntime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.bench.measuring import Wanted, bench
    from graphkit.bench.nodes import time_nodes
    from graphkit.bench.report import (
        BenchReport,
        Latency,
        NodeTime,
        NodeTimes,
        OperatorChange,
        OperatorTime,
        Profile,
        Ratio,
    )
    from graphkit.bench.rounds import Budget
    from graphkit.bench.sessions import Level, Serving

_HOMES = {
    "BenchReport": "report",
    "Budget": "rounds",
    "Latency": "report",
    "Level": "sessions",
    "NodeTime": "report",
    "NodeTimes": "report",
    "OperatorChange": "report",
    "OperatorTime": "report",
    "Profile": "report",
    "Ratio": "report",
    "Serving": "sessions",
    "Wanted": "measuring",
    "bench": "measuring",
    "time_nodes": "nodes",
}

__all__ = [
    "BenchReport",
    "Budget",
    "Latency",
    "Level",
    "NodeTime",
    "NodeTimes",
    "OperatorChange",
    "OperatorTime",
    "Profile",
    "Ratio",
    "Serving",
    "Wanted",
    "bench",
    "time_nodes",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.bench' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.bench.{_HOMES[name]}"), name)
