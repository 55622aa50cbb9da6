"""Is the graph still a valid one? onnx.checker and strict shape inference, no worse than before."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from graphkit.model import Model, without_weights


@dataclass(frozen=True)
class CheckResult:
    """What the checks say about one model.

    Attributes:
        checker: What onnx.checker objects to, or None.
        inference: What strict shape inference objects to, a declared shape or type that contradicts the inferred one
            among it, or None.
        declared: What cannot be of what is declared of an input or an output, and onnx.checker lets pass; or None.
    """

    checker: str | None = None
    inference: str | None = None
    declared: str | None = None

    @property
    def fault(self) -> str:
        """What is wrong; "" where nothing is."""
        return self.checker or self.inference or self.declared or ""

    def worse_than(self, before: CheckResult) -> str | None:
        """One sentence about what was valid before and is not now; None where nothing is.

        A model that was not valid before (half-precision exports are not topologically sorted) may stay so.
        """
        if self.checker is not None and before.checker is None:
            return f"onnx.checker accepted the model before and rejects it now: {self.checker}"
        if self.inference is not None and before.inference is None:
            return f"the shapes in the model held together before and do not now: {self.inference}"
        if self.declared is not None and before.declared is None:
            return f"what the model declares could be before and cannot now: {self.declared}"
        return None


def check_model(model: onnx.ModelProto | Model) -> CheckResult:
    """Run onnx.checker and strict shape inference with data propagation.

    Both see a copy without the weights: they read their types and shapes and hardly ever their values, and 12 MB of
    them cost twenty times the checks. So external data and models above 2 GiB are checked like any other. What is in
    a weight is checked when the model is loaded, and again by onnxruntime in the proof.

    Args:
        model: Not changed.
    """
    small = without_weights(model.proto() if isinstance(model, Model) else model)
    checker = inference = None
    try:
        onnx.checker.check_model(small)
    except Exception as error:  # noqa: BLE001 - ValidationError, and ValueError from serialising
        checker = _sentence(error)
    try:
        onnx.shape_inference.infer_shapes(small, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:  # noqa: BLE001 - InferenceError, and what protobuf raises
        inference = _sentence(error)
    return CheckResult(checker, inference, _misdeclared(small.graph))


def check(before: onnx.ModelProto | Model | CheckResult, after: Model) -> str | None:
    """Whether a rewrite left the graph as valid as it was.

    Args:
        before: The model before, or what `check_model` said about it (saves checking it again).
        after: The model now.

    Returns:
        None when it is fine, else one sentence.
    """
    known = before if isinstance(before, CheckResult) else check_model(before)
    return check_model(after).worse_than(known)


def _misdeclared(graph: onnx.GraphProto) -> str | None:
    """The first declaration of an input or an output that cannot be; None where all can."""
    inputs = {info.name: info.type for info in graph.input}
    for info in (*graph.input, *graph.output):
        if info.type.HasField("tensor_type") and not info.type.tensor_type.elem_type:
            return f'"{info.name}" is declared without an element type.'
    for info in graph.output:
        ends = [_sizes(kind) for kind in (inputs.get(info.name, info.type), info.type)]
        if ends[0] != ends[1]:
            return f'"{info.name}" is declared as an input and as an output, {ends[0]} and {ends[1]}.'
    return None


def _sizes(kind: onnx.TypeProto) -> list[int | str]:
    return [dim.dim_param or dim.dim_value for dim in kind.tensor_type.shape.dim]


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:400] if lines else type(error).__name__
