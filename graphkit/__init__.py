"""graphkit makes an exported detector deployable, and proves that it still computes the same.

The names below are imported when they are first used, so that `import graphkit` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.version import __version__

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.notebook import show
    from graphkit.passes import Declined, Numerics, Pass, PassResult
    from graphkit.pipeline import Pipeline, RunReport

_HOMES = {
    "Declined": "graphkit.passes",
    "Model": "graphkit.model",
    "Numerics": "graphkit.passes",
    "Pass": "graphkit.passes",
    "PassResult": "graphkit.passes",
    "Pipeline": "graphkit.pipeline",
    "RunReport": "graphkit.pipeline",
    "show": "graphkit.notebook",
}

__all__ = ["Declined", "Model", "Numerics", "Pass", "PassResult", "Pipeline", "RunReport", "__version__", "show"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
