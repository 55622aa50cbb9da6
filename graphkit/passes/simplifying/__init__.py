"""onnxsim in a process of its own. The door: `settle_defaults`, then `run_onnxsim`, and `start_ahead` to save time."""

from graphkit.passes.simplifying.defaults import settle_defaults
from graphkit.passes.simplifying.process import OnnxsimFailed, UnknownOptimizer, run_onnxsim, start_ahead

__all__ = ["OnnxsimFailed", "UnknownOptimizer", "run_onnxsim", "settle_defaults", "start_ahead"]
