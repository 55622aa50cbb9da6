"""How good a detector is: mean average precision on annotated pictures."""

from graphkit.metrics.dataset import Dataset, Sample, read_dataset
from graphkit.metrics.evaluating import VALIDATION, evaluate
from graphkit.metrics.precision import ClassScores, Scores

__all__ = ["VALIDATION", "ClassScores", "Dataset", "Sample", "Scores", "evaluate", "read_dataset"]
