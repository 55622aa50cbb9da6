"""The whole of it: read a graph, search, write it back; subgraphs before the graph around them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from onnx import GraphProto, ModelProto, NodeProto
from onnx.helper import make_tensor_type_proto

from graphkit.facts.learning import learn_inputs, learn_model
from graphkit.facts.scope import Scope
from graphkit.facts.undeclared import undeclared
from graphkit.model import Model, holders, standard_domain, subgraphs
from graphkit.passes.contract import Declined
from graphkit.passes.transposes.amounts import Amount, spelt, total
from graphkit.passes.transposes.names import Names
from graphkit.passes.transposes.permutation import IDENTITY, Perm, compose, moves_only_ones
from graphkit.passes.transposes.reading import Reading
from graphkit.passes.transposes.reasons import reasons
from graphkit.passes.transposes.rebuild import Rebuild
from graphkit.passes.transposes.search import Search

_MOST_ROUNDS = 8
"""After the first there is seldom anything left to find."""

Bill = tuple[int, Amount]
"""Transposes, and the elements that they move."""


@dataclass
class Outcome:
    """What was done.

    Attributes:
        proto: The new model; None where nothing was done.
        before: Transposes, and elements moved, at the start.
        after: The same at the end.
        exact: Whether no number can have changed.
        kept: Those that stay, each with its reason.
        tired: Whether the search ended before everything was tried.
        layouts: Inputs and outputs that come in another layout now.
    """

    proto: ModelProto | None = None
    before: Bill = (0, {})
    after: Bill = (0, {})
    exact: bool = True
    kept: list[Declined] = field(default_factory=list)
    tired: bool = False
    layouts: dict[str, Perm] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """A few words: "4 → 1 Transposes, 1.2 M → 8 k elements moved"."""
        told = f"{self.before[0]} → {self.after[0]} Transposes"
        if dict(self.before[1]) == dict(self.after[1]):
            return told
        moved = spelt(self.before[1]), spelt(self.after[1])
        return f"{told}, fewer elements moved" if None in moved else f"{told}, {moved[0]} → {moved[1]} elements moved"


def optimise(model: Model, inputs: bool = False, outputs: bool = False) -> Outcome:
    """Find a model that computes the same and moves less; the given one is not changed.

    Args:
        model: The model.
        inputs: Whether its inputs may come in another layout.
        outputs: The same of its outputs.
    """
    proto = model.proto()
    copied = ModelProto()
    copied.CopyFrom(proto)
    annotated = frozenset(
        item.tensor_name
        for holder in holders(proto)
        if isinstance(holder, GraphProto)
        for item in holder.quantization_annotation
    )
    functions = frozenset(item.name for item in proto.functions if standard_domain(item.domain))
    work = _Work(Names(copied), model.opset, annotated, functions, inputs, outputs)
    scope = learn_model(undeclared(copied), model.values)
    given = {item.name for item in copied.graph.input}
    scope.constants |= {tensor.name: tensor for tensor in copied.graph.initializer if tensor.name not in given}
    changed = work.graph(copied.graph, scope)
    outcome = Outcome(copied if changed else None, exact=work.exact, tired=work.tired)
    outcome.before = sum(bill[0] for bill in work.before), _sum(bill[1] for bill in work.before)
    outcome.after = sum(bill[0] for bill in work.after), _sum(bill[1] for bill in work.after)
    outcome.kept, outcome.layouts = work.kept, work.layouts
    return outcome


def _sum(amounts: Iterable[Amount]) -> Amount:
    return total(part for amount in amounts for part in amount.items())


class _Work:
    def __init__(
        self,
        names: Names,
        opset: int,
        annotated: frozenset[str],
        functions: frozenset[str],
        inputs: bool,
        outputs: bool,
    ) -> None:
        self.functions = functions
        self.inputs = inputs
        self.outputs = outputs
        self.layouts: dict[str, Perm] = {}
        self.names = names
        self.opset = opset
        self.annotated = annotated
        self.before: list[Bill] = []
        self.after: list[Bill] = []
        self.kept: list[Declined] = []
        self.exact = True
        self.tired = False

    def graph(self, graph: GraphProto, scope: Scope, outer: Reading | None = None) -> bool:
        """Rewrite a graph in place, its subgraphs first; gives whether anything was."""
        reading = Reading(graph, scope, self.opset, outer, functions=self.functions)
        changed = False
        for index, node in enumerate(graph.node):
            changed = self._inside(index, node, scope, reading) or changed
        if reading.unsound is not None:
            found = [node for node in graph.node if node.op_type == "Transpose"]
            self._settle((len(found), {}), (len(found), {}), [Declined(reading.unsound)] if found else [])
            return changed
        self._open(reading)
        before = _bill(reading)
        if before[0] == 0:
            return changed
        now = reading
        for _ in range(_MOST_ROUNDS):
            after = self._round(now, graph, scope, outer)
            if after is None:
                break
            now, changed = after, True
            if self.tired:
                break
        self._settle(before, _bill(now), reasons(now))
        return changed

    def _round(self, reading: Reading, graph: GraphProto, scope: Scope, outer: Reading | None) -> Reading | None:
        """Search and rewrite once; gives what the graph is then, None where it stays as it is."""
        search = Search(reading.network)
        search.run()
        self.tired = self.tired or search.tired
        self.names.enter()
        rebuild = Rebuild(reading, self.names, self.opset)
        rebuild.run()
        if not search.changed and not _fewer(rebuild.nodes, reading):
            return None
        self.exact = (
            self.exact
            and not reading.half
            and all(
                node.label == () or (node.flow is not None and node.flow.exact)
                for node in reading.network.nodes.values()
            )
        )
        rebuild.into(graph)
        for name, perm in rebuild.declared(graph).items():
            both = compose(self.layouts.get(name, IDENTITY), perm)
            assert both is not None
            self.layouts[name] = both
        for item in (*graph.input, *graph.output):
            if item.name in self.layouts:
                scope.types[item.name] = item.type
        for tensor in rebuild.constants:
            scope.constants[tensor.name] = tensor
            scope.types[tensor.name] = make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        again = Reading(graph, scope, self.opset, outer, rebuild.shapes(), self.functions)
        self._open(again)
        return again

    def _open(self, reading: Reading) -> None:
        reading.pin(self.annotated)
        if reading.outer is None:
            reading.loosen(self.inputs, self.outputs)

    def _inside(self, index: int, node: NodeProto, scope: Scope, reading: Reading) -> bool:
        changed = False
        for attribute in node.attribute:
            for number, inner in enumerate(subgraphs(attribute)):
                known = scope.inner.get((index, attribute.name, number))
                if known is not None:
                    learn_inputs(known, inner, node, scope)
                    changed = self.graph(inner, known, reading) or changed
        return changed

    def _settle(self, before: Bill, after: Bill, kept: list[Declined]) -> None:
        self.before.append(before)
        self.after.append(after)
        self.kept.extend(kept)


def _bill(reading: Reading) -> Bill:
    """The Transposes of a graph as it stands, and what they move."""
    parts = []
    for index, (place, _) in reading.transposes.items():
        node = reading.graph.node[index]
        tensor, shape = reading.network.tensors[place], reading.shape(node.input[0])
        perm = next((list(item.ints) for item in node.attribute if item.name == "perm"), None)
        if shape is None or not moves_only_ones(tuple(perm if perm is not None else range(len(shape))[::-1]), shape):
            parts.append(tensor.size)
    return len(reading.transposes) + len(reading.broken), total(parts)


def _fewer(nodes: Iterable[NodeProto], reading: Reading) -> bool:
    """Whether there are fewer Transposes than there were."""
    count = sum(node.op_type == "Transpose" for node in nodes)
    return count < len(reading.transposes) + len(reading.broken)
