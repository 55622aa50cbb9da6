"""From a model to its view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from onnx import FunctionProto, GraphProto, NodeProto

from graphkit.errors import ModelError
from graphkit.facts import schemas
from graphkit.facts.labels import text
from graphkit.matching.digests import Reader, attribute_digests, node_constant, sparse_constant, tensor_constant
from graphkit.matching.hashing import above, body_digest, local, unused_ends
from graphkit.matching.view import ABSENT, Constant, Node, View
from graphkit.model import Model, standard_domain, subgraphs
from graphkit.order import stable_order

_Key = tuple[str, str, str]


def view_of(model: Model) -> View:
    """The main graph of a model, with its subgraphs inside.

    Raises:
        ModelError: The graph is cyclic, or a constant cannot be read.
    """
    proto = model.proto()
    opsets = {"" if standard_domain(item.domain) else item.domain: int(item.version) for item in proto.opset_import}
    functions = {(item.domain, item.name, item.overload): item for item in proto.functions}
    try:
        return _Builder(model.stream, opsets, functions, {}).graph(proto.graph, model.overridable)
    except ModelError as error:
        raise ModelError(f"{model.name}: {error}") from error


@dataclass
class _Draft:
    """A view that is being made."""

    names: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    constants: dict[int, Constant] = field(default_factory=dict)
    outside: dict[int, None] = field(default_factory=dict)

    def tensor(self, name: str) -> int:
        if name not in self.places:
            self.places[name] = len(self.names)
            self.names.append(name)
        return self.places[name]

    def read(self, name: str) -> int:
        """A tensor that is read; one that nothing here defines is of a graph around."""
        if name not in self.places:
            self.outside[self.tensor(name)] = None
        return self.places[name]


@dataclass
class _Builder:
    reader: Reader
    opsets: dict[str, int]
    functions: dict[_Key, FunctionProto]
    known: dict[_Key, bytes]

    def graph(self, graph: GraphProto, overridable: Iterable[str] = ()) -> View:
        draft = _Draft()
        free = set(overridable)
        stored = {tensor.name: tensor for tensor in graph.initializer if tensor.name not in free}
        sparse = {item.values.name: item for item in graph.sparse_initializer if item.values.name not in free}
        inputs = [draft.tensor(info.name) for info in graph.input if info.name not in stored | sparse]
        for name, tensor in stored.items():
            draft.constants[draft.tensor(name)] = tensor_constant(tensor, self.reader)
        for name, item in sparse.items():
            draft.constants[draft.tensor(name)] = sparse_constant(item)
        return self._finish(draft, list(graph.node), inputs, [info.name for info in graph.output])

    def function(self, function: FunctionProto) -> View:
        draft = _Draft()
        inputs = [draft.tensor(name) for name in function.input]
        inner = _Builder(
            self.reader,
            {"" if standard_domain(item.domain) else item.domain: int(item.version) for item in function.opset_import},
            self.functions,
            self.known,
        )
        return inner._finish(draft, list(function.node), inputs, list(function.output))

    def _finish(self, draft: _Draft, protos: list[NodeProto], inputs: list[int], outputs: Sequence[str]) -> View:
        kept = list[NodeProto]()
        for proto in protos:
            made = None
            if proto.op_type == "Constant" and standard_domain(proto.domain) and proto.output:
                made = node_constant(proto, self.reader)
            if made is not None:
                draft.constants[draft.tensor(proto.output[0])] = made
            else:
                kept.append(proto)
                for name in proto.output:
                    if name:
                        draft.tensor(name)
        bodies = [self._bodies(proto) for proto in kept]
        reads = []
        for proto, inner in zip(kept, bodies, strict=True):
            names = [*proto.input, *(view.names[item] for view in inner.values() for item in view.captured)]
            reads.append(tuple(draft.read(name) if name else ABSENT for name in names))
        returned = tuple(draft.read(name) for name in outputs)
        order = self._order(draft, kept, reads)
        nodes = [self._node(place, draft, kept[one], reads[one], bodies[one]) for place, one in enumerate(order)]
        maker: list[tuple[int, int] | None] = [None] * len(draft.names)
        readers: list[list[tuple[int, int]]] = [[] for _ in draft.names]
        for node in nodes:
            for slot, tensor in enumerate(node.outputs):
                if tensor >= 0:
                    maker[tensor] = (node.index, slot)
            for slot, tensor in enumerate(node.inputs):
                if tensor >= 0:
                    readers[tensor].append((node.index, slot))
        made_view = View(nodes, draft.names, draft.constants, tuple(inputs), returned, (), maker, readers)
        return replace(made_view, captured=_in_reading_order(made_view, draft.outside))

    def _bodies(self, proto: NodeProto) -> dict[str, View]:
        found = {}
        for attribute in sorted(proto.attribute, key=lambda item: text(item.name)):
            graphs = subgraphs(attribute)
            for place, graph in enumerate(graphs):
                name = text(attribute.name)
                found[name if len(graphs) == 1 else f"{name}[{place}]"] = self.graph(graph)
        return found

    def _order(self, draft: _Draft, protos: list[NodeProto], reads: list[tuple[int, ...]]) -> list[int]:
        maker = {draft.places[name]: index for index, proto in enumerate(protos) for name in proto.output if name}
        order = stable_order([{maker[item] for item in read if item in maker} for read in reads])
        if len(order) < len(protos):
            raise ModelError("the graph is cyclic: its nodes depend on each other in a circle; export the model again")
        return order

    def _node(
        self, place: int, draft: _Draft, proto: NodeProto, reads: tuple[int, ...], bodies: dict[str, View]
    ) -> Node:
        domain = "" if standard_domain(proto.domain) else text(proto.domain)
        op = text(proto.op_type)
        since = 0 if domain else (schemas.since(op, self.opsets.get("", 1)) or 0)
        attributes = attribute_digests(proto, since, self.reader)
        attributes |= {name: body_digest(view) for name, view in bodies.items()}
        key = (proto.domain, proto.op_type, proto.overload)
        if key in self.functions:
            attributes["function"] = self._called(key)
        return Node(
            index=place,
            proto=proto,
            op=f"{domain}:{op}" if domain else op,
            attributes=attributes,
            inputs=reads,
            outputs=tuple(draft.places[name] if name else ABSENT for name in proto.output),
            bodies=bodies,
            since=since,
        )

    def _called(self, key: _Key) -> bytes:
        if key not in self.known:
            self.known[key] = b"itself"  # a function that calls itself
            self.known[key] = body_digest(self.function(self.functions[key]))
        return self.known[key]


def _in_reading_order(view: View, outside: Iterable[int]) -> tuple[int, ...]:
    """Tensors of graphs around, in the order in which they are met on the way back from the outputs.

    Then those that only nodes read of which nothing is returned, in the order of what is computed from them.
    """
    wanted = set(outside)
    found = _met(view, view.outputs, wanted)
    if len(found) == len(wanted):
        return tuple(found)
    own = [local(view, node, "exact") for node in view.nodes]
    seeds = {tensor: f"i{place}".encode() for place, tensor in enumerate(view.inputs)}
    seeds |= dict.fromkeys(wanted, b"outside") | {tensor: f"c{place}".encode() for place, tensor in enumerate(found)}
    ends = sorted(unused_ends(view, own, above(view, "exact", own, seeds)), key=lambda item: item[1])
    return tuple(found | _met(view, [tensor for node, _ in ends for tensor in node.inputs], wanted))


def _met(view: View, start: Iterable[int], wanted: set[int]) -> dict[int, None]:
    found: dict[int, None] = {}
    seen: set[int] = set()
    waiting = list(reversed(list(start))) if wanted else []
    while waiting:
        tensor = waiting.pop()
        if tensor < 0 or tensor in seen:
            continue
        seen.add(tensor)
        if tensor in wanted:
            found[tensor] = None
        made = view.maker[tensor]
        if made is not None:
            waiting += reversed(view.nodes[made[0]].inputs)
    return found
