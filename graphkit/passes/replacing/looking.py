"""Which NMS a model has inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx_graphsurgeon as gs

from graphkit.edit import all_graphs, describe, overridable, standard
from graphkit.facts.learning import learn_model
from graphkit.heads.head import Dimension
from graphkit.heads.trace import producer, upstream
from graphkit.passes.replacing.embedded import read_embedded
from graphkit.passes.replacing.found import Found, NotReplaceable
from graphkit.passes.replacing.plugin import is_plugin, read_plugin

if TYPE_CHECKING:
    from graphkit.model import Model


def look(model: Model) -> Found | None:
    """The NMS of a model; None where it has none that is known by an operator.

    Raises:
        NotReplaceable: There is some, and it cannot be replaced.
    """
    proto, graph = model.proto(), model.graph
    functions = {(item.domain, item.name) for item in proto.functions}
    inner = [node for scope in list(all_graphs(graph))[1:] for node in scope.nodes if _suppresses(node, functions)]
    if inner:
        raise NotReplaceable(f"{describe(inner[0])} is inside of a subgraph, which is not entered")
    nodes = [node for node in graph.nodes if _suppresses(node, functions)]
    if len(nodes) > 1:
        raise NotReplaceable(
            f"there are {len(nodes)} of them ({', '.join(map(describe, nodes[:3]))}), and one is known"
        )
    if not nodes:
        return None
    scope = learn_model(proto, model.values)

    def shape(tensor: gs.Tensor) -> list[Dimension | None] | None:
        known = scope.shape(tensor.name)
        if known is not None and all(isinstance(size, int) for size in known):
            return list(known)
        return list(tensor.shape) if tensor.shape is not None else None if known is None else list(known)

    if is_plugin(nodes[0]):
        return read_plugin(nodes[0], graph, shape)
    return read_embedded(nodes[0], graph, shape, overridable(proto))


def is_matrix(graph: gs.Graph) -> bool:
    """Whether an output comes out of the repeated line of the matrix backend: Relu(valid - keep · over), twice."""
    for node in upstream(graph.outputs):
        inner = _line(node)
        before = producer(inner[1], "Relu") if inner is not None else None
        outer = _line(before) if before is not None else None
        if inner is not None and outer is not None and inner[0] is outer[0] and inner[2] is outer[2]:
            return True
    return False


def is_unrolled(graph: gs.Graph) -> bool:
    """Whether an output comes out of a round of the unrolled backend: the first of those with the largest score."""
    for node in upstream(graph.outputs):
        ranked = _below_largest(node)
        above = producer(ranked, "Add") if ranked is not None else None
        behind = producer(above.inputs[0], "Sub") if above is not None else None
        if behind is not None and _below_largest(behind) is not None:
            return True
    return False


def _below_largest(node: gs.Node) -> gs.Tensor | None:
    """What the node takes the largest value off of, where it does: Sub(x, GlobalMaxPool(x))."""
    if not standard(node, "Sub") or len(node.inputs) != 2:
        return None
    largest = producer(node.inputs[1], "GlobalMaxPool")
    return node.inputs[0] if largest is not None and largest.inputs[0] is node.inputs[0] else None


def _line(node: gs.Node) -> tuple[gs.Tensor, gs.Tensor, gs.Tensor] | None:
    """valid, keep and over of one line."""
    if not standard(node, "Relu"):
        return None
    minus = producer(node.inputs[0], "Sub")
    times = producer(minus.inputs[1], "MatMul") if minus is not None and len(minus.inputs) == 2 else None
    if minus is None or times is None or len(times.inputs) != 2:
        return None
    return minus.inputs[0], times.inputs[0], times.inputs[1]


def _suppresses(node: gs.Node, functions: set[tuple[str, str]]) -> bool:
    return standard(node, "NonMaxSuppression") or (is_plugin(node) and (node.domain or "", node.op) not in functions)
