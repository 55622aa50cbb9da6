"""Tensors that both models compute, in another type or shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from onnx import GraphProto

from graphkit.analysis.differences.report import Shape, TensorChange
from graphkit.facts.kinds import type_string
from graphkit.facts.labels import text
from graphkit.facts.learning import learn_model
from graphkit.facts.scope import Scope, shape_of
from graphkit.matching import Matching, Node
from graphkit.model import Model, subgraphs


@dataclass(frozen=True)
class Known:
    """What is known of the tensors of a graph.

    Attributes:
        scope: Their types.
        graph: The graph.
        open: Names of dimensions of the model's inputs: other names stand for what inference does not know.
    """

    scope: Scope
    graph: GraphProto
    open: frozenset[str]

    def inner(self, node: Node, attribute: str) -> Known | None:
        """The same of a node's subgraph; None where nothing is known of it.

        Args:
            node: The node.
            attribute: As the keys of `Node.bodies`: "body", or "bodies[1]" where one attribute holds several.
        """
        made = next((name for name in node.proto.output if name), "")
        index = self._makers.get(made, -1)
        for item in () if index < 0 else self.graph.node[index].attribute:
            graphs = subgraphs(item)
            for place, graph in enumerate(graphs):
                name = text(item.name) if len(graphs) == 1 else f"{text(item.name)}[{place}]"
                scope = self.scope.inner.get((index, item.name, place))
                if name == attribute and scope is not None:
                    return Known(scope, graph, self.open)
        return None

    @cached_property
    def _makers(self) -> dict[str, int]:
        return {name: index for index, node in enumerate(self.graph.node) for name in node.output if name}


def known(model: Model) -> Known:
    """What is declared and inferred of a model's tensors."""
    proto = model.proto()
    dims = [dim for info in proto.graph.input for dim in info.type.tensor_type.shape.dim]
    return Known(learn_model(proto, model.values), proto.graph, frozenset(dim.dim_param for dim in dims) - {""})


def changed_tensors(found: Matching, left: Known, right: Known, within: str) -> Iterator[TensorChange]:
    """Tensors that partners make, or return in one place, and that both sides know to be unlike.

    Inputs of the model are not among them, nor is what stands between them and something added in front.
    """
    seen: dict[tuple[int, int], None] = {}
    for pair in found.pairs:
        made = zip(pair.left.outputs, pair.right.outputs, strict=False)
        seen |= {(one, other): None for one, other in made if one >= 0 and other >= 0}
    for one, other in seen:
        names = found.left.names[one], found.right.names[other]
        kinds = left.scope.type(names[0]), right.scope.type(names[1])
        types = type_string(kinds[0]), type_string(kinds[1])
        shapes = shape_of(kinds[0]), shape_of(kinds[1])
        retyped = None not in types and types[0] != types[1]
        reshaped = _unlike(shapes[0], shapes[1], left.open, right.open)
        if retyped or reshaped:
            yield TensorChange(text(names[0]), text(names[1]), within, *types, *shapes, retyped, reshaped)


def _unlike(left: Shape | None, right: Shape | None, left_open: frozenset[str], right_open: frozenset[str]) -> bool:
    if left is None or right is None:
        return False
    if len(left) != len(right):
        return True
    for one, other in zip(left, right, strict=True):
        if isinstance(one, int) and isinstance(other, int):
            if one != other:
                return True
        elif (isinstance(one, int) and other in right_open) or (isinstance(other, int) and one in left_open):
            return True
    return False
