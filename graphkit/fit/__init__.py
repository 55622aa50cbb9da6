"""What to do about the gaps of a runtime: rewrites found by trying them and asking its support table.

The doors: `suggest` for single steps, `fit` for the least that makes a model run whole.
"""

from graphkit.fit.report import FitReport, Plan
from graphkit.fit.search import Bounds, fit
from graphkit.fit.suggest import suggest

__all__ = ["Bounds", "FitReport", "Plan", "fit", "suggest"]
