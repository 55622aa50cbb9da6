"""The engine: takes every node of a graph from one opset to another, step by step from definition to definition.

    down: the node's definition came with opset s → the one before it, and opset s - 1
    up:   the next definition came with opset s   → that one, and opset s

A step is taken by a rule where there is one, else as derived from onnx.defs, else, where the operator does not exist
yet, by writing it out. What is written goes the rest of the way by the same steps. No step looks at the target, so a
conversion to an opset passes through all between: what blocks a node at one opset blocks it for all behind that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from onnx import GraphProto, NodeProto, TypeProto

from graphkit.facts import schemas
from graphkit.facts.functions import has_body
from graphkit.facts.inference import learn
from graphkit.facts.kinds import type_string
from graphkit.facts.labels import label
from graphkit.facts.learning import learn_graph, learn_inputs
from graphkit.facts.scope import Reader, Scope
from graphkit.model import standard_domain, subgraphs
from graphkit.passes.opset.admission import check_admitted
from graphkit.passes.opset.blockers import Blocked, Blocker
from graphkit.passes.opset.difference import derive
from graphkit.passes.opset.expansion import expand
from graphkit.passes.opset.names import Home
from graphkit.passes.opset.ordering import ordered
from graphkit.passes.opset.registry import find
from graphkit.passes.opset.site import Site


@dataclass(frozen=True)
class Origin:
    """The node of the model that others may come from.

    Attributes:
        label: The node, named for a reader.
        op: Its operator.
        since: The version of its operator.
    """

    label: str
    op: str
    since: int


@dataclass(frozen=True)
class _Item:
    """A node on its way.

    Attributes:
        node: The node.
        opset: Where it stands.
        origin: The node of the model that it comes from.
        limit: The last opset before one that it cannot be turned back from; None while it is the model's own node.
        whole: Whether its subgraphs have been converted.
    """

    node: NodeProto
    opset: int
    origin: Origin
    limit: int | None = None
    whole: bool = False


class Engine:
    """One conversion of one graph or function.

    Attributes:
        target: The opset to go to.
        blockers: Every node that cannot get there; such a node is left where it stopped.
        rewrites: Nodes of the model that were changed or replaced.
        calls: For each model-local function or custom operator, (domain, name, overload), the types it is called with.
    """

    def __init__(self, target: int, home: Home, read: Reader) -> None:
        self.target = target
        self.home = home
        self.read = read
        self.blockers: list[Blocker] = []
        self.rewrites = 0
        self.calls: dict[tuple[str, str, str], list[list[TypeProto | None]]] = {}

    def convert(self, nodes: Iterable[NodeProto], now: int, scope: Scope) -> list[NodeProto]:
        """The nodes at the target, in an order in which they can run.

        Raises:
            PassRefused: There is no such order.
        """
        result: list[NodeProto] = []
        for index, node in ordered(list(nodes), scope):
            if not standard_domain(node.domain):
                self._note_call(node, scope)
                result.append(self._with_subgraphs(node, now, scope, index))
                continue
            since = schemas.since(node.op_type, now)
            learn(node, now, scope)
            if since is None:
                result.append(self._with_subgraphs(node, now, scope, index))
                if schemas.known(node.op_type):
                    self._too_new(node, now)
                continue
            result.extend(self._take(node, now, scope, since, index))
        return result

    def _take(self, node: NodeProto, now: int, scope: Scope, since: int, index: int) -> list[NodeProto]:
        """One node of the model and all that comes of it."""
        if not node.attribute and self._stands(node.op_type, since):
            return [node]
        origin = Origin(label(node), node.op_type, since)
        done: list[NodeProto] = []
        waiting = [_Item(self._with_subgraphs(node, now, scope, index), now, origin, whole=True)]
        changed = False
        while waiting:
            item = waiting.pop()
            if not item.whole:
                item = _Item(
                    self._with_subgraphs(item.node, item.opset, scope, None), item.opset, origin, item.limit, True
                )
            made = self._step(item, scope)
            if made is None:
                done.append(item.node)
            else:
                changed = changed or len(made) != 1 or made[0].node is not item.node
                waiting.extend(reversed(made))
        self.rewrites += changed
        return done

    def _stands(self, op: str, since: int) -> bool:
        """Whether the operator's definition holds at the target too."""
        return schemas.since(op, self.target) == since

    def _step(self, item: _Item, scope: Scope) -> list[_Item] | None:
        """What takes the item's place one step on; None where it has arrived, or cannot go on."""
        op = item.node.op_type
        if not standard_domain(item.node.domain):
            return None
        old = schemas.since(op, item.opset)
        if old is None or self._stands(op, old):
            return None
        down = old > self.target
        new = schemas.before(op, old) if down else schemas.after(op, old)
        to = old - 1 if down else new
        if to is None or (not down and item.opset >= self.target):
            return None
        limit = old if down else to - 1
        if item.limit is not None:
            limit = min(limit, item.limit) if down else max(limit, item.limit)
        site = Site(item.node, old, new, to, scope, self.home, label(item.node))
        try:
            self._apply(site)
        except Blocked as blocked:
            self._block(item, limit, blocked)
            return None
        if not site.made:
            return [_Item(item.node, to, item.origin, item.limit, item.whole)]
        kept = item.limit if len(site.made) == 1 and site.made[0][0].op_type == op else limit
        whole = item.whole and len(site.made) == 1 and site.made[0][0].op_type == op
        return [_Item(node, opset, item.origin, kept, whole) for node, opset in site.made]

    def _apply(self, site: Site) -> None:
        try:
            self._take_step(site)
        except Blocked:
            # What an older definition cannot say, the body of this one may.
            if site.new is None or site.new > site.old or not has_body(site.op, site.old):
                raise
            expand(site)
        check_admitted(site)

    def _take_step(self, site: Site) -> None:
        found = find(site.op, site.old, site.new)
        if found is not None:
            found(site)
        elif site.new is None:
            expand(site)
        else:
            derive(site)

    def _block(self, item: _Item, limit: int, blocked: Blocked) -> None:
        origin, reason = item.origin, blocked.reason
        if item.node.op_type != origin.op:
            reason = f"written out with older operators it needs {item.node.op_type}, where {reason}"
        self.blockers.append(Blocker(origin.label, origin.op, origin.since, limit, reason, blocked.remedy))

    def _too_new(self, node: NodeProto, now: int) -> None:
        first = schemas.versions(node.op_type)[0]
        reason = f"the operator exists from opset {first} on, and the model says it is at opset {now}: it is invalid"
        self.blockers.append(Blocker(label(node), node.op_type, first, now, reason))

    def _note_call(self, node: NodeProto, scope: Scope) -> None:
        key = (node.domain, node.op_type, node.overload)
        self.calls.setdefault(key, []).append([scope.type(name) if name else None for name in node.input])
        for name in node.output:
            if name:
                scope.made[name] = (node, 0)

    def _with_subgraphs(self, node: NodeProto, now: int, scope: Scope, index: int | None) -> NodeProto:
        """The node, its subgraphs converted; a copy where it has some.

        Args:
            node: The node.
            now: The opset that it is written in.
            scope: What is known of the tensors around it.
            index: Its place in its graph, where what was inferred about its subgraphs is kept under; None for a node
                that was emitted.
        """
        if not any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            return node
        made = NodeProto()
        made.CopyFrom(node)
        for attribute in made.attribute:
            for place, graph in enumerate(subgraphs(attribute)):
                inner = scope.inner.get((index, attribute.name, place)) if index is not None else None
                if inner is None:
                    inner = Scope(scope, self.read)
                    learn_graph(inner, graph)
                learn_inputs(inner, graph, node, scope)
                if standard_domain(node.domain):
                    nodes = self.convert(graph.node, now, inner)
                else:
                    nodes = self._convert_alone(graph, now, inner)
                del graph.node[:]
                graph.node.extend(nodes)
                _declare_outputs(inner, graph)
        return made

    def _convert_alone(self, graph: GraphProto, now: int, scope: Scope) -> list[NodeProto]:
        """The nodes of a graph that nobody knows when and where is run: it gets its constants for itself."""
        outer, self.home = self.home, self.home.inside(scope)
        try:
            nodes = self.convert(graph.node, now, scope)
            graph.initializer.extend(self.home.used(nodes))
        finally:
            self.home = outer
        return nodes


def _declare_outputs(scope: Scope, graph: GraphProto) -> None:
    """Say of outputs that do not say it what they are: runtimes need it, and may not infer it from other nodes."""
    for info in graph.output:
        kind = scope.types.get(info.name)
        if info.type.WhichOneof("value") is None and kind is not None and type_string(kind) is not None:
            info.type.CopyFrom(kind)
