"""A graph seen at several sizes at once: what every tensor's shape, and every small integer, is at each of them.

The first size is the one that the model was exported at. Sizes are numbers, not formulas: two dimensions are taken for
the same where they are equal at every size that is looked at, and a dimension that is the same at all of them is fixed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto

from graphkit.facts import schemas
from graphkit.facts.kinds import tensor_type
from graphkit.facts.scope import Scope
from graphkit.model import standard_domain

Vector = tuple[int, ...]
"""One dimension, at each of the sizes."""

Dims = tuple[Vector | None, ...]
"""The dimensions of a tensor; None for one that only the values tell."""

Reader = Callable[[TensorProto], NDArray[Any]]

_MOST_INTEGERS = 4096
_MOST_FLOATS = 64


def fixed(vector: Vector) -> bool:
    """Whether a dimension is the same at every size."""
    return len(set(vector)) == 1


class Worlds:
    """The tensors of a main graph, at every size."""

    def __init__(self, graph: GraphProto, opset: int, read: Reader, shapes: Sequence[Mapping[str, Sequence[int]]]):
        self.opset = opset
        self.count = len(shapes)
        self._read = read
        inputs = {info.name for info in graph.input}
        self._constants = {tensor.name: tensor for tensor in graph.initializer if tensor.name not in inputs}
        for node in graph.node:
            if node.op_type == "Constant" and standard_domain(node.domain):
                value = next((item.t for item in node.attribute if item.name == "value"), None)
                if value is not None:
                    self._constants[node.output[0]] = value
        self._arrays: dict[str, NDArray[Any]] = {}
        self._scopes = [_scope(graph, read, shape) for shape in shapes]

    def dims(self, name: str) -> Dims | None:
        """A tensor's dimensions; None where not even the rank is known everywhere."""
        shapes = [scope.shape(name) if name else None for scope in self._scopes]
        known = [shape for shape in shapes if shape is not None]
        if len(known) != self.count or len({len(shape) for shape in known}) != 1:
            return None
        return tuple(
            tuple(int(size) for size in sizes if isinstance(size, int))
            if all(isinstance(s, int) for s in sizes)
            else None
            for sizes in zip(*known, strict=True)
        )

    def moves(self, name: str) -> bool:
        """Whether a tensor's shape depends on the sizes, or is not known."""
        dims = self.dims(name)
        return dims is None or any(size is None or not fixed(size) for size in dims)

    def values(self, name: str) -> list[NDArray[Any]] | None:
        """A small tensor's value at each size; None where one of them is not known without running the model."""
        if not name or not self._small(name):
            return None
        found = [scope.value(name) for scope in self._scopes]
        known = [value for value in found if value is not None]
        return known if len(known) == self.count else None

    def constant(self, name: str) -> NDArray[Any] | None:
        """The value of a Constant node or of an initializer that nobody can override; None for every other tensor."""
        tensor = self._constants.get(name)
        if tensor is None or tensor.data_type == TensorProto.STRING:
            return None
        if name not in self._arrays:
            self._arrays[name] = self._read(tensor)
        return self._arrays[name]

    def constant_shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of such a constant, without reading it."""
        tensor = self._constants.get(name)
        return None if tensor is None else tuple(tensor.dims)

    def give(
        self, name: str, dtype: np.dtype[Any], arrays: Sequence[NDArray[Any]] | None, shapes: Sequence[Any]
    ) -> None:
        """Introduce a tensor that takes a constant's place: its value at each size, or only its shape."""
        for index, scope in enumerate(self._scopes):
            kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
            scope.types[name] = tensor_type(kind, tuple(int(size) for size in shapes[index]))
            if arrays is not None:
                scope.constants[name] = onnx.numpy_helper.from_array(np.asarray(arrays[index], dtype), name)

    def infer(self, node: NodeProto) -> bool:
        """Note what a node makes at each size; False where it can be told at the first, and not at another."""
        for scope in self._scopes:
            for name in node.output:
                if name:
                    scope.note(name, node, self.opset)
        kinds = [self._kinds(node, scope) for scope in self._scopes]
        for scope, found in zip(self._scopes, kinds, strict=True):
            for name, kind in found.items():
                scope.types[name] = kind
        return not kinds[0] or all(kinds)

    def _small(self, name: str) -> bool:
        scope = self._scopes[0]
        shape = scope.shape(name)
        if shape is None or not all(isinstance(size, int) for size in shape):
            return False
        spelt = scope.type_string(name) or ""
        most = _MOST_INTEGERS if "int" in spelt or "bool" in spelt else _MOST_FLOATS
        return math.prod(int(size) for size in shape if isinstance(size, int)) <= most

    def _kinds(self, node: NodeProto, scope: Scope) -> dict[str, TypeProto]:
        version = schemas.since(node.op_type, self.opset) if standard_domain(node.domain) else None
        if version is None:
            return {}
        types, data = {}, {}
        for name in node.input:
            kind = scope.type(name) if name else None
            if name and kind is None:
                return {}
            if kind is not None:
                types[name] = kind
                value = scope.value(name) if self._small(name) else None
                if value is not None and value.dtype.kind in "iufb":
                    data[name] = onnx.numpy_helper.from_array(value, name)
        try:
            found: dict[str, TypeProto] = onnx.shape_inference.infer_node_outputs(
                schemas.schema(node.op_type, version),
                node,
                types,
                data,
                opset_imports=[OperatorSetIdProto(domain="", version=self.opset)],
            )
        except Exception:  # noqa: BLE001 - InferenceError and what the bindings raise; then nothing is known
            return {}
        return found


def _scope(graph: GraphProto, read: Reader, shapes: Mapping[str, Sequence[int]]) -> Scope:
    scope = Scope(None, read)
    for info in graph.input:
        shape = shapes.get(info.name)
        kind = info.type
        scope.types[info.name] = kind if shape is None else tensor_type(kind.tensor_type.elem_type, tuple(shape))
    for tensor in graph.initializer:
        scope.types.setdefault(tensor.name, tensor_type(tensor.data_type, tuple(tensor.dims)))
        if all(info.name != tensor.name for info in graph.input):
            scope.constants[tensor.name] = tensor
    return scope
