"""What the pipeline does after every rewrite: dead nodes go, and nodes stand behind what they read."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import onnx_graphsurgeon as gs

from graphkit.edit import all_graphs, detach_all
from graphkit.model import reads, subgraphs
from graphkit.order import stable_order


def tidy(graph: gs.Graph) -> None:
    """Remove nodes that no output depends on and restore topological order, in the graph and in every subgraph.

    Graph inputs stay, used or not. Unused initializers go when the graph is written. A node inside a subgraph keeps
    alive what it reads from outside. A cycle is left as it stands, for the check to report.
    """
    for scope in list(all_graphs(graph)):
        _drop_dead(scope)
    for scope in all_graphs(graph):
        _put_in_order(scope)


def is_tidy(graph: onnx.GraphProto) -> bool:
    """Whether `tidy` would leave a graph as it is: in order, nothing dead, no initializer that nothing reads.

    What is a graph input too may be read by nobody.
    """
    made = {name for node in graph.node for name in node.output if name}
    read = {item.name for item in graph.output}
    for node in reversed(graph.node):
        if node.output and not any(name in read for name in node.output if name):
            return False
        read |= reads(node)
    seen = set[str]()
    for node in graph.node:
        if any(name in made and name not in seen for name in reads(node)):
            return False
        seen.update(node.output)
    inputs = {item.name for item in graph.input}
    if any(tensor.name not in read and tensor.name not in inputs for tensor in graph.initializer):
        return False
    inner = (item for node in graph.node for attribute in node.attribute for item in subgraphs(attribute))
    return all(is_tidy(item) for item in inner)


def _reads(node: gs.Node) -> Iterator[gs.Tensor]:
    """Every tensor a node reads, those that its subgraphs read from outside included."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield from current.inputs
        for value in current.attrs.values():
            if isinstance(value, gs.Graph):
                yield from value.outputs
                pending.extend(value.nodes)


def _drop_dead(graph: gs.Graph) -> None:
    # What a subgraph reads of the graphs around it is theirs to keep: from every one of many branches the walk would
    # go through all that stands before it.
    own = {id(node) for node in graph.nodes}
    alive: set[int] = set()
    pending = [producer for output in graph.outputs for producer in output.inputs]
    while pending:
        node = pending.pop()
        if id(node) in own and id(node) not in alive:
            alive.add(id(node))
            pending.extend(producer for tensor in _reads(node) for producer in tensor.inputs)
    dead = [node for node in graph.nodes if id(node) not in alive]
    if dead:
        graph.nodes[:] = [node for node in graph.nodes if id(node) in alive]
        detach_all(dead)


def _put_in_order(graph: gs.Graph) -> None:
    index = {id(node): position for position, node in enumerate(graph.nodes)}
    dependencies = [
        {index[id(producer)] for tensor in _reads(node) for producer in tensor.inputs if id(producer) in index}
        for node in graph.nodes
    ]
    if all(source < position for position, sources in enumerate(dependencies) for source in sources):
        return
    for position, sources in enumerate(dependencies):
        sources.discard(position)
    order = stable_order(dependencies)
    if len(order) == len(graph.nodes):
        graph.nodes[:] = [graph.nodes[position] for position in order]
