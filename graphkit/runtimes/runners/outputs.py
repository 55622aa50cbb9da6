"""What a model takes and returns, by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.runtimes.runners.contract import Value

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto


def output_names(model: ModelProto | None, path: Path) -> list[str]:
    """Names of the graph's outputs, in order."""
    return [info.name for info in _read(model, path).graph.output]


def output_types(model: ModelProto | None, path: Path) -> dict[str, int]:
    """Element type of each of the graph's outputs, in order; 0 where the model does not say."""
    return {info.name: int(info.type.tensor_type.elem_type) for info in _read(model, path).graph.output}


def input_shapes(model: ModelProto | None, path: Path) -> dict[str, tuple[tuple[int, ...] | None, int]]:
    """Shape and element type of each input that is no initializer; None for a shape that is not fixed."""
    graph = _read(model, path).graph
    known = {item.name for item in graph.initializer}
    infos = [info for info in graph.input if info.name not in known]
    return {info.name: (_fixed(info), int(info.type.tensor_type.elem_type)) for info in infos}


def output_shapes(model: ModelProto | None, path: Path) -> dict[str, tuple[int, ...] | None]:
    """Shape of each of the graph's outputs, in order; None for one that is not fixed."""
    return {info.name: _fixed(info) for info in _read(model, path).graph.output}


def output_ranks(model: ModelProto | None, path: Path) -> dict[str, int | None]:
    """How many dimensions each of the graph's outputs has, in order; None where the model does not say."""
    kinds = {info.name: info.type.tensor_type for info in _read(model, path).graph.output}
    return {name: len(kind.shape.dim) if kind.HasField("shape") else None for name, kind in kinds.items()}


def open_inputs(model: ModelProto) -> list[str]:
    """Inputs without a shape, or with a size that no tensor has: some old exporters write -1 for a dynamic one."""
    kinds = {info.name: info.type.tensor_type for info in model.graph.input if info.type.HasField("tensor_type")}
    return [
        name
        for name, kind in kinds.items()
        if not kind.HasField("shape") or any(dim.HasField("dim_value") and dim.dim_value < 0 for dim in kind.shape.dim)
    ]


def without_last_ones(values: Value, rank: int | None) -> Value:
    """Values without the dimensions of size 1 that stand behind those that the model says."""
    extra = () if rank is None else values.shape[rank:]
    return values.reshape(values.shape[:rank]) if extra and set(extra) == {1} else values


def operators(model: ModelProto | None, path: Path) -> frozenset[str]:
    """The operators of the graph."""
    return frozenset(node.op_type for node in _read(model, path).graph.node)


def has_external_data(model: ModelProto | None, path: Path) -> bool:
    """Whether weights lie in files of their own."""
    return any(item.data_location == item.EXTERNAL for item in _read(model, path).graph.initializer)


def _fixed(info: ValueInfoProto) -> tuple[int, ...] | None:
    kind = info.type.tensor_type
    sizes = tuple(dim.dim_value for dim in kind.shape.dim if dim.HasField("dim_value"))
    return sizes if kind.HasField("shape") and len(sizes) == len(kind.shape.dim) else None


def _read(model: ModelProto | None, path: Path) -> ModelProto:
    from graphkit.model import Model

    return model if model is not None else Model.load(path).proto()
