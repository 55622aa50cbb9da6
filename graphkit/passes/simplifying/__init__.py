"""onnxsim in a process of its own. The door: `run_onnxsim`."""

from graphkit.passes.simplifying.process import OnnxsimFailed, UnknownOptimizer, run_onnxsim

__all__ = ["OnnxsimFailed", "UnknownOptimizer", "run_onnxsim"]
