"""Read-only questions about a model."""

from graphkit.analysis.statistics import ModelSummary, TensorSummary, summarise

__all__ = ["ModelSummary", "TensorSummary", "summarise"]
