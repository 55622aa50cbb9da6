"""What a node reads, its subgraphs' readings from outside included (ONNX IR, "Names within a graph")."""

from __future__ import annotations

from onnx import GraphProto, NodeProto


def reads(node: NodeProto) -> set[str]:
    """The names of every tensor a node needs: its inputs, and what its subgraphs read from outside."""
    names = {name for name in node.input if name}
    for attribute in node.attribute:
        if attribute.HasField("g"):
            names |= _captured(attribute.g)
        for graph in attribute.graphs:
            names |= _captured(graph)
    return names


def _captured(graph: GraphProto) -> set[str]:
    """The names a subgraph reads from outside. Recursion is as deep as the nesting, which protobuf limits."""
    made = {info.name for info in graph.input} | {tensor.name for tensor in graph.initializer}
    made |= {item.values.name for item in graph.sparse_initializer}
    made |= {name for node in graph.node for name in node.output}
    used = {info.name for info in graph.output}
    for node in graph.node:
        used |= reads(node)
    return used - made
