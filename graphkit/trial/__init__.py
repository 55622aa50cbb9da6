"""A model really run in a runtime, beside what was predicted. The door: `try_model`."""

from graphkit.trial.report import OutputTrial, Trial
from graphkit.trial.trying import try_model

__all__ = ["OutputTrial", "Trial", "try_model"]
