"""sort: nodes in an order in which they can run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.order import stable_order
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

    from graphkit.model import Model


class Sort(Pass):
    """Put nodes in an order in which they can run.

    ONNX wants every node behind the nodes it reads (IR specification, "Graphs"); half-precision exports break that,
    and onnx.checker and onnxsim then reject them. A node that need not move keeps its place among the others. A node
    that holds a subgraph depends on everything the subgraph reads from outside. Subgraphs and functions are sorted
    too.

    Declines:
        A model already in order is left as it is. A cycle, or a tensor written twice, is refused: no order is right.

    Numerics:
        EXACT: the same nodes on the same tensors.

    Example:
        b = Relu(a); a = Conv(x) becomes a = Conv(x); b = Relu(a).
    """

    name: ClassVar[str] = "sort"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: A cycle or a tensor with two writers; names the nodes.
        """
        proto = model.proto()
        late = sum(_order(list(holder.node))[1] for holder in _holders(proto))  # refuses before anything is copied
        if not late:
            return PassResult(0, "already in order", (Declined("every node is already behind what it reads"),))
        ordered = type(proto)()
        ordered.CopyFrom(proto)
        # Innermost first: an outer list is rebuilt from copies of its nodes, subgraphs and all.
        for holder in reversed(list(_holders(ordered))):
            nodes = list(holder.node)
            order, misplaced = _order(nodes)
            if misplaced:
                copies = [_copied(nodes[index]) for index in order]
                del holder.node[:]
                holder.node.extend(copies)
        model.replace(ordered)
        return PassResult(late, f"{late} node{'s' if late > 1 else ''} moved behind what they read")


def _copied(node: NodeProto) -> NodeProto:
    copy = type(node)()
    copy.CopyFrom(node)
    return copy


def _subgraphs(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def _holders(proto: Any) -> Iterator[Any]:
    """Everything with a list of nodes, outermost first: the graph, the functions and all their subgraphs."""
    todo: list[Any] = [*proto.functions, proto.graph]
    while todo:
        holder = todo.pop()
        yield holder
        for node in holder.node:
            if node.attribute:
                todo.extend(_subgraphs(node))


def _dependencies(nodes: list[NodeProto]) -> list[set[int]]:
    """For each node the nodes of the same list it reads."""
    from graphkit.model import reads

    writers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.output:
            if name and writers.setdefault(name, index) != index:
                first = _describe(nodes[writers[name]])
                raise PassRefused(
                    f'the tensor "{name}" is written by two nodes, {first} and {_describe(node)}: no order is right; '
                    "export the model again or rename one of the two"
                )
    return [{writers[name] for name in reads(node) if name in writers} for node in nodes]


def _order(nodes: list[NodeProto]) -> tuple[list[int], int]:
    """An order that works, and how many nodes stand before something they read."""
    dependencies = _dependencies(nodes)
    order = stable_order(dependencies)
    if len(order) < len(nodes):
        raise PassRefused(_cycle(nodes, dependencies, set(range(len(nodes))).difference(order)))
    return order, sum(any(source > index for source in sources) for index, sources in enumerate(dependencies))


def _cycle(nodes: list[NodeProto], dependencies: list[set[int]], stuck: set[int]) -> str:
    """Walk back from a node that cannot run; each such node waits for another, so the walk closes."""
    place: dict[int, int] = {}
    path: list[int] = []
    index = min(stuck)
    while index not in place:
        place[index] = len(path)
        path.append(index)
        index = min(dependencies[index] & stuck)
    cycle = [_describe(nodes[item]) for item in reversed(path[place[index] :])]
    shown = cycle if len(cycle) <= 8 else [*cycle[:7], f"{len(cycle) - 7} more"]
    return (
        f"the graph has a cycle, so no order is right: {' → '.join([*shown, cycle[0]])}; "
        "no exporter writes this on purpose: export the model again"
    )


def _describe(node: NodeProto) -> str:
    return node.name or f"{node.op_type} → {next((name for name in node.output if name), 'no output')}"
