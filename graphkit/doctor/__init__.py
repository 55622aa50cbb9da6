"""Doctor: whether what is installed fits together, and whether a picture is given to a model as it wants it.

The names below are imported when they are first used: an installation in which onnx cannot be imported is examined too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.doctor.collecting import collect
    from graphkit.doctor.environment import Environment
    from graphkit.doctor.examining import Checkup, examine
    from graphkit.doctor.finding import Finding
    from graphkit.doctor.preprocessing import Outcome, Preprocessing, try_preprocessing

_HOMES = {
    "Checkup": "examining",
    "Environment": "environment",
    "Finding": "finding",
    "Outcome": "preprocessing",
    "Preprocessing": "preprocessing",
    "collect": "collecting",
    "examine": "examining",
    "try_preprocessing": "preprocessing",
}

__all__ = [
    "Checkup",
    "Environment",
    "Finding",
    "Outcome",
    "Preprocessing",
    "collect",
    "examine",
    "try_preprocessing",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.doctor' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.doctor.{_HOMES[name]}"), name)
