"""What is known of the tensors that a graph can see: types, who makes them, constant values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, TypeProto

from graphkit.facts import schemas
from graphkit.facts.kinds import type_string
from graphkit.facts.node import NodeFacts
from graphkit.model import standard_domain

Reader = Callable[[TensorProto], NDArray[Any]]

_MOST = 1 << 16
"""Elements of a constant that is looked at: axes, sizes, pads, thresholds. Weights are none of these."""

_DEPTH = 64

_NUMBERS = {
    ("value_int", AttributeProto.INT): np.int64,
    ("value_ints", AttributeProto.INTS): np.int64,
    ("value_float", AttributeProto.FLOAT): np.float32,
    ("value_floats", AttributeProto.FLOATS): np.float32,
}
"""Attributes of Constant with their types. In a function one may come from its caller, and be of any."""

_FOLDED = frozenset(
    (
        *("Add", "Cast", "Ceil", "Concat", "ConstantOfShape", "Div", "Equal", "Expand", "Floor", "Gather", "Identity"),
        *("Max", "Min", "Mul", "Neg", "Range", "Reshape", "Slice", "Sqrt", "Squeeze", "Sub", "Transpose", "Unsqueeze"),
        "Where",
    )
)
"""Operators that constants are followed through: what exporters compute shapes and axes with."""


class Scope:
    """The tensors of one graph, and through `parent` of those around it.

    Attributes:
        types: What is known of each tensor.
        constants: Initializers that nobody can override.
        made: The node that makes each tensor, and the opset it stands at.
        surveyed: All that is known of the node that makes each tensor, of those that were come by so far.
        settled: Tensors whose values follow from the sizes of the model's inputs.
        unsized: Tensors whose sizes do not even follow from them.
        inner: The scopes of its nodes' subgraphs, by the node's index, the attribute's name and the graph's place.
    """

    def __init__(self, parent: Scope | None, read: Reader) -> None:
        self.parent = parent
        self.read = read
        self.types: dict[str, TypeProto] = {}
        self.constants: dict[str, TensorProto] = {}
        self.made: dict[str, tuple[NodeProto, int]] = {}
        self.surveyed: dict[str, NodeFacts] = {}
        self.settled: set[str] = set()
        self.unsized: set[str] = set()
        self.inner: dict[tuple[int, str, int], Scope] = {}
        self._values: dict[str, NDArray[Any] | None] = {}
        self._strings: dict[str, str] = {}

    def type(self, name: str) -> TypeProto | None:
        """What is known of a tensor's type; None where nothing is."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.types.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def type_string(self, name: str) -> str | None:
        """A tensor's type as onnx.defs spells it; None where it is not known."""
        found = self._strings.get(name)
        if found is None:
            found = type_string(self.type(name))
            if found is not None:  # what is known stays so
                self._strings[name] = found
        return found

    def note(self, name: str, node: NodeProto, opset: int) -> None:
        """Note which node makes a tensor, at which opset. Of the node that it replaces the value may not have shown."""
        self.made[name] = (node, opset)
        if self._values.get(name, self) is None:
            del self._values[name]

    def visible(self, name: str) -> bool:
        """Whether the graph, or one around it, has such a tensor."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.types or name in scope.constants or name in scope.made:
                return True
            scope = scope.parent
        return False

    def maker(self, name: str) -> tuple[NodeProto, int] | None:
        """The node that makes a tensor, and the opset it stands at."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.made:
                return scope.made[name]
            scope = scope.parent
        return None

    def maker_facts(self, name: str) -> NodeFacts | None:
        """All that is known of the node that makes a tensor; None where none was come by so far."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.made or name in scope.constants:
                return scope.surveyed.get(name)
            scope = scope.parent
        return None

    def is_settled(self, name: str) -> bool:
        """Whether a tensor's value follows from constants and from the sizes of the model's inputs."""
        return name in self._owner(name).settled or self.is_constant(name)

    def is_sized(self, name: str) -> bool:
        """Whether a tensor's sizes follow from them; those of what a Loop or Scan hands to its body may not."""
        owner = self._owner(name)
        known = owner.parent is None or name in owner.made or name in owner.constants
        return known and name not in owner.unsized

    def _owner(self, name: str) -> Scope:
        """The scope that has a tensor."""
        scope = self
        while scope.parent is not None and not (name in scope.made or name in scope.constants or name in scope.types):
            scope = scope.parent
        return scope

    def value(self, name: str, depth: int = 0) -> NDArray[Any] | None:
        """The value of a tensor that is the same in every run; None where it is not, or is too large to look at."""
        scope: Scope = self
        while name not in scope.made and name not in scope.constants:
            if name in scope.types or scope.parent is None:  # an input
                return None
            scope = scope.parent
        return scope._own_value(name, depth)  # noqa: SLF001 - another Scope's

    def _own_value(self, name: str, depth: int) -> NDArray[Any] | None:
        if name not in self._values:
            self._values[name] = self._evaluate(name, depth)
        return self._values[name]

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is an initializer that nobody can override, or the output of a Constant node."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.constants:
                return True
            if name in scope.made:
                node = scope.made[name][0]
                return node.op_type == "Constant" and standard_domain(node.domain)
            scope = scope.parent
        return False

    def shape(self, name: str) -> tuple[int | str | None, ...] | None:
        """A tensor's dimensions: numbers, names, None for what is not known; None where not even the rank is."""
        return shape_of(self.type(name))

    def _evaluate(self, name: str, depth: int) -> NDArray[Any] | None:
        tensor = self.constants.get(name)
        if tensor is not None:
            return self._array(tensor)
        node, opset = self.made[name]
        if not standard_domain(node.domain) or depth > _DEPTH:
            return None
        if node.op_type == "Constant":
            return self._constant(node)
        if len(node.input) < (2 if node.op_type == "CastLike" else 1):
            return None
        if node.op_type in ("Shape", "Size"):
            return self._measured(node)
        if node.op_type == "CastLike":
            return self._cast_like(node, depth)
        if node.op_type not in _FOLDED or len(node.output) != 1:
            return None
        inputs = {}
        for item in node.input:
            value = self.value(item, depth + 1) if item else None
            if item and value is None:
                return None
            if value is not None:
                inputs[item] = value
        return _compute(node, opset, inputs)

    def _array(self, tensor: TensorProto) -> NDArray[Any] | None:
        if int(np.prod(tensor.dims, dtype=np.int64)) > _MOST or tensor.data_type == TensorProto.STRING:
            return None
        return self.read(tensor)

    def _constant(self, node: NodeProto) -> NDArray[Any] | None:
        for item in node.attribute:
            if item.ref_attr_name:
                return None
            if item.name == "value" and item.type == AttributeProto.TENSOR:
                return self._array(item.t)
            dtype = _NUMBERS.get((item.name, item.type))
            if dtype is not None:
                return np.array(onnx.helper.get_attribute_value(item), dtype)
        return None

    def _cast_like(self, node: NodeProto, depth: int) -> NDArray[Any] | None:
        """What is cast is known, where of what it is cast like the type is."""
        value, kind = self.value(node.input[0], depth + 1), self.type(node.input[1])
        if value is None or kind is None or not kind.tensor_type.elem_type or len(node.attribute):
            return None
        cast = onnx.helper.make_node("Cast", ["value"], ["cast"], to=kind.tensor_type.elem_type)
        return _compute(cast, schemas.newest(), {"value": value})

    def _measured(self, node: NodeProto) -> NDArray[Any] | None:
        """Shape or Size of a tensor all of whose dimensions are known."""
        shape = self.shape(node.input[0])
        if shape is None:
            return None
        bounds = {item.name: int(item.i) for item in node.attribute if not item.ref_attr_name}
        if len(bounds) != len(node.attribute):
            return None
        if node.op_type == "Shape":
            shape = shape[bounds.get("start", 0) : bounds.get("end", len(shape))]
        sizes = [size for size in shape if isinstance(size, int)]
        if len(sizes) != len(shape):
            return None
        return np.array(sizes if node.op_type == "Shape" else np.prod(sizes, dtype=np.int64), np.int64)


def shape_of(kind: TypeProto | None) -> tuple[int | str | None, ...] | None:
    """The dimensions that a type declares; None where it declares none."""
    if kind is None or not kind.HasField("tensor_type") or not kind.tensor_type.HasField("shape"):
        return None
    return tuple(
        int(dim.dim_value) if dim.HasField("dim_value") else (dim.dim_param or None)
        for dim in kind.tensor_type.shape.dim
    )


def _size_made(node: NodeProto, inputs: dict[str, NDArray[Any]]) -> float:
    """Elements that an operator whose inputs say how many makes; 0 for others."""
    if node.op_type in ("ConstantOfShape", "Expand"):
        return float(np.prod(inputs[node.input[-1]].astype(np.float64)))
    if node.op_type == "Range":
        start, limit, delta = (float(inputs[name]) for name in node.input)
        return abs((limit - start) / delta) if delta else 0.0
    return 0.0


def _compute(node: NodeProto, opset: int, inputs: dict[str, NDArray[Any]]) -> NDArray[Any] | None:
    """One node's output from its inputs, by onnx's reference; None where that cannot compute it."""
    from onnx.reference import ReferenceEvaluator

    if schemas.since(node.op_type, opset) is None or any(item.ref_attr_name for item in node.attribute):
        return None
    try:
        if sum(value.size for value in inputs.values()) > _MOST or _size_made(node, inputs) > _MOST:
            return None
        function = onnx.helper.make_function(
            "fold", "fold", list(inputs), list(node.output), [node], [onnx.helper.make_opsetid("", opset)]
        )
        evaluator: Any = ReferenceEvaluator(function)
        result = evaluator.run(None, inputs, {})[0]
    except Exception:  # noqa: BLE001 - whatever the reference cannot compute is simply not known
        return None
    return np.asarray(result)
