"""Folding constants. The door: `fold` rewrites a graph, `Outcome` says what happened."""

from graphkit.passes.folding.fold import Outcome, fold

__all__ = ["Outcome", "fold"]
