"""Fixing shapes and folding what depended on them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx import ModelProto

from graphkit import edit
from graphkit.errors import PassRefused
from graphkit.heads import Arrays, MappedInputs
from graphkit.model import Model, without_weights
from graphkit.passes.contract import PassResult
from graphkit.passes.exported import with_sizes
from graphkit.passes.folding import fold
from graphkit.passes.set_input_shape.asked import RECORD, Asked, fixed_before

_MOST_BYTES = 1 << 26
_MOST_ROUNDS = 32


def freeze(model: Model, asked: Asked) -> PassResult:
    """Give a model's inputs their shapes and fold, in place, until nothing more follows.

    Raises:
        PassRefused: The nodes do not fit together at that shape.
    """
    before = model.proto()
    model.replace(_declared(before, asked))
    fixed, folded = edit.overridable(before), 0
    for _ in range(_MOST_ROUNDS):
        _spread(model.graph, _inferred(model.proto(), before, asked))
        made = fold(model.graph, model.opset, fixed, _MOST_BYTES).folded if model.graph.nodes else 0
        folded += made
        if not made:
            break
    for output in model.graph.outputs:
        if output.shape is not None:
            output.shape = [asked.symbols.get(dim, dim) if isinstance(dim, str) else dim for dim in output.shape]
    record = {RECORD: json.dumps({**fixed_before(model.metadata), **asked.symbols})} if asked.symbols else {}
    nodes = f"{folded} node{'s' * (folded != 1)} folded" if folded else "nothing to fold"
    return PassResult(
        rewrites=asked.changes + folded,
        summary=f"{asked.told}; {nodes}",
        metadata=with_sizes(model.metadata, asked.shapes) | record,
        inputs=MappedInputs(_same),
    )


def _same(inputs: Arrays) -> list[Mapping[str, NDArray[np.generic]]]:
    """The model before takes what the rewritten one takes."""
    return [inputs]


def _declared(before: ModelProto, asked: Asked) -> ModelProto:
    """The model with its new inputs, and without what it said of shapes inside."""
    proto = ModelProto()
    proto.CopyFrom(before)
    for info in proto.graph.input:
        if info.name in asked.shapes:
            dims = info.type.tensor_type.shape.dim
            while len(dims) < len(asked.shapes[info.name]):
                dims.add()
            for dim, size in zip(dims, asked.shapes[info.name], strict=True):
                if isinstance(size, int):
                    dim.dim_value = size
    for info in proto.graph.value_info:
        info.type.tensor_type.ClearField("shape")
    return proto


def _inferred(proto: ModelProto, before: ModelProto, asked: Asked) -> ModelProto:
    small = without_weights(proto)
    for info in small.graph.output:
        info.type.tensor_type.ClearField("shape")
    try:
        return onnx.shape_inference.infer_shapes(small, strict_mode=True, data_prop=True)
    except Exception as error:
        try:
            onnx.shape_inference.infer_shapes(without_weights(before), strict_mode=True, data_prop=True)
        except Exception:  # noqa: BLE001 - the model had its faults before: what can be inferred is
            return _leniently(small)
        raise PassRefused(
            f"cannot give the inputs the shape {asked.told}: {_first(error)}. Choose another one; a detector's sides "
            "are multiples of its largest stride"
        ) from error


def _leniently(small: ModelProto) -> ModelProto:
    try:
        return onnx.shape_inference.infer_shapes(small, data_prop=True)
    except Exception as error:
        raise PassRefused(
            f"cannot tell which shapes follow: {_first(error)}. Shape inference of onnx failed on the model as it was, "
            "too; export it again"
        ) from error


def _first(error: Exception) -> str:
    """The first node that shape inference fails at, of those that follow from it, and why."""
    text = next((line for line in str(error).splitlines() if "Error]" in line), type(error).__name__)
    node = re.search(r"op_type:(\w+)(?:, node name: ([^)]*))?\)", text)
    reason = text.rpartition("Error] ")[2].strip().rstrip(".")[:200]
    return f"{node[2] or node[1]} does not fit there: {reason}" if node else reason


def _spread(graph: gs.Graph, inferred: ModelProto) -> None:
    """Give the graph's tensors the shapes that were inferred."""
    known: dict[str, Any] = {}
    for info in (*inferred.graph.value_info, *inferred.graph.output):
        if info.type.HasField("tensor_type") and info.type.tensor_type.HasField("shape"):
            known[info.name] = [
                int(dim.dim_value) if dim.HasField("dim_value") else (dim.dim_param or None)
                for dim in info.type.tensor_type.shape.dim
            ]
    for tensor in (tensor for node in graph.nodes for tensor in node.outputs):
        shape = known.get(tensor.name)
        if shape is None or not isinstance(tensor, gs.Variable):
            continue
        old = tensor.shape if tensor.shape is not None and len(tensor.shape) == len(shape) else [None] * len(shape)
        tensor.shape = [new if isinstance(new, int) else (have or new) for new, have in zip(shape, old, strict=True)]
