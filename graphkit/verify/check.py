"""Is the graph still a valid one? onnx.checker and strict shape inference, no worse than before."""

from __future__ import annotations

from dataclasses import dataclass

import onnx

from graphkit.model import Model

_SMALL = 1024
_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class CheckResult:
    """What the checks say about one model.

    Attributes:
        checker: What onnx.checker objects to, or None.
        inference: What strict shape inference objects to, a declared shape or type that contradicts the inferred one
            among it, or None.
        skipped: Why onnx.checker was not run, or None.
    """

    checker: str | None = None
    inference: str | None = None
    skipped: str | None = None

    def worse_than(self, before: CheckResult) -> str | None:
        """One sentence about what was valid before and is not now; None where nothing is.

        A model that was not valid before (half-precision exports are not topologically sorted) may stay so.
        """
        if self.checker is not None and before.checker is None:
            return f"onnx.checker accepted the model before and rejects it now: {self.checker}"
        if self.inference is not None and before.inference is None:
            return f"the shapes in the model held together before and do not now: {self.inference}"
        return None


def check_model(model: onnx.ModelProto | Model) -> CheckResult:
    """Run onnx.checker and strict shape inference with data propagation.

    Shape inference sees a copy without the weights: it reads their types and shapes and never their values, and 12 MB
    of them cost twenty times the inference. Models with external data or above 2 GiB are not given to onnx.checker,
    which would look for the files; what it says about nodes, strict inference finds too.

    Args:
        model: Not changed.
    """
    proto = model.proto() if isinstance(model, Model) else model
    checker, skipped = None, None
    external = any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in proto.graph.initializer)
    if external or sum(len(tensor.raw_data) for tensor in proto.graph.initializer) > _LIMIT:
        skipped = "its weights are external or larger than 2 GiB"
    else:
        try:
            onnx.checker.check_model(proto)
        except Exception as error:  # noqa: BLE001 - ValidationError, and ValueError from serialising
            checker = _sentence(error)
    try:
        onnx.shape_inference.infer_shapes(without_weights(proto), check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:  # noqa: BLE001 - InferenceError, and what protobuf raises
        return CheckResult(checker, _sentence(error), skipped)
    return CheckResult(checker, None, skipped)


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


def without_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose larger initializers have a type and a shape and no values. For shape inference only."""
    small = onnx.ModelProto(ir_version=proto.ir_version)
    small.opset_import.extend(proto.opset_import)
    small.functions.extend(proto.functions)
    graph = proto.graph
    small.graph.name = graph.name
    small.graph.node.extend(graph.node)
    small.graph.input.extend(graph.input)
    small.graph.output.extend(graph.output)
    small.graph.value_info.extend(graph.value_info)
    small.graph.sparse_initializer.extend(graph.sparse_initializer)
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.ByteSize() > _SMALL + len(tensor.name):
            small.graph.initializer.add(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        else:
            small.graph.initializer.append(tensor)
    return small


def _sentence(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:400] if lines else type(error).__name__
