"""Where two models part: the first tensor that differs and goes on to an output, and what differs there.

What runs models is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.bisect.report import Bisection, Culprit, NodeShown

if TYPE_CHECKING:
    from graphkit.bisect.bisecting import Inputs, bisect
    from graphkit.bisect.running import in_pieces

_HOMES = {"Inputs": "bisecting", "bisect": "bisecting", "in_pieces": "running"}

__all__ = ["Bisection", "Culprit", "Inputs", "NodeShown", "bisect", "in_pieces"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.bisect' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.bisect.{_HOMES[name]}"), name)
