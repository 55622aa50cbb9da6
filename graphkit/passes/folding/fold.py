"""Rounds of onnx-graphsurgeon's fold_constants, held to what may be folded and to saying what was not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.logger import G_LOGGER

from graphkit import edit
from graphkit.passes.contract import Declined
from graphkit.passes.folding.kept import kept_shape
from graphkit.passes.folding.shapes import fixed_shape

# Random at every run, although some have no input at all.
_RANDOM = {
    "RandomNormal",
    "RandomUniform",
    "RandomNormalLike",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
    "Dropout",
}
# Folding these takes the quantization out of the weights.
_QUANTIZING = {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"}
_NEVER = frozenset({*_RANDOM, *_QUANTIZING, "Constant"})


@dataclass
class Outcome:
    """What folding did.

    Attributes:
        folded: Nodes that became constants.
        declined: Nodes that depend on constants alone and stay, with the reason.
    """

    folded: int = 0
    declined: list[Declined] = field(default_factory=list)


def fold(graph: gs.Graph, opset: int, fixed: frozenset[str], max_bytes: int, shapes: bool = True) -> Outcome:
    """Fold in the graph and its subgraphs, outermost first, in place; functions are not entered.

    Args:
        graph: The graph. Its Constant nodes become initializers even where nothing is folded.
        opset: Version of the default operator set.
        fixed: Initializers that are no constants, because a caller may replace them.
        max_bytes: Largest constant that may be made.
        shapes: Fold what is read of fixed shapes, too.
    """
    outcome = Outcome()
    names: set[str] = set()
    for scope in list(edit.all_graphs(graph)):
        _Folding(scope, opset, fixed, max_bytes, outcome, shapes, graph, names).run()
    return outcome


class _Folding:
    def __init__(
        self,
        scope: gs.Graph,
        opset: int,
        fixed: frozenset[str],
        max_bytes: int,
        outcome: Outcome,
        shapes: bool,
        root: gs.Graph,
        names: set[str],
    ) -> None:
        self.scope, self.opset, self.fixed, self.max_bytes, self.outcome = scope, opset, fixed, max_bytes, outcome
        self.shapes, self.root, self.names = shapes, root, names
        self.outputs = {tensor.name for tensor in scope.outputs}
        self.stay: dict[str, str] = {}
        """First output of a node that must stay -> the reason."""

    def run(self) -> None:
        progress = True
        while progress:
            before = self.outcome.folded
            if self.shapes:
                self.fold_shapes()
            candidates = self.candidates()
            failure = self.evaluate() if candidates else None
            self.sweep(candidates)
            # What could have been folded and was not stays, and what it reads gets its own chance.
            stuck = [node for node in candidates if node.outputs and self.ready(node)]
            for node in stuck:
                self.stay.setdefault(
                    node.outputs[0].name, failure or f"its result is larger than {self.max_bytes} bytes"
                )
            progress = bool(stuck) or self.outcome.folded > before
        for node in self.scope.nodes:
            if node.outputs and node.outputs[0].name in self.stay and self.ready(node):
                self.outcome.declined.append(Declined(self.stay[node.outputs[0].name], (edit.describe(node),)))

    def sweep(self, candidates: list[gs.Node]) -> None:
        """Detach what was folded and what only that has read, and count it."""
        gone: dict[int, gs.Node] = {}
        todo = list(candidates)
        mine = {id(node) for node in candidates}
        left: dict[int, int] = {}  # tensor -> its readers that are not gone, once one is
        while todo:
            node = todo.pop()
            if id(node) in gone or any(
                left.get(id(tensor), len(tensor.outputs)) or tensor.name in self.outputs for tensor in node.outputs
            ):
                continue
            gone[id(node)] = node
            for tensor in node.inputs:
                left[id(tensor)] = left.get(id(tensor), len(tensor.outputs)) - 1
                todo.extend(source for source in tensor.inputs if id(source) in mine)
        edit.detach_all(gone.values())
        # graphsurgeon turns Constant nodes into initializers and leaves the nodes behind without an output.
        kept = (node for node in self.scope.nodes if node.outputs or node.op != "Constant")
        self.scope.nodes[:] = [node for node in kept if id(node) not in gone]
        self.outcome.folded += len(gone)

    def fold_shapes(self) -> None:
        gone: set[int] = set()
        for node in self.scope.nodes:
            kept = kept_shape(node, self.opset, self.fixed)
            if kept is not None:
                node.inputs[1] = gs.Constant(self.fresh(f"{node.inputs[1].name}_kept"), kept)
                self.outcome.folded += 1
                continue
            value = fixed_shape(node, self.opset, self.fixed)
            if value is None or self.blocked(node):
                continue
            result = node.outputs[0]
            edit.detach(node)
            result.to_constant(value)
            gone.add(id(node))
        self.scope.nodes[:] = [node for node in self.scope.nodes if id(node) not in gone]
        self.outcome.folded += len(gone)

    def fresh(self, hint: str) -> str:
        """A name that nothing in the whole model has."""
        if not self.names:
            self.names |= edit.names_in(self.root)
        name = next(name for number in count() if (name := f"{hint}{number or ''}") not in self.names)
        self.names.add(name)
        return name

    def is_constant(self, tensor: gs.Tensor) -> bool:
        if tensor.is_empty():
            return True
        if tensor.name in self.fixed:
            return False
        if isinstance(tensor, gs.Constant):
            return _loadable(tensor)
        return len(tensor.inputs) == 1 and edit.constant_value(tensor) is not None

    def ready(self, node: gs.Node, soon: frozenset[str] | set[str] = frozenset()) -> bool:
        """Whether the node may be folded and every input is constant, or is about to be."""
        return (
            bool(node.outputs)
            and not _never(node)
            and all(tensor.name in soon or self.is_constant(tensor) for tensor in node.inputs)
        )

    def candidates(self) -> list[gs.Node]:
        """Nodes that can be folded in this round: those that are ready, and those that read only such."""
        found: list[gs.Node] = []
        soon: set[str] = set()
        for node in self.scope.nodes:
            if self.ready(node, soon) and not self.blocked(node):
                found.append(node)
                soon.update(tensor.name for tensor in node.outputs if tensor.name)
        return found

    def blocked(self, node: gs.Node) -> bool:
        """Whether the node must stay; notes why."""
        name = node.outputs[0].name if node.outputs else ""
        if name in self.stay:
            return True
        for tensor in node.outputs:
            size = _size(tensor)
            if tensor.name in self.outputs:
                self.stay[name] = f'its result is the graph output "{tensor.name}"'
            elif size is not None and size > self.max_bytes:
                self.stay[name] = f"its result has {size} bytes, more than max-bytes {self.max_bytes}"
        return name in self.stay

    def excluded(self, node: gs.Node) -> bool:
        """The same question for a node of graphsurgeon's own copy of the graph, so by name."""
        return (
            not node.outputs
            or node.outputs[0].name in self.stay
            or _never(node)
            or any(isinstance(tensor, gs.Constant) and not self.is_constant(tensor) for tensor in node.inputs)
        )

    def evaluate(self) -> str | None:
        """One call of graphsurgeon; if that fails, another that isolates what fails. Returns the failure."""
        with _names_restored(self.scope), _quiet():
            try:
                _fold(self.scope, self.excluded, self.max_bytes, None)
            except Exception as error:  # noqa: BLE001 - onnxruntime's errors are the reason to report
                lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
                with suppress(Exception):  # the first failure is the one to report
                    _fold(self.scope, self.excluded, self.max_bytes, "recursive")
                return f"onnxruntime cannot evaluate it: {lines[0][:200]}"
        return None


def _never(node: gs.Node) -> bool:
    """Random, quantizing, custom, or with a subgraph."""
    return (
        node.op in _NEVER
        or node.domain not in (None, "", "ai.onnx")
        or any(isinstance(value, gs.Graph | gs.Node.AttributeRef) for value in node.attrs.values())
    )


def _fold(scope: gs.Graph, exclude: Callable[[gs.Node], bool], max_bytes: int, partitioning: str | None) -> None:
    scope.fold_constants(
        fold_shapes=False,
        recurse_subgraphs=False,
        partitioning=partitioning,
        error_ok=False,
        flatten_subgraphs=False,
        size_threshold=max_bytes,
        should_exclude_node=exclude,
        recurse_functions=False,
    )


def _loadable(tensor: gs.Constant) -> bool:
    values = tensor._values  # noqa: SLF001 - `values` would load them
    location = getattr(getattr(values, "tensor", None), "data_location", None)
    return isinstance(values, np.ndarray) or location == onnx.TensorProto.DEFAULT


def _size(tensor: gs.Tensor) -> int | None:
    """Bytes, where type and shape are known."""
    shape, dtype = tensor.shape, tensor.dtype
    if shape is None or dtype is None or isinstance(dtype, int) or not all(isinstance(dim, int) for dim in shape):
        return None
    return int(np.prod([max(dim, 0) for dim in shape], dtype=np.int64)) * int(np.dtype(dtype).itemsize)


@contextmanager
def _names_restored(scope: gs.Graph) -> Iterator[None]:
    """Graphsurgeon names the tensors of Constant nodes after their outputs, in the very proto the graph came from."""
    values = [
        value._values  # noqa: SLF001 - `values` would load them
        for node in scope.nodes
        for value in node.attrs.values()
        if node.op == "Constant" and isinstance(value, gs.Constant)
    ]
    tensors = [item.tensor for item in values if type(getattr(item, "tensor", None)) is onnx.TensorProto]
    names = [tensor.name if tensor.HasField("name") else None for tensor in tensors]
    try:
        yield
    finally:
        for tensor, name in zip(tensors, names, strict=True):
            if name is None:
                tensor.ClearField("name")
            else:
                tensor.name = name


@contextmanager
def _quiet() -> Iterator[None]:
    """Graphsurgeon and onnxruntime write to the terminal; what they say is reported as a reason instead."""
    severity = G_LOGGER.severity
    G_LOGGER.severity = G_LOGGER.CRITICAL + 1
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(sink)
        os.close(saved)
        G_LOGGER.severity = severity
