"""The few safe edits every pass uses.

gs.Node and gs.Tensor compare by value, so nothing here uses `in`, `index` or `remove` on lists of them; identity
decides. Every edit is linear in what it touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray


def describe(node: gs.Node) -> str:
    """Name a node for a reader: its name, or the operator and its first output where it has none."""
    if node.name:
        return str(node.name)
    output = next((tensor.name for tensor in node.outputs if tensor.name), "no output")
    return f"{node.op} → {output}"


def is_output(graph: gs.Graph, tensor: gs.Tensor) -> bool:
    """Whether `tensor` is one of the graph's outputs (the same object, not an equal one)."""
    return any(output is tensor for output in graph.outputs)


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
    changed = 0
    for node in list(old.outputs):
        for index, tensor in enumerate(node.inputs):
            if tensor is old:
                node.inputs[index] = new
                changed += 1
    return changed


def detach(node: gs.Node) -> None:
    """Cut a node from every tensor, so that tidying removes it."""
    node.inputs.clear()
    node.outputs.clear()


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
        self._constants: dict[tuple[str, tuple[int, ...], bytes], gs.Constant] = {}

    def unique(self, hint: str) -> str:
        """A free name made of the prefix and `hint`."""
        name, count = f"{self._prefix}/{hint}", 1
        while name in self._taken:
            count += 1
            name = f"{self._prefix}/{hint}_{count}"
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
