"""Removing Transposes. The door: `optimise` finds a model that moves less, `Outcome` says what happened."""

from graphkit.passes.transposes.optimise import Outcome, optimise

__all__ = ["Outcome", "optimise"]
