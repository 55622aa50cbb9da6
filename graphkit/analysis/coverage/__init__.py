"""Operator coverage: what each runtime would do with a model. The doors: `cover` and what it returns."""

from graphkit.analysis.coverage.covering import cover
from graphkit.analysis.coverage.judging import judge
from graphkit.analysis.coverage.report import CoverageReport, Fix, Gap, GapGroup, OperatorCount, RuntimeCoverage
from graphkit.analysis.coverage.verdict import Verdict

__all__ = [
    "CoverageReport",
    "Fix",
    "Gap",
    "GapGroup",
    "OperatorCount",
    "RuntimeCoverage",
    "Verdict",
    "cover",
    "judge",
]
