"""The nodes of a graph in an order in which they can run."""

from __future__ import annotations

from onnx import NodeProto

from graphkit.errors import PassRefused
from graphkit.facts.scope import Scope
from graphkit.model import reads
from graphkit.order import stable_order


def ordered(nodes: list[NodeProto], scope: Scope) -> list[tuple[int, NodeProto]]:
    """The nodes, each with its index, every one behind those it reads from; unchanged where they are in order.

    Raises:
        PassRefused: A tensor is made twice or by nobody, or the nodes wait for each other in a circle.
    """
    makers: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.output:
            if name in makers:
                raise PassRefused(f'the model is invalid: "{name}" is made by two nodes; sort says which')
            if name:
                makers[name] = index
    sources: list[set[int]] = []
    in_order = True
    for index, node in enumerate(nodes):
        waits = set()
        for name in reads(node):
            maker = makers.get(name)
            if maker is not None:
                waits.add(maker)
                in_order = in_order and maker < index
            elif not scope.visible(name):
                raise PassRefused(
                    f'the model is invalid: node {node.name or node.op_type} reads "{name}", which nothing makes'
                )
        sources.append(waits)
    if in_order:
        return list(enumerate(nodes))
    order = stable_order(sources)
    if len(order) != len(nodes):
        raise PassRefused("the model is invalid: its nodes wait for each other in a circle; sort says which")
    return [(index, nodes[index]) for index in order]
