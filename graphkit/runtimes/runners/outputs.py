"""What a model returns, by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
