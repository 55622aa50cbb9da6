"""Removing Transposes. The door: `sweep` rewrites a graph, `Outcome` says what happened."""

from graphkit.passes.transposes.sweep import Outcome, sweep

__all__ = ["Outcome", "sweep"]
