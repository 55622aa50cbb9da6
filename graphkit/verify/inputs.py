"""What a model asks for: the names, types and shapes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from graphkit.errors import ModelError

FLOATS: dict[int, np.dtype[Any]] = {
    onnx.TensorProto.FLOAT: np.dtype(np.float32),
    onnx.TensorProto.FLOAT16: np.dtype(np.float16),
    onnx.TensorProto.DOUBLE: np.dtype(np.float64),
}
INTEGERS: dict[int, np.dtype[Any]] = {
    onnx.TensorProto.INT8: np.dtype(np.int8),
    onnx.TensorProto.INT16: np.dtype(np.int16),
    onnx.TensorProto.INT32: np.dtype(np.int32),
    onnx.TensorProto.INT64: np.dtype(np.int64),
    onnx.TensorProto.UINT8: np.dtype(np.uint8),
    onnx.TensorProto.UINT16: np.dtype(np.uint16),
    onnx.TensorProto.UINT32: np.dtype(np.uint32),
    onnx.TensorProto.UINT64: np.dtype(np.uint64),
}


@dataclass(frozen=True)
class Input:
    """One input of a model.

    Attributes:
        name: As the graph has it.
        elem_type: ONNX element type.
        dims: Sizes, names of those that are known at run time only, or None where they have no name.
    """

    name: str
    elem_type: int
    dims: tuple[int | str | None, ...]

    @property
    def image_axes(self) -> tuple[int, int, int] | None:
        """Axes of channels, height and width where this looks like a picture, else None."""
        if len(self.dims) != 4 or self.elem_type not in (*FLOATS, onnx.TensorProto.UINT8):
            return None
        if self.dims[1] == 3:
            return (1, 2, 3)
        if self.dims[3] == 3:
            return (3, 1, 2)
        # Exports with every dimension dynamic do not say how many channels there are; channels first is the rule.
        return (1, 2, 3) if not isinstance(self.dims[1], int) else None


def model_inputs(graph: onnx.GraphProto) -> list[Input]:
    """The inputs that have to be given; those with an initializer have a value already.

    Raises:
        ModelError: An input is no tensor, or has no shape, no elements, or a type that no values can be made for.
    """
    known = {tensor.name for tensor in graph.initializer} | {item.values.name for item in graph.sparse_initializer}
    return [_input(info) for info in graph.input if info.name not in known]


def _input(info: onnx.ValueInfoProto) -> Input:
    kind = info.type.WhichOneof("value")
    if kind != "tensor_type":
        what = kind.removesuffix("_type").replace("_", " ") if kind else "value of unknown type"
        raise ModelError(f'input "{info.name}" is a {what}; values can only be made up for tensors')
    tensor = info.type.tensor_type
    if tensor.elem_type not in (*FLOATS, *INTEGERS, onnx.TensorProto.BOOL):
        known = tensor.elem_type in onnx.TensorProto.DataType.values()
        name = onnx.TensorProto.DataType.Name(tensor.elem_type) if known else f"number {tensor.elem_type}"
        raise ModelError(
            f'input "{info.name}" is of type {name}, for which no values can be made up; '
            "put a Cast in front of it that reads float or an integer type"
        )
    if not tensor.HasField("shape"):
        raise ModelError(
            f'input "{info.name}" has no shape, not even a rank, so there is nothing to run it on; export the model '
            "with the shape of its inputs"
        )
    return Input(info.name, tensor.elem_type, tuple(_dim(info.name, dim) for dim in tensor.shape.dim))


def _dim(name: str, dim: onnx.TensorShapeProto.Dimension) -> int | str | None:
    if dim.HasField("dim_value"):
        if dim.dim_value == 0:
            raise ModelError(
                f'input "{name}" has a dimension of size 0: there is nothing to compute and nothing to prove'
            )
        # Some exporters write -1 for "unknown".
        return dim.dim_value if dim.dim_value > 0 else None
    return dim.dim_param or None
