"""Applying a pass to a proto as the pipeline does, and running models with ONNX Runtime's optimisation off."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import helper

from graphkit.model import Model
from graphkit.passes import Pass, PassResult

Arrays = dict[str, NDArray[Any]]


def apply(model: onnx.ModelProto, rewrite: Pass) -> tuple[onnx.ModelProto, PassResult]:
    """The rewritten proto, with the metadata the pass asks for, and what it reported. `model` is not changed."""
    mine = Model(onnx.ModelProto.FromString(model.SerializeToString()))
    result = rewrite.run(mine)
    proto = onnx.ModelProto.FromString(mine.proto().SerializeToString())
    kept = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(proto, kept | result.metadata)
    return proto, result


def run(model: onnx.ModelProto, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
    """Outputs by name, in the graph's order."""
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def images(batch: int = 1, size: int = 64, seed: int = 0) -> Arrays:
    """Seeded noise under the name `images`."""
    return {"images": np.random.default_rng(seed).random((batch, 3, size, size), dtype=np.float32)}


def shapes(model: onnx.ModelProto) -> dict[str, list[int | str]]:
    """The declared outputs."""
    return {o.name: [d.dim_value or d.dim_param for d in o.type.tensor_type.shape.dim] for o in model.graph.output}


def between(model: onnx.ModelProto, inputs: Mapping[str, tuple[Any, list[Any]]], outputs: list[str]) -> onnx.ModelProto:
    """The part of a model between two sets of tensors; inputs are name -> (dtype, shape)."""
    graph = gs.import_onnx(model)
    tensors = graph.tensors()
    fed = []
    for name, (dtype, shape) in inputs.items():
        tensor = tensors[name]
        tensor.inputs.clear()
        tensor.dtype, tensor.shape = dtype, shape
        fed.append(tensor)
    graph.inputs = fed
    graph.outputs = [tensors[name] for name in outputs]
    proto: onnx.ModelProto = gs.export_onnx(graph.cleanup().toposort())
    proto.ir_version = min(proto.ir_version, 10)
    return proto
