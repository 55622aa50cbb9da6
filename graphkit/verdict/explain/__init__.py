"""What is wrong, read off the numbers: every statement here was tried on them and left next to nothing over."""

from graphkit.verdict.explain.candidates import explain_candidates
from graphkit.verdict.explain.final import explain_final
from graphkit.verdict.explain.inputs import explain_inputs
from graphkit.verdict.explain.table import Table

__all__ = ["Table", "explain_candidates", "explain_final", "explain_inputs"]
