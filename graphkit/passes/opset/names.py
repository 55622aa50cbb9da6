"""Where the new names and constants of one graph or function come from."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from onnx import FunctionProto, GraphProto, NodeProto, TensorProto

from graphkit.facts.scope import Scope
from graphkit.model import reads


class Home:
    """The graph or function that a node, however deep in subgraphs, belongs to.

    Constants go to its front: a graph gets initializers, a function, which has none, Constant nodes. Equal ones are
    shared.

    Attributes:
        constants: The tensors made so far, to be put at the front.
        root: The scope of the graph or function itself.
        read: Names that a node reads, or a graph returns.
    """

    def __init__(self, holder: GraphProto | FunctionProto, root: Scope) -> None:
        self.root = root
        self.constants: list[TensorProto] = []
        self.read: set[str] = set()
        self._taken = dict.fromkeys(_names(holder, self.read), 1)
        self._nodes = {node.name: 1 for node in holder.node}
        self._shared: dict[bytes, str] = {}

    def inside(self, scope: Scope) -> Home:
        """The home of a subgraph that has its constants for itself. Names are those that nothing outside has either."""
        made = Home(GraphProto(), scope)
        made.read, made._taken, made._nodes = self.read, self._taken, self._nodes
        return made

    def used(self, nodes: Iterable[NodeProto]) -> list[TensorProto]:
        """The constants that are read: others were turned into something else again by a later step."""
        read = {name for node in nodes for name in reads(node)} if self.constants else set()
        return [tensor for tensor in self.constants if tensor.name in read]

    def name(self, base: str, hint: str) -> str:
        """A tensor name that nothing in the holder has."""
        return _free(self._taken, f"{base}/{hint}")

    def node_name(self, base: str, op: str) -> str:
        """A node name that nothing in the holder has."""
        return _free(self._nodes, f"{base}/{op}")

    def constant(self, tensor: TensorProto, hint: str) -> str:
        """The name of a constant of this value."""
        made = TensorProto()
        made.CopyFrom(tensor)
        made.ClearField("name")
        key = made.SerializeToString(deterministic=True)
        name = self._shared.get(key)
        if name is None:
            name = self._shared[key] = made.name = _free(self._taken, f"opset/{hint}")
            self.constants.append(made)
            self.root.constants[name] = made
            self.root.types[name] = onnx.helper.make_tensor_type_proto(made.data_type, list(made.dims))
        return name


def _names(holder: GraphProto | FunctionProto, read: set[str]) -> set[str]:
    """Every tensor name in a graph or function and its subgraphs; those that are read, or returned, into `read`."""
    taken: set[str] = set()
    waiting: list[GraphProto | FunctionProto] = [holder]
    while waiting:
        item = waiting.pop()
        if isinstance(item, GraphProto):
            taken |= {info.name for info in (*item.input, *item.output)}
            read |= {info.name for info in item.output}
            taken |= {tensor.name for tensor in item.initializer}
            taken |= {sparse.values.name for sparse in item.sparse_initializer}
        else:
            taken |= {*item.input, *item.output}
            read.update(item.output)
        taken |= {info.name for info in item.value_info}
        for node in item.node:
            taken.update(node.input)
            read.update(node.input)
            taken.update(node.output)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    waiting.append(attribute.g)
                waiting.extend(attribute.graphs)
    return taken


def _free(taken: dict[str, int], wanted: str) -> str:
    """A name that is not taken, and now is: as wanted, or with a number behind it, the next one of that name."""
    if wanted not in taken:
        taken[wanted] = 1
        return wanted
    count = taken[wanted] + 1
    while (name := f"{wanted}_{count}") in taken:
        count += 1
    taken[wanted], taken[name] = count, 1
    return name
