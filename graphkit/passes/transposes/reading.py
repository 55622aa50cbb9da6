"""From a graph of the file to a network, with what is known of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto

from graphkit.facts import schemas
from graphkit.facts.inference import learn
from graphkit.facts.scope import Scope
from graphkit.model import reads, standard_domain
from graphkit.model.external import is_external
from graphkit.order import stable_order
from graphkit.passes.transposes.network import Network, Node, Tensor, Use
from graphkit.passes.transposes.permutation import IDENTITY, Permutation, compose, full, is_permutation, plain, reverse
from graphkit.passes.transposes.rules import flow
from graphkit.passes.transposes.rules.elementwise import shape_after
from graphkit.passes.transposes.site import Flow, Shape, Site, boundary

_TRANSPOSABLE = frozenset(
    getattr(TensorProto, name)
    for name in (
        *("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16", "BOOL"),
        *("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"),
    )
)
_HALF = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class Reading:
    """One graph, read.

    Attributes:
        graph: As it stands in the file; not changed.
        network: What it is without its Transposes.
        transposes: The sound ones by place: what they read, and through which permutation, from the first tensor that
            no Transpose makes.
        broken: Those that are not sound, by place, with the reason as half a sentence.
        live: Which nodes something depends on.
        loose: What stands for inputs and outputs that may come in any layout.
        captured: Names that subgraphs read.
        half: Whether something is computed in half precision, where a runtime rounds as the nodes around it tell it to.
        unsound: Why nothing can be said of the graph, as half a sentence; None where something can.
    """

    def __init__(
        self,
        graph: GraphProto,
        scope: Scope,
        opset: int,
        outer: Reading | None = None,
        shapes: Mapping[str, Shape | None] = MappingProxyType({}),
        functions: frozenset[str] = frozenset(),
    ) -> None:
        self.graph = graph
        self.outer = outer
        self.network = Network()
        self.transposes: dict[int, tuple[int, Permutation]] = {}
        self.broken: dict[int, str] = {}
        self.unsound: str | None = None
        self.loose: dict[str, Node] = {}
        self.captured: set[str] = set()
        self.half = False
        self._scope = scope
        self._opset = opset
        self._functions = functions  # of the model itself, under names of ONNX's own operators
        self._made: dict[str, tuple[int, int]] = {}
        self._ids: dict[str, int] = {}
        self._own = {item.name for item in (*graph.input, *graph.initializer)}
        self._shapes: dict[str, Shape | None] = dict(shapes)
        self._resolved: dict[str, tuple[int, Permutation]] = {}
        self._index()
        self.live = _live(graph, self._made)
        order = self._order()
        if len(order) < len(self.live):
            self.unsound = self.unsound or "the graph has a cycle"
        if self.unsound is not None:
            return
        for index in order:
            self._read(index, graph.node[index])

    def pin(self, annotated: frozenset[str]) -> None:
        """Note the names that have to stay: of outputs, of what subgraphs read as they are now, and `annotated`."""
        captured: list[str] = []
        for index in sorted(self.live):
            node = self.graph.node[index]
            if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
                captured.extend(sorted(reads(node) - set(node.input)))
        self.captured = set(captured)
        inside = (name for name in (*captured, *sorted(annotated)) if name in self._made)
        for name in dict.fromkeys((*(item.name for item in self.graph.output), *inside)):
            if name:
                self.network.pins[name] = self._use(name, -1, len(self.network.pins))

    def loosen(self, inputs: bool, outputs: bool) -> None:
        """Let inputs, or outputs, of the graph come in any layout: nodes that are in no file stand for them."""
        held = {use.tensor for use in self.network.pins.values()}
        fixed = {item.name for item in self.graph.initializer}
        for name in [item.name for item in self.graph.input if inputs and item.name not in fixed]:
            place = self._ids.get(name)
            if place is None or place in held:
                continue
            tensor = self.network.tensors[place]
            if tensor.rank is not None:
                made = self._stand_in(boundary(tensor.rank))
                made.outputs.append(place)
                tensor.maker, tensor.output = made.index, 0
                self.loose[name] = made
        for item in self.graph.output:
            use = self.network.pins.get(item.name)
            if not outputs or use is None or use.perm is None or item.name in self.captured:
                continue
            rank = self.network.tensors[use.tensor].rank
            if rank is not None:
                made = self._stand_in(boundary(rank))
                use.node, use.slot = made.index, 0
                made.uses.append(use)
                self.loose[item.name] = made

    def _stand_in(self, flow: Flow) -> Node:
        index = len(self.graph.node) + len(self.loose)
        made = self.network.nodes[index] = Node(index, flow=flow)
        return made

    def trace(self, name: str) -> tuple[str, Permutation] | None:
        """What a name stands for that a Transpose of this graph, or of one around it, makes; None for other names."""
        if name in self._resolved:
            tensor, perm = self._resolved[name]
            return self.network.tensors[tensor].name, perm
        return self._outside(name)

    def _outside(self, name: str) -> tuple[str, Permutation] | None:
        """The same of a name that this graph reads from outside."""
        if self.outer is None or name in self._made or name in self._own:
            return None
        found = self.outer.trace(name)
        return None if found is None or found[0] in self._made or found[0] in self._own else found

    @property
    def scope(self) -> Scope:
        """What is known of the tensors."""
        return self._scope

    def values(self, name: str) -> NDArray[Any] | None:
        """The values of a constant, weights among them."""
        tensor = self._constant(name)
        return self._scope.value(name) if tensor is None else self._scope.read(tensor)

    def _index(self) -> None:
        """Note who makes what."""
        for index, node in enumerate(self.graph.node):
            for output, name in enumerate(node.output):
                if name and (name in self._own or self._made.setdefault(name, (index, output)) != (index, output)):
                    self.unsound = f'"{name}" is written twice'

    def _order(self) -> list[int]:
        """The live nodes, each behind what it reads; without those of a cycle and those behind one."""
        live = sorted(self.live)
        place = {index: position for position, index in enumerate(live)}
        waits = [
            {place[self._made[name][0]] for name in reads(self.graph.node[index]) if name in self._made}
            for index in live
        ]
        if all(source < position for position, sources in enumerate(waits) for source in sources):
            return live
        return [live[position] for position in stable_order(waits)]

    def _read(self, index: int, node: NodeProto) -> None:
        learn(node, self._opset, self._scope)
        if node.op_type == "Transpose" and self._standard(node):
            perm = self._perm(node)
            if not isinstance(perm, str):
                tensor, before = self._resolve(node.input[0])
                try:
                    through = compose(before, perm)
                    tensor, through = self._undone(tensor, through)
                except ValueError:
                    perm = f"its perm {list(perm or ())} does not fit its input"
                else:
                    self._resolved[node.output[0]] = self.transposes[index] = tensor, through
                    return
            self.broken[index] = perm
        made = Node(index)
        self.network.nodes[index] = made
        for slot, name in enumerate(node.input):
            made.uses.append(self._use(name, index, slot) if name else None)
        site = self._site(node)
        for output, name in enumerate(node.output):
            if name:
                self._shapes[name] = self._shape_made(name, site)
                made.outputs.append(self._tensor(name, index, output))
            else:
                made.outputs.append(None)
        made.flow = _flow(site) if site is not None else None

    def _undone(self, tensor: int, through: Permutation) -> tuple[int, Permutation]:
        """Where a Transpose undoes one of a graph around this one, what that one reads can be read."""
        found = self._outside(self.network.tensors[tensor].name)
        if found is None or compose(found[1], through) != IDENTITY:
            return tensor, through
        return self._tensor(found[0]), IDENTITY

    def _perm(self, node: NodeProto) -> Permutation | str:
        """What a Transpose does, or why that is unknown, as half a sentence."""
        if len(node.input) != 1 or len(node.output) != 1 or not node.input[0] or not node.output[0]:
            return "it lacks its input or its output"
        shape = self.shape(node.input[0])
        rank = None if shape is None else len(shape)
        given = next((item for item in node.attribute if item.name == "perm"), None)
        if given is None:
            return None if rank is None else reverse(rank)
        perm = list(given.ints)
        if given.type != AttributeProto.INTS or given.ref_attr_name or not is_permutation(perm):
            return f"its perm {perm} is not a permutation"
        if not perm and rank != 0:
            return "its perm is empty"
        if rank is not None and rank != len(perm):
            return f"its perm {perm} does not fit its input, which has {rank} axes"
        return plain(perm)

    def _resolve(self, name: str) -> tuple[int, Permutation]:
        """The tensor that a name stands for, and through which permutation."""
        found = self._resolved.get(name)
        return found if found is not None else (self._tensor(name), IDENTITY)

    def _use(self, name: str, node: int, slot: int) -> Use:
        tensor, perm = self._resolve(name)
        use = Use(tensor, perm, node, slot)
        self.network.tensors[tensor].uses.append(use)
        return use

    def _tensor(self, name: str, maker: int = -1, output: int = 0) -> int:
        if name not in self._ids:
            self._ids[name] = len(self.network.tensors)
            self.network.tensors.append(Tensor(name, self.shape(name), constant=self.is_constant(name)))
        tensor = self.network.tensors[self._ids[name]]
        if maker >= 0:
            tensor.maker, tensor.output = maker, output
        return self._ids[name]

    def shape(self, name: str) -> Shape | None:
        """What is known of the sizes; a size of its own where nothing is."""
        if name not in self._shapes:
            found = self._resolved.get(name)
            if found is not None and found[1] is not None:
                source = self.network.tensors[found[0]].shape
                if source is not None:
                    self._shapes[name] = tuple(source[axis] for axis in full(found[1], len(source)))
                    return self._shapes[name]
            self._shapes[name] = _named(name, self._scope.shape(name))
        return self._shapes[name]

    def _shape_made(self, name: str, site: Site | None) -> Shape | None:
        if name in self._shapes:
            return self._shapes[name]
        known = self._scope.shape(name)
        if known is not None and all(isinstance(size, int) for size in known):
            return _named(name, known)
        return _named(name, shape_after(site, known) if site is not None else known)

    def _site(self, node: NodeProto) -> Site | None:
        if not self._standard(node):
            return None
        since = schemas.since(node.op_type, self._opset)
        if since is None or any(a.HasField("g") or a.graphs or a.ref_attr_name for a in node.attribute):
            return None
        shapes = [self.shape(name) if name else None for name in node.input]

        def value(slot: int) -> NDArray[Any] | None:
            if slot >= len(node.input) or not node.input[slot]:
                return None
            return self._scope.value(node.input[slot])

        kind = self._scope.type(node.input[0]) if node.input else None
        dtype = kind.tensor_type.elem_type if kind is not None else 0
        self.half = self.half or dtype in _HALF
        return Site(node, node.op_type, since, self._opset, shapes, _Lazy(self, node), value, dtype)

    def _standard(self, node: NodeProto) -> bool:
        return standard_domain(node.domain) and node.op_type not in self._functions

    def _constant(self, name: str) -> TensorProto | None:
        """The tensor that holds a constant's values."""
        scope: Scope | None = self._scope
        while scope is not None:
            if name in scope.constants:
                return scope.constants[name]
            if name in scope.made:
                node = scope.made[name][0]
                if node.op_type != "Constant" or not standard_domain(node.domain):
                    return None
                return next((a.t for a in node.attribute if a.name == "value" and not a.ref_attr_name), None)
            if name in scope.types:
                return None  # an input
            scope = scope.parent
        return None

    def is_constant(self, name: str) -> bool:
        """Whether a tensor is the same in every run and its values can be had: then it costs nothing in any layout."""
        tensor = self._constant(name)
        if tensor is None:
            value = self._scope.value(name)
            return value is not None and value.dtype.kind in "fiub"
        return tensor.data_type in _TRANSPOSABLE and not is_external(tensor)


class _Lazy(Sequence[Any]):
    """The shapes of a node's outputs, looked up when a rule asks."""

    def __init__(self, reading: Reading, node: NodeProto) -> None:
        self._reading = reading
        self._node = node

    def __len__(self) -> int:
        """How many outputs."""
        return len(self._node.output)

    def __getitem__(self, index: Any) -> Any:
        """The shape of one."""
        return self._reading.shape(self._node.output[index])


def _flow(site: Site) -> Flow | None:
    try:
        return flow(site)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None  # attributes of wrong types, inputs that are missing: the node stays as it is


def _named(name: str, shape: tuple[int | str | None, ...] | None) -> Shape | None:
    if shape is None:
        return None
    return tuple(f"axis {axis} of {name}" if size is None else size for axis, size in enumerate(shape))


def _live(graph: GraphProto, made: dict[str, tuple[int, int]]) -> set[int]:
    """The nodes that the graph's outputs depend on."""
    live: set[int] = set()
    waiting = [item.name for item in graph.output]
    while waiting:
        found = made.get(waiting.pop())
        if found is not None and found[0] not in live:
            live.add(found[0])
            waiting.extend(reads(graph.node[found[0]]))
    return live
