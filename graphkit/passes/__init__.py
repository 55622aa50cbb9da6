"""The passes: the contract, the registry, and one file a pass.

The names below are imported when they are first used: the command line starts onnxsim before it reads a pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphkit.numerics import Numerics
    from graphkit.passes.contract import Declined, Pass, PassResult
    from graphkit.passes.registered import Registry, registry

_HOMES = {
    "Declined": "graphkit.passes.contract",
    "Numerics": "graphkit.numerics",
    "Pass": "graphkit.passes.contract",
    "PassResult": "graphkit.passes.contract",
    "Registry": "graphkit.passes.registered",
    "registry": "graphkit.passes.registered",
}

__all__ = ["Declined", "Numerics", "Pass", "PassResult", "Registry", "registry"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.passes' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
