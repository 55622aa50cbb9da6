"""Cancel, merge and fold the Transposes of a graph.

Every step removes at least one Transpose and adds none, so the sweep ends, and a graph it is done with holds nothing
that it would change:

    T(identity)            -> nothing
    T(p), T(q)             -> T(p[q])       where only Transposes read the first: it goes
    T(p), T(p's inverse)   -> nothing       for every such reader, whoever else reads the first
    constant, T(p)         -> constant
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import onnx_graphsurgeon as gs

from graphkit import edit
from graphkit.passes.contract import Declined
from graphkit.passes.transposes.permutation import (
    IDENTITY,
    Permutation,
    compose,
    is_identity,
    is_permutation,
    moves_only_ones,
    reverse,
)


@dataclass
class Outcome:
    """What the sweep did.

    Attributes:
        before: Transposes at the start.
        removed: Transposes that are gone.
        kept: Those that stay, each with its reason.
    """

    before: int = 0
    removed: int = 0
    kept: list[Declined] = field(default_factory=list)


def permutation(node: gs.Node) -> Permutation | str:
    """What a Transpose does, or why that is unknown, as half a sentence."""
    if len(node.inputs) != 1 or len(node.outputs) != 1 or node.inputs[0].is_empty() or node.outputs[0].is_empty():
        return "it lacks its input or its output"
    shape = node.inputs[0].shape
    rank = None if shape is None else len(shape)
    perm = node.attrs.get("perm")
    if perm is None:
        return None if rank is None else reverse(rank)
    if not isinstance(perm, list) or not all(isinstance(axis, int) for axis in perm) or not is_permutation(perm):
        return f"its perm {perm} is not a permutation"
    if not perm and rank != 0:
        return "its perm is empty"
    if rank is not None and rank != len(perm):
        return f"its perm {perm} does not fit its input, which has {rank} axes"
    return tuple(perm)


class _Sweep:
    def __init__(self, graph: gs.Graph, fixed: frozenset[str]) -> None:
        self.scopes = edit.Scopes(graph)
        self.fixed = fixed
        self.builder: edit.Builder | None = None
        self.graph = graph
        self.perms: dict[int, Permutation] = {}
        self.broken: dict[int, str] = {}
        self.gone: set[int] = set()
        self.queue: deque[gs.Node] = deque()
        self.queued: set[int] = set()
        self.transposes = [
            node for scope in self.scopes.graphs for node in scope.nodes if edit.standard(node, "Transpose")
        ]
        for node in self.transposes:
            perm = permutation(node)
            if isinstance(perm, str):
                self.broken[id(node)] = perm
            elif len(node.outputs[0].inputs) != 1:
                self.broken[id(node)] = f'"{node.outputs[0].name}" is written twice'
            else:
                self.perms[id(node)] = perm
                self.enqueue(node)

    def enqueue(self, node: gs.Node) -> None:
        if id(node) in self.perms and id(node) not in self.gone and id(node) not in self.queued:
            self.queued.add(id(node))
            self.queue.append(node)

    def run(self) -> Outcome:
        while self.queue:
            node = self.queue.popleft()
            self.queued.discard(id(node))
            if id(node) not in self.gone:
                self.visit(node)
        for scope in self.scopes.graphs:
            if self.gone:
                scope.nodes[:] = [node for node in scope.nodes if id(node) not in self.gone or node.op == "Identity"]
        kept = [
            Declined(self.reason(node), (edit.describe(node),)) for node in self.transposes if id(node) not in self.gone
        ]
        return Outcome(len(self.transposes), len(self.gone), kept)

    def visit(self, node: gs.Node) -> None:
        if is_identity(self.perms[id(node)]):
            self.drop(node)
        elif not (self.fold(node) or self.merge(node)):
            self.cancel(node)

    def readers(self, node: gs.Node) -> list[gs.Node]:
        """Who reads the node's output, each once."""
        return list({id(reader): reader for reader in node.outputs[0].outputs}.values())

    def drop(self, node: gs.Node) -> None:
        """Remove a Transpose that moves nothing; between two names that both have to stay it becomes an Identity."""
        neighbours = [*node.inputs[0].inputs, *self.readers(node)]
        self.gone.add(id(node))
        if edit.bypass(node, self.scopes) is not None:
            node.op = "Identity"
            node.attrs.clear()
        for item in neighbours:
            self.enqueue(item)

    def fold(self, node: gs.Node) -> bool:
        """Transpose a constant now. It may be shared, so the result is a constant of its own."""
        source, result = node.inputs[0], node.outputs[0]
        if self.scopes.is_output(result) or source.name in self.fixed:
            return False
        values = edit.constant_value(source)
        if values is None:
            return False
        perm = self.perms[id(node)] or reverse(values.ndim)
        if len(perm) != values.ndim:
            return False
        self.builder = self.builder or edit.Builder(self.graph, "graphkit/remove-transposes")
        readers = self.readers(node)
        folded = gs.Constant(self.builder.unique("constant"), values.transpose(perm).copy(order="C"))
        edit.detach(node)
        edit.replace_uses(result, folded)
        self.gone.add(id(node))
        for reader in readers:
            self.enqueue(reader)
        return True

    def merge(self, node: gs.Node) -> bool:
        """Where only Transposes read a Transpose, let each do the work of both."""
        source, result, readers = node.inputs[0], node.outputs[0], self.readers(node)
        if not readers or self.scopes.is_output(result) or not self.scopes.can_read(readers, source, node):
            return False
        both = [self.composed(node, reader) for reader in readers]
        if any(perm is None for perm in both):
            return False
        edit.detach(node)
        self.gone.add(id(node))
        for reader, perm in zip(readers, both, strict=True):
            self.redirect(reader, source, perm)
        return True

    def cancel(self, node: gs.Node) -> None:
        """Free every reader that undoes this Transpose; it stays for the others."""
        source = node.inputs[0]
        for reader in self.readers(node):
            if is_identity(self.composed(node, reader)) and self.scopes.can_read([reader], source, node):
                self.redirect(reader, source, IDENTITY)

    def composed(self, node: gs.Node, reader: gs.Node) -> tuple[int, ...] | None:
        """What the two do together; None where `reader` is no sound Transpose."""
        if reader is node or id(reader) not in self.perms or id(reader) in self.gone:
            return None
        return compose(self.perms[id(node)], self.perms[id(reader)])

    def redirect(self, reader: gs.Node, source: gs.Tensor, perm: Permutation) -> None:
        reader.inputs[0] = source
        self.perms[id(reader)] = perm
        if perm:
            reader.attrs["perm"] = list(perm)
        for item in (*source.inputs, reader):
            self.enqueue(item)

    def reason(self, node: gs.Node) -> str:
        """Why a Transpose stays."""
        if id(node) in self.broken:
            return self.broken[id(node)]
        perm, shape = self.perms[id(node)], node.inputs[0].shape
        where = _feeds(node, self.scopes)
        if perm and shape is not None and moves_only_ones(perm, shape):
            return f"{where}; it only moves axes of size 1, which costs as little as a Reshape"
        return where


def sweep(graph: gs.Graph, fixed: frozenset[str]) -> Outcome:
    """Remove what can be removed, in the graph and its subgraphs.

    Args:
        graph: Rewritten in place; functions are not entered.
        fixed: Initializers that are no constants, because a caller may replace them.
    """
    return _Sweep(graph, fixed).run()


def _feeds(node: gs.Node, scopes: edit.Scopes) -> str:
    """What reads the node, for a reader: "it feeds the DFL Softmax (/model.22/dfl/Softmax)"."""
    result = node.outputs[0]
    readers = list({id(reader): reader for reader in result.outputs}.values())
    parts = [f"{'the DFL ' if _is_dfl(reader) else ''}{reader.op} ({edit.describe(reader)})" for reader in readers[:3]]
    if len(readers) > 3:
        parts.append(f"{len(readers) - 3} more")
    if scopes.is_output(result):
        parts.append(f'the graph output "{result.name}"')
    if not parts:
        return "nothing reads it"
    return f"it feeds {parts[0] if len(parts) == 1 else ', '.join(parts[:-1]) + ' and ' + parts[-1]}"


def _is_dfl(node: gs.Node) -> bool:
    """A Softmax whose only reader weighs its bins with 0, 1, 2 … (distribution focal loss, arXiv 2006.04388, eq. 3)."""
    if not edit.standard(node, "Softmax") or len(node.outputs) != 1 or len(node.outputs[0].outputs) != 1:
        return False
    reader = node.outputs[0].outputs[0]
    if not edit.standard(reader, "Conv", "MatMul") or len(reader.inputs) < 2:
        return False
    weights = edit.constant_value(reader.inputs[1])
    return weights is not None and weights.size > 1 and weights.ravel().tolist() == list(range(weights.size))
