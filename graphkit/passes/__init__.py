"""The passes: the contract, the registry, and one file a pass."""

from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult
from graphkit.passes.registry import Registry, registry

__all__ = ["Declined", "Numerics", "Pass", "PassResult", "Registry", "registry"]
