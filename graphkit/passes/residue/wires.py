"""Which tensor is read where, and letting one tensor stand for another, on protos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from onnx import GraphProto, ModelProto, NodeProto, TensorProto

from graphkit.model import subgraphs
from graphkit.passes.residue.view import Path, keep

Key = tuple[Path, str]
"""A tensor: the graph that has it, and its name."""
Place = tuple[Path, int]
"""A node: its graph, and its index there."""


@dataclass
class _Graph:
    """A graph as it is written.

    Attributes:
        proto: The graph.
        made: Tensor -> the index of the node that makes it; None for inputs and initializers.
    """

    proto: GraphProto
    made: dict[str, int | None] = field(default_factory=dict)


class Wires:
    """The tensors of a model's graph and its subgraphs; functions are not entered.

    `bypass`, `reread` and `drop` note changes and keep what is asked of it true; `apply` makes them. Where a name
    means several tensors that one reader could confuse, nothing is changed.

    Attributes:
        gone: Nodes that are to go.
    """

    def __init__(self, model: ModelProto) -> None:
        self.gone: set[Place] = set()
        self._graphs: dict[Path, _Graph] = {}
        self._readers: dict[Key, list[Place]] = {}
        self._fixed: set[Key] = set()  # graph outputs: their names stay
        self._unclear: set[str] = set()
        self._same: dict[Key, Key] = {}
        self._sources: dict[Place, Key] = {}
        self._annotated = {item.tensor_name for item in model.graph.quantization_annotation}
        self._annotated |= {
            pair.value for item in model.graph.quantization_annotation for pair in item.quant_parameter_tensor_names
        }
        self._enter(model.graph, (), Counter())
        for path, graph in self._graphs.items():
            for index, node in enumerate(graph.proto.node):
                for name in node.input:
                    key = self.key(path, name) if name else None
                    if key is not None:
                        self._readers.setdefault(key, []).append((path, index))
            self._fixed.update(key for info in graph.proto.output if (key := self.key(path, info.name)) is not None)

    def _enter(self, graph: GraphProto, path: Path, around: Counter[str]) -> None:
        """Note what each graph makes, and names that are made twice where one reader sees both."""
        entry = self._graphs[path] = _Graph(graph)
        given = {info.name for info in graph.input} | {tensor.name for tensor in graph.initializer}
        given |= {sparse.values.name for sparse in graph.sparse_initializer}
        entry.made.update(dict.fromkeys(given))
        for index, node in enumerate(graph.node):
            for name in node.output:
                if name in entry.made:
                    self._unclear.add(name)
                elif name:
                    entry.made[name] = index
        self._unclear.update(name for name in entry.made if around[name])
        around.update(entry.made.keys())
        for index, node in enumerate(graph.node):
            for place, attribute in enumerate(node.attribute):
                for number, inner in enumerate(subgraphs(attribute)):
                    self._enter(inner, (*path, (index, place, number)), around)
        around.subtract(entry.made.keys())

    def node(self, place: Place) -> NodeProto:
        """A node as the model has it."""
        found: NodeProto = self._graphs[place[0]].proto.node[place[1]]
        return found

    def key(self, path: Path, name: str) -> Key | None:
        """The tensor that a name means in a graph: its own, or that of a graph around it; None where there is none."""
        for depth in range(len(path), -1, -1):
            if name in self._graphs[path[:depth]].made:
                return (path[:depth], name)
        return None

    def find(self, key: Key) -> Key:
        """The tensor that stands for another."""
        end = key
        while end in self._same:
            end = self._same[end]
        while key != end:
            self._same[key], key = end, self._same[key]
        return end

    def maker(self, key: Key) -> Place | None:
        """The node that makes a tensor; None where it is an input or an initializer."""
        index = self._graphs[key[0]].made[key[1]]
        return None if index is None else (key[0], index)

    def readers(self, key: Key) -> list[Place]:
        """The nodes that read a tensor, once for each input; those that are to go are left out."""
        return [place for place in self._readers.get(self.find(key), ()) if place not in self.gone]

    def is_output(self, key: Key) -> bool:
        """Whether it is an output of the graph or of a subgraph."""
        return self.find(key) in self._fixed

    def idle(self, key: Key) -> bool:
        """Whether all that read a tensor are to go, and it is no graph output."""
        return not self.is_output(key) and bool(self._readers.get(self.find(key))) and not self.readers(key)

    def unclear(self, *keys: Key) -> str | None:
        """Why these tensors cannot be read in each other's place; None where they can."""
        for _, name in keys:
            if name in self._unclear:
                return f'several tensors are called "{name}"'
            if name in self._annotated:
                return f'a quantization annotation names "{name}"'
        return None

    def bypass(self, place: Place, source: Key, result: Key) -> str | None:
        """Let whatever reads `result`, which the node makes, read `source`, and drop the node.

        Where `result` is a graph output its name stays: the node that makes `source` then writes it.

        Returns:
            None when done; otherwise the reason why nothing was changed, as half a sentence.
        """
        if reason := self.unclear(source, result):
            return reason
        old, new = self.find(result), self.find(source)
        if old == new:
            return f'"{result[1]}" is part of a cycle'
        if reason := self.unclear(old, new):
            return reason
        if old in self._fixed:
            if reason := self._takeover_blocked(new, old):
                return reason
            old, new = new, old
        self._same[old] = new
        less, more = sorted((self._readers.pop(old, []), self._readers.pop(new, [])), key=len)
        more.extend(less)
        self._readers[new] = more
        self.gone.add(place)
        return None

    def _takeover_blocked(self, source: Key, result: Key) -> str | None:
        """Why the node that makes `source` cannot write the graph output `result` instead; None where it can."""
        if source in self._fixed:
            return f'"{source[1]}" and "{result[1]}" are both graph outputs'
        if source[0] != result[0]:
            return f'it hands "{source[1]}", which this graph does not make, to the graph output "{result[1]}"'
        if self.maker(source) is None:
            return f'it hands "{source[1]}", which no node makes, to the graph output "{result[1]}"'
        return None

    def reread(self, place: Place, source: Key) -> None:
        """Let a node's first input be another tensor."""
        self._sources[place] = source
        self._readers.setdefault(self.find(source), []).append(place)

    def drop(self, place: Place) -> None:
        """Let a node go that nothing reads any more."""
        self.gone.add(place)

    def apply(
        self, model: ModelProto, instead: Mapping[Place, NodeProto], constants: Mapping[Path, list[TensorProto]]
    ) -> None:
        """Make the changes in place, in a model that is equal to the one that was looked at.

        Args:
            model: Changed.
            instead: Nodes to put in the place of others; they read what those do, until they are rewired too.
            constants: New initializers of each graph.
        """
        for path, graph in list(_walk(model.graph, ())):
            for index, node in enumerate(graph.node):
                if (path, index) in instead:
                    node.CopyFrom(instead[path, index])
                self._rename(path, node)
                if (path, index) in self._sources:
                    node.input[0] = self.find(self._sources[path, index])[1]
            graph.initializer.extend(constants.get(path, ()))
            stale = {info.name for info in graph.value_info if self._stale((path, info.name))}
            if stale:
                keep(graph.value_info, [info for info in graph.value_info if info.name not in stale])
        # Inner graphs first: the places of those within a node depend on the node's.
        for path, graph in sorted(_walk(model.graph, ()), key=lambda item: -len(item[0])):
            kept = [node for index, node in enumerate(graph.node) if (path, index) not in self.gone]
            if len(kept) < len(graph.node):
                keep(graph.node, kept)

    def _rename(self, path: Path, node: NodeProto) -> None:
        for field_, own in ((node.input, False), (node.output, True)):
            for index, name in enumerate(field_):
                key = (path, name) if own else self.key(path, name)
                if key in self._same:
                    field_[index] = self.find(key)[1]

    def _stale(self, key: Key) -> bool:
        """Whether a tensor is no more."""
        if key[1] not in self._graphs[key[0]].made or key in self._fixed:
            return False
        return key in self._same or self.maker(key) in self.gone


def _walk(graph: GraphProto, path: Path) -> Iterator[tuple[Path, GraphProto]]:
    """The graph and its subgraphs."""
    yield path, graph
    for index, node in enumerate(graph.node):
        for place, attribute in enumerate(node.attribute):
            for number, inner in enumerate(subgraphs(attribute)):
                yield from _walk(inner, (*path, (index, place, number)))
