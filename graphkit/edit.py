"""The few safe edits every pass uses.

gs.Node and gs.Tensor compare by value, so nothing here uses `in`, `index` or `remove` on lists of them; identity
decides. Every edit is linear in what it touches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import compress, repeat
from operator import is_
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from numpy.typing import NDArray
from onnx_graphsurgeon.ir.tensor import LazyValues, SparseValues


def describe(node: gs.Node) -> str:
    """Name a node for a reader: its name, or the operator and its first output where it has none."""
    if node.name:
        return str(node.name)
    output = next((tensor.name for tensor in node.outputs if tensor.name), "no output")
    return f"{node.op} → {output}"


def is_output(graph: gs.Graph, tensor: gs.Tensor) -> bool:
    """Whether `tensor` is one of the graph's outputs (the same object, not an equal one)."""
    return any(output is tensor for output in graph.outputs)


def standard(node: gs.Node, *ops: str) -> bool:
    """Whether the node is one of these operators of the default domain ("" or "ai.onnx")."""
    return node.op in ops and node.domain in (None, "", "ai.onnx")


def overridable(proto: onnx.ModelProto) -> frozenset[str]:
    """The initializers that a caller may replace, because they are graph inputs too: no constants."""
    inputs = {item.name for item in proto.graph.input}
    return frozenset(item.name for item in proto.graph.initializer if item.name in inputs)


def operators(proto: onnx.ModelProto) -> frozenset[str]:
    """Every operator of the default domain in the graph and its subgraphs; functions are not entered."""
    found: set[str] = set()
    todo = [proto.graph]
    while todo:
        for node in todo.pop().node:
            if node.domain in ("", "ai.onnx"):
                found.add(node.op_type)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    todo.append(attribute.g)
                todo.extend(attribute.graphs)
    return frozenset(found)


_PLAIN = frozenset(
    np.dtype(kind)
    for kind in (
        np.bool_,
        np.int8,
        np.int16,
        np.int32,
        np.int64,
        np.uint8,
        np.uint16,
        np.uint32,
        np.uint64,
        np.float16,
        np.float32,
        np.float64,
    )
)


def _payload(tensor: gs.Tensor) -> Any:
    """What a constant holds, not loaded: an initializer's values or those of a Constant node; None otherwise."""
    if isinstance(tensor, gs.Constant):
        return tensor._values  # noqa: SLF001 - `values` would load them
    producer = tensor.inputs[0] if len(tensor.inputs) == 1 else None
    if producer is None or not standard(producer, "Constant") or list(producer.attrs) != ["value"]:
        return None
    value = producer.attrs["value"]
    return value._values if isinstance(value, gs.Constant) else None  # noqa: SLF001


def constant_value(tensor: gs.Tensor) -> NDArray[Any] | None:
    """The value of an initializer or of a Constant node's output; None where there is no plain array to be had.

    That is: not constant, sparse, kept in an external file, or of a type NumPy lacks. Read it, do not change it.
    Initializers that are graph inputs too (see `overridable`) are for the caller to exclude.
    """
    payload = _payload(tensor)
    if isinstance(payload, SparseValues):
        return None
    if isinstance(payload, LazyValues):
        if payload.tensor.data_location == onnx.TensorProto.EXTERNAL or payload.dtype not in _PLAIN:
            return None
        payload = payload.load()
    return payload if isinstance(payload, np.ndarray) and payload.dtype in _PLAIN else None


def all_graphs(graph: gs.Graph) -> Iterator[gs.Graph]:
    """The graph itself and every subgraph in it, outermost first. Functions are not entered."""
    yield graph
    yield from graph.subgraphs(recursive=True)


def names_in(graph: gs.Graph) -> set[str]:
    """Every tensor and node name in the graph and its subgraphs."""
    names: set[str] = set()
    for scope in all_graphs(graph):
        for tensor in (*scope.inputs, *scope.outputs):
            names.add(tensor.name)
        for node in scope.nodes:
            names.add(node.name)
            names.update(tensor.name for tensor in (*node.inputs, *node.outputs))
    return names


def replace_uses(old: gs.Tensor, new: gs.Tensor) -> int:
    """Let every consumer of `old` read `new`; returns how many inputs changed.

    Graph outputs are not uses: a pass that wants to replace one sets `graph.outputs`, and keeps its name.
    """
    if old is new:
        return 0
    changed = 0
    for node in list(old.outputs):
        for index in list(_places(node.inputs, old)):
            list.__setitem__(node.inputs, index, new)
            list.append(new.outputs, node)
            changed += 1
    list.clear(old.outputs)
    return changed


def detach(node: gs.Node) -> None:
    """Cut a node from every tensor, so that tidying removes it.

    Not `node.inputs.clear()`: that takes the first *equal* node off each tensor, and two nameless nodes that have
    lost their outputs are equal.
    """
    for tensor in node.inputs:
        _forget(tensor.outputs, node)
    for tensor in node.outputs:
        _forget(tensor.inputs, node)
    list.clear(node.inputs)
    list.clear(node.outputs)


def detach_all(nodes: Collection[gs.Node]) -> None:
    """The same for many nodes at once: linear however many of them read one tensor."""
    gone = {id(node) for node in nodes}
    touched = {id(tensor): tensor for node in nodes for tensor in (*node.inputs, *node.outputs)}
    for tensor in touched.values():
        for ends in (tensor.inputs, tensor.outputs):
            list.__setitem__(ends, slice(None), [node for node in ends if id(node) not in gone])
    for node in nodes:
        list.clear(node.inputs)
        list.clear(node.outputs)


def _forget(nodes: list[gs.Node], node: gs.Node) -> None:
    index = next(_places(nodes, node), None)
    if index is not None:
        list.__delitem__(nodes, index)


def _places(items: list[Any], wanted: Any) -> Iterator[int]:
    """Where an object stands in a list. A Concat may have ten thousand inputs, and a tensor as many readers."""
    return compress(range(len(items)), map(is_, items, repeat(wanted)))


class Scopes:
    """Who is in which graph: what has to be known before a tensor is renamed or read from somewhere else.

    It describes the graph as it was when it was made; `bypass` and edits that neither add nodes nor change graph
    outputs keep it true.

    Attributes:
        graphs: The graph and its subgraphs.
    """

    def __init__(self, graph: gs.Graph) -> None:
        self.graphs = list(all_graphs(graph))
        self._owner: dict[int, int] = {}
        self._outputs: set[int] = set()
        self._inputs: set[int] = set()
        objects: dict[str, int] = {}
        self._ambiguous: set[str] = set()
        self._pinned: set[str] = set()
        for index, scope in enumerate(self.graphs):
            self._inputs.update(id(tensor) for tensor in scope.inputs)
            self._outputs.update(id(tensor) for tensor in scope.outputs)
            for node in scope.nodes:
                self._owner[id(node)] = index
            read = (tensor for node in scope.nodes for tensor in (*node.inputs, *node.outputs))
            for tensor in (*scope.inputs, *scope.outputs, *read):
                if tensor.name and objects.setdefault(tensor.name, id(tensor)) != id(tensor):
                    self._ambiguous.add(tensor.name)
            # A subgraph that hands out a tensor it does not make: gs knows it by its name alone.
            self._pinned.update(
                tensor.name
                for tensor in scope.outputs
                if isinstance(tensor, gs.Variable) and not tensor.inputs and id(tensor) not in self._inputs
            )

    def is_input(self, tensor: gs.Tensor) -> bool:
        """Whether it is an input of the graph or of a subgraph."""
        return id(tensor) in self._inputs

    def is_output(self, tensor: gs.Tensor) -> bool:
        """Whether it is an output of the graph or of a subgraph, so that its name has to stay."""
        return id(tensor) in self._outputs or tensor.name in self._pinned

    def same_graph(self, one: gs.Node, other: gs.Node) -> bool:
        """Whether two nodes are in the same graph."""
        return self._owner.get(id(one), -1) == self._owner.get(id(other), -2)

    def can_read(self, consumers: Iterable[gs.Node], tensor: gs.Tensor, witness: gs.Node) -> bool:
        """Whether every consumer may read `tensor`, which `witness` reads: its name means the same to all of them."""
        return tensor.name not in self._ambiguous or all(self.same_graph(node, witness) for node in consumers)


def bypass(node: gs.Node, scopes: Scopes) -> str | None:
    """Let whatever reads the node's first output read its first input, and detach the node.

    Where the output is a graph output its name stays: the producer of the input then writes it directly.

    Returns:
        None when done; otherwise the reason why nothing was changed, as half a sentence.
    """
    if not node.inputs or node.inputs[0].is_empty() or not node.outputs:
        return "it lacks its input or its output"
    source, result = node.inputs[0], node.outputs[0]
    if source is result or len(result.inputs) != 1:
        return f'"{result.name}" is part of a cycle or is written twice'
    if not scopes.is_output(result):
        if not scopes.can_read(result.outputs, source, node):
            return f'a subgraph that reads it has a tensor of its own called "{source.name}"'
        detach(node)
        replace_uses(result, source)
        return None
    if reason := _takeover_blocked(node, source, result, scopes):
        return reason
    producer = source.inputs[0]
    index = next(index for index, tensor in enumerate(producer.outputs) if tensor is source)
    detach(node)
    replace_uses(source, result)
    producer.outputs[index] = result
    return None


def _takeover_blocked(node: gs.Node, source: gs.Tensor, result: gs.Tensor, scopes: Scopes) -> str | None:
    """Why the producer of `source` cannot write the graph output `result` instead; None where it can."""
    if isinstance(source, gs.Constant):
        return f'it hands the initializer "{source.name}" to the graph output "{result.name}"'
    if scopes.is_input(source):
        return f'it hands the graph input "{source.name}" to the graph output "{result.name}"'
    if scopes.is_output(source):
        return f'"{source.name}" and "{result.name}" are both graph outputs'
    if len(source.inputs) != 1 or not scopes.same_graph(source.inputs[0], node):
        return f'it hands "{source.name}", which this graph does not make, to the graph output "{result.name}"'
    if not scopes.can_read(source.outputs, result, node):
        return f'a subgraph that reads its input has a tensor of its own called "{result.name}"'
    return None


class Builder:
    """Appends nodes and constants to a graph under names that nothing else in it has.

    Attributes:
        graph: The graph that grows.
        added: How many nodes were added.
    """

    def __init__(self, graph: gs.Graph, prefix: str) -> None:
        self.graph = graph
        self.added = 0
        self._prefix = prefix
        self._taken = names_in(graph)
        self._counts: dict[str, int] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], gs.Constant] = {}

    def unique(self, hint: str) -> str:
        """A free name made of the prefix and `hint`."""
        name, count = f"{self._prefix}/{hint}", self._counts.get(hint, 1)
        while name in self._taken:
            count += 1
            name = f"{self._prefix}/{hint}_{count}"
        self._counts[hint] = count
        self._taken.add(name)
        return name

    def constant(self, values: NDArray[Any], hint: str = "constant") -> gs.Constant:
        """An initializer; equal values share one."""
        array = np.ascontiguousarray(values).reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = gs.Constant(self.unique(hint), array)
        return self._constants[key]

    def nodes(
        self,
        op: str,
        inputs: Iterable[gs.Tensor],
        outputs: Sequence[tuple[Any, Sequence[int | str] | None]],
        hint: str = "",
        domain: str | None = None,
        **attrs: Any,
    ) -> list[gs.Variable]:
        """Append a node with one output for each (dtype, shape) and return the outputs."""
        name = self.unique(hint or op.lower())
        results = [
            gs.Variable(self.unique(f"{hint or op.lower()}_out"), dtype, None if shape is None else list(shape))
            for dtype, shape in outputs
        ]
        self.graph.nodes.append(gs.Node(op, name, attrs, list(inputs), results, domain=domain))
        self.added += 1
        return results

    def node(
        self,
        op: str,
        *inputs: gs.Tensor,
        dtype: Any = None,
        shape: Sequence[int | str] | None = None,
        hint: str = "",
        **attrs: Any,
    ) -> gs.Variable:
        """Append a node with one output and return that output."""
        return self.nodes(op, inputs, [(dtype, shape)], hint, **attrs)[0]
