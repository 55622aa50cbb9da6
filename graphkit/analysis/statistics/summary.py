"""What a model is made of: the numbers before and after a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from graphkit.model import Model


@dataclass(frozen=True)
class TensorSummary:
    """One input or output of a graph.

    Attributes:
        name: As the graph says.
        dtype: The ONNX element type in lower case ("float", "int64"), or "sequence", "optional", "map", "unknown".
        shape: Sizes, symbolic names, "?" for an unnamed dimension; None where the rank is unknown.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None

    def __str__(self) -> str:
        return self.name + (" [" + ",".join(map(str, self.shape)) + "]" if self.shape is not None else " [?]")


@dataclass(frozen=True)
class ModelSummary:
    """A model in numbers.

    Attributes:
        nodes: Nodes of the graph and of every subgraph in it; function bodies are not counted.
        operators: Operator -> count, most frequent first; operators of other domains as "domain::operator".
        parameters: Elements of all initializers, dense and sparse.
        bytes: Size of the model with its external data.
        opset: Version of the default operator set.
        ir_version: Version of the file format.
        inputs: Inputs that have no initializer.
        outputs: Outputs, in order.
        producer: Name and version of the tool that wrote the model, or "".
    """

    nodes: int
    operators: dict[str, int]
    parameters: int
    bytes: int
    opset: int
    ir_version: int
    inputs: tuple[TensorSummary, ...]
    outputs: tuple[TensorSummary, ...]
    producer: str


def summarise(model: Model) -> ModelSummary:
    """Count what `model` is made of, in one walk, without reading weights."""
    proto = model.proto()
    operators: Counter[str] = Counter()
    parameters = 0
    for graph in _graphs(proto.graph):
        for node in graph.node:
            operators[f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type] += 1
        parameters += sum(math.prod(tensor.dims) for tensor in graph.initializer)
        parameters += sum(math.prod(tensor.values.dims) for tensor in graph.sparse_initializer)
    initializers = {tensor.name for tensor in proto.graph.initializer}
    return ModelSummary(
        nodes=operators.total(),
        operators=dict(operators.most_common()),
        parameters=parameters,
        bytes=model.size_bytes,
        opset=model.opset,
        ir_version=proto.ir_version,
        inputs=tuple(_tensor(value) for value in proto.graph.input if value.name not in initializers),
        outputs=tuple(_tensor(value) for value in proto.graph.output),
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
    )


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    pending = [graph]
    while pending:
        current = pending.pop()
        yield current
        for node in current.node:
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    pending.append(attribute.g)
                pending.extend(attribute.graphs)


def _tensor(value: onnx.ValueInfoProto) -> TensorSummary:
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        return TensorSummary(value.name, (kind or "unknown").removesuffix("_type"), None)
    tensor = value.type.tensor_type
    types = onnx.TensorProto.DataType
    known = tensor.elem_type in types.values() and tensor.elem_type != onnx.TensorProto.UNDEFINED
    dtype = types.Name(tensor.elem_type).lower() if known else "unknown"
    if not tensor.HasField("shape"):
        return TensorSummary(value.name, dtype, None)
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else (dim.dim_param or "?") for dim in tensor.shape.dim)
    return TensorSummary(value.name, dtype, shape)
