"""Two models, compared."""

from __future__ import annotations

from collections.abc import Iterator

from onnx import FunctionProto, ModelProto, ValueInfoProto

from graphkit.analysis.differences.ends import changed_ends
from graphkit.analysis.differences.nodes import Collected
from graphkit.analysis.differences.report import GraphDiff
from graphkit.analysis.differences.settings import changed_settings
from graphkit.analysis.differences.tensors import known
from graphkit.analysis.statistics.summary import summarise
from graphkit.facts.labels import text
from graphkit.matching import Matching, match
from graphkit.model import Model, standard_domain


def compare(left: Model, right: Model) -> GraphDiff:
    """What of `right` is not as it is in `left`. Nothing is run, and neither is changed. Nearly linear in the nodes.

    Nodes are matched by structure: names inside the graph, the order of nodes, whether a constant is an initializer, a
    Constant node's value or external, attributes at their default, unused weights and documentation make no difference.

    Raises:
        ModelError: A graph is cyclic, or a constant cannot be read.
    """
    found = match(left, right)
    collected = Collected()
    collected.add(found, (left, right), (known(left), known(right)), "")
    counts = collected.counts((found.left, found.right))
    matched, same = collected.matched, collected.same
    for where, one, other, inner in _functions(left, right):
        collected.add(inner, (one, other), (None, None), where)
    return GraphDiff(
        left_name=left.name,
        right_name=right.name,
        left=summarise(left),
        right=summarise(right),
        settings=tuple(changed_settings(left, right)),
        ends=tuple(changed_ends(found, left, right)),
        places=tuple(collected.places),
        nodes=tuple(collected.nodes),
        tensors=tuple(collected.tensors),
        operators=counts,
        definitions=collected.defined(),
        matched=matched,
        same=same,
    )


def _functions(left: Model, right: Model) -> Iterator[tuple[str, Model, Model, Matching]]:
    """The functions that both models have and that are not the same, matched as if they were graphs."""
    others = {(item.domain, item.name, item.overload): item for item in right.proto().functions}
    for function in left.proto().functions:
        other = others.get((function.domain, function.name, function.overload))
        if other is None or function == other:
            continue
        one, two = _alone(function, left), _alone(other, right)
        found = match(one, two)
        if not found.equal:
            domain = "" if standard_domain(function.domain) else f"{text(function.domain)}::"
            yield f"function {domain}{text(function.name)}", one, two, found


def _alone(function: FunctionProto, model: Model) -> Model:
    """A model whose graph is a function's body. Inputs go by place, whatever they are called."""
    proto = ModelProto(ir_version=model.proto().ir_version, opset_import=function.opset_import)
    proto.graph.node.extend(function.node)
    proto.graph.input.extend(ValueInfoProto(name=name) for name in function.input)
    proto.graph.output.extend(ValueInfoProto(name=name) for name in function.output)
    proto.functions.extend(model.proto().functions)
    return Model(proto, model.source)
