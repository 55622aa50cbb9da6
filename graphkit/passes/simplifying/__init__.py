"""onnxsim in a process of its own. The door: `run_onnxsim`, and `start_ahead` to save time."""

from graphkit.passes.simplifying.process import OnnxsimFailed, UnknownOptimizer, run_onnxsim, start_ahead

__all__ = ["OnnxsimFailed", "UnknownOptimizer", "run_onnxsim", "start_ahead"]
