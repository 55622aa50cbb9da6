"""gs objects that remember which proto they were read from, through graph.copy() too.

gs makes its copies from scratch and keeps only what it knows; these carry their origin along. A pass need not know
them: they are gs nodes, tensors and graphs, and whatever a pass adds may be plain gs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx_graphsurgeon as gs
from onnx import FunctionProto, GraphProto, NodeProto, SparseTensorProto, TensorProto, ValueInfoProto

from graphkit.model.types import Signature


@dataclass(eq=False)
class Scope:
    """One graph, subgraph or function as it was read.

    Attributes:
        proto: What it was read from; never changed.
        folder: Where external data lies.
        opset: The version of the default domain that gs was told.
        signatures: Element type, shape and kind that each named tensor had once read, where any of it was known.
        attached: Names that something in the gs graph holds. What is in the file but not here (an unused initializer,
            a value_info for nothing) cannot be seen through gs, so no edit is about it and it stays.
        domains: Operator domains that were used in it and its subgraphs.
    """

    proto: GraphProto | FunctionProto
    folder: Path | None = None
    opset: int = 0
    signatures: dict[str, Signature] = field(default_factory=dict)
    attached: set[str] = field(default_factory=set)
    domains: set[str] = field(default_factory=set)

    @cached_property
    def initializers(self) -> dict[str, TensorProto | SparseTensorProto]:
        """Initializers, dense and sparse, by name."""
        if isinstance(self.proto, FunctionProto):
            return {}
        dense: dict[str, TensorProto | SparseTensorProto] = {t.name: t for t in self.proto.initializer}
        return dense | {t.values.name: t for t in self.proto.sparse_initializer}

    @cached_property
    def inputs(self) -> dict[str, ValueInfoProto]:
        """Input declarations by name (functions have none)."""
        return {} if isinstance(self.proto, FunctionProto) else {v.name: v for v in self.proto.input}

    @cached_property
    def outputs(self) -> dict[str, ValueInfoProto]:
        """Output declarations by name (functions have none)."""
        return {} if isinstance(self.proto, FunctionProto) else {v.name: v for v in self.proto.output}

    @cached_property
    def writers(self) -> dict[str, NodeProto]:
        """The node that writes each tensor."""
        return {name: node for node in self.proto.node for name in node.output if name}


class Node(gs.Node):  # type: ignore[misc]
    """A node that knows its NodeProto."""

    origin: NodeProto

    def copy(self, inputs: Any = None, outputs: Any = None, tensor_map: Any = None) -> Any:
        """As gs, and the copy knows its origin."""
        copied = super().copy(inputs, outputs, tensor_map)
        copied.__class__ = Node
        copied.origin = self.origin
        return copied


class Variable(gs.Variable):  # type: ignore[misc]
    """A variable that knows the name it was read under and where."""

    origin: str
    home: Scope

    def copy(self) -> Any:
        """As gs, and the copy keeps its kind (gs turns a sequence into a tensor) and its own shape list."""
        copied = Variable(self.name, self.dtype, None if self.shape is None else list(self.shape), self.type)
        copied.origin, copied.home = self.origin, self.home
        return copied


class Constant(gs.Constant):  # type: ignore[misc]
    """An initializer that knows the name it was read under and where."""

    origin: str
    home: Scope

    def copy(self) -> Any:
        """As gs, and the copy knows its origin."""
        copied = Constant(self.name, self._values, self.data_location, self._export_dtype)
        copied.origin, copied.home = self.origin, self.home
        return copied


class Graph(gs.Graph):  # type: ignore[misc]
    """A graph or subgraph that knows its GraphProto."""

    scope: Scope

    def copy(self, tensor_map: Any = None) -> Any:
        """As gs, and the copy knows its origin."""
        copied = super().copy(tensor_map)
        copied.__class__ = Graph
        copied.scope = self.scope
        copied.producer_name, copied.producer_version = self.producer_name, self.producer_version
        copied.ir_version = self.__dict__.get("ir_version")  # older gs has none
        return copied


class Function(gs.Function):  # type: ignore[misc]
    """A function that knows its FunctionProto."""

    scope: Scope

    def copy(self) -> Any:
        """As gs, and the copy knows its origin."""
        copied = super().copy()
        copied.__class__ = Function
        copied.scope = self.scope
        return copied


def variable(name: str, home: Scope, seen: Signature | None, dtype: Any) -> Variable:
    """A variable read from `home`; `seen` gives shape and kind, `dtype` is as gs wants it."""
    made = Variable(name, dtype) if seen is None else Variable(name, dtype, None, seen[2])
    if seen is not None and seen[1] is not None:
        made.shape = list(seen[1])
    made.origin, made.home = name, home
    return made


def constant(name: str, home: Scope, values: Any, data_location: int | None) -> Constant:
    """An initializer read from `home`."""
    made = Constant(name, values, data_location)
    made.origin, made.home = name, home
    return made


def scope_of(graph: Any) -> Scope | None:
    """Where a graph was read from; None for one that a pass made. hasattr on a gs.Graph would log an error."""
    scope = graph.__dict__.get("scope")
    return scope if isinstance(scope, Scope) else None


def home_of(tensor: Any) -> tuple[Scope | None, str]:
    """Where a tensor was read from and under which name; (None, its name) for one that a pass made."""
    values = tensor.__dict__
    return values.get("home"), values.get("origin", tensor.name)
