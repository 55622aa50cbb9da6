"""Carrying out what the analysis plans, and saying what the proof has to see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit import edit
from graphkit.errors import PassRefused
from graphkit.heads import Arrays, HeadNotFound, OtherSizes, recognise
from graphkit.heads.levels import raw_head
from graphkit.heads.recipe import Names, recover
from graphkit.model import Model
from graphkit.passes.contract import PassResult
from graphkit.passes.exported import with_sizes
from graphkit.passes.folding import fold
from graphkit.passes.make_dynamic.analysis import Plan, Stuck, analyse
from graphkit.passes.make_dynamic.emit import apply
from graphkit.passes.make_dynamic.signature import Chosen
from graphkit.passes.make_dynamic.worlds import Dims, Vector, fixed
from graphkit.tidy import tidy

_MOST_BYTES = 1 << 26
_OLDEST = 11
"""Range."""
_ELSEWHERE = (1, 2)
"""Which of the sizes of the analysis the proof runs the model at."""


def rewrite(model: Model, chosen: Chosen) -> PassResult:
    """Make a model dynamic, in place.

    Raises:
        PassRefused: A node is in the way.
    """
    if model.opset < _OLDEST:
        raise PassRefused(
            f"needs opset {_OLDEST} or newer; the model has {model.opset}. Run pin-opset: {_OLDEST} before"
        )
    before = model.proto()
    if before.graph.node:
        fold(model.graph, model.opset, edit.overridable(before), _MOST_BYTES, shapes=False)
        tidy(model.graph)  # makers come before readers
    plan = _plan(model, chosen)
    graph = model.graph
    apply(graph, plan.edits, plan.known.sizes)
    names = _Names(plan, chosen)
    _declare(graph, plan, chosen, names)
    count = len(plan.edits)
    unit = f", sides in multiples of {plan.unit}" if chosen.wanted.sides and plan.unit > 1 else ""
    summary = f"{', '.join(chosen.asked)}; {count} constant{'s' * (count != 1)} computed{unit}"
    return PassResult(
        rewrites=chosen.changes + count,
        summary=summary,
        metadata=with_sizes(model.metadata, {name: _shown(graph, name) for name in chosen.symbols}),
        warnings=tuple(dict.fromkeys(plan.known.assumptions)),
        inputs=_relation(model, plan, chosen),
    )


def _shown(graph: gs.Graph, name: str) -> list[int | str | None]:
    return next(list(tensor.shape) for tensor in graph.inputs if tensor.name == name)


def _plan(model: Model, chosen: Chosen) -> Plan:
    what = " and ".join(chosen.asked)
    try:
        plan = _analyse(model, chosen)
    except Stuck as stuck:
        advice = "Export the model with dynamic shapes instead"
        if chosen.asked != ("batch",) and chosen.wanted.batch:
            try:
                _analyse(model, chosen.only_batch())
                advice = (
                    "The batch alone can be made dynamic: leave height and width out, or export it with dynamic shapes"
                )
            except (Stuck, PassRefused):
                pass
        raise PassRefused(f"cannot make {what} dynamic: {stuck.node}: {stuck.reason}. {advice}") from stuck
    return plan


def _analyse(model: Model, chosen: Chosen) -> Plan:
    proto = model.proto()
    plan = analyse(proto.graph, model.opset, model.values, chosen.wanted, chosen.strides)
    batch = plan.known.batch
    for output in proto.graph.output:
        dims = plan.dims.get(output.name)
        if batch is None:
            continue
        if not dims or dims[0] is None or any(dims[0][0] * b != dims[0][w] * batch[0] for w, b in enumerate(batch)):
            raise PassRefused(
                f'cannot make batch dynamic: the output "{output.name}" does not have the images along its first '
                "dimension, so they could not be told apart. Leave batch out (batch: false), or export the model with "
                "dynamic shapes"
            )
    return plan


class _Names:
    """Names for dimensions that move, the same for the same one."""

    def __init__(self, plan: Plan, chosen: Chosen) -> None:
        self._sizes = plan.known.sizes
        self._names: dict[Vector, str] = {}
        self._taken: set[str] = set()
        for name, axes in chosen.symbols.items():
            for axis, symbol in axes.items():
                size = (plan.dims.get(name) or ())[axis]
                if size is not None:
                    self._names.setdefault(size, symbol)
                    self._taken.add(symbol)
        self._own = dict(self._names)

    def of(self, size: Vector | None) -> int | str | None:
        """A number, or the name of a dimension; None where nothing is known of it."""
        if size is None or fixed(size):
            return None if size is None else size[0]
        if size not in self._names:
            self._names[size] = self._new(size)
        return self._names[size]

    def _new(self, size: Vector) -> str:
        # Rows of several maps, one after the other: what detectors call anchors.
        wanted = "anchors" if len(self._sizes.levels(size)) > 1 else "size"
        for own, symbol in self._own.items():
            if (times := _times(own, size)) is not None:
                wanted = f"{symbol}_div_{times}"
            elif (times := _times(size, own)) is not None:
                wanted = f"{symbol}_x_{times}"
        name, number = wanted, 1
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name


def _times(large: Vector, small: Vector) -> int | None:
    """By how much one dimension is larger than another, at every size."""
    factors = {divmod(a, b) for a, b in zip(large, small, strict=True)}
    return next(iter(factors))[0] if len(factors) == 1 and next(iter(factors))[1] == 0 else None


def _declare(graph: gs.Graph, plan: Plan, chosen: Chosen, names: _Names) -> None:
    """Write the new shapes to inputs, outputs and everything between."""
    for tensor in graph.inputs:
        symbols = chosen.symbols.get(tensor.name, {})
        if symbols and tensor.shape is not None:
            tensor.shape = [symbols.get(axis, size) for axis, size in enumerate(tensor.shape)]
    made = [tensor for node in graph.nodes for tensor in node.outputs if isinstance(tensor, gs.Variable)]
    for tensor in (*graph.outputs, *made):
        if tensor.name in plan.dims and isinstance(tensor, gs.Variable):
            dims: Dims | None = plan.dims[tensor.name]
            if dims is not None:
                tensor.shape = [names.of(size) for size in dims]
            elif tensor.shape is not None and not any(tensor is output for output in graph.outputs):
                tensor.shape = None


def _relation(model: Model, plan: Plan, chosen: Chosen) -> OtherSizes:
    """What the proof has to see."""
    elsewhere = []
    if chosen.wanted.sides:
        for world in _ELSEWHERE:
            outputs: dict[str, tuple[int | None, ...]] = {}
            for tensor in model.graph.outputs:
                dims = plan.dims.get(tensor.name)
                if dims is not None:
                    outputs[tensor.name] = tuple(None if size is None else size[world] for size in dims)
            elsewhere.append((plan.inputs[world], outputs))
    decode, exposed = _reference(model) if elsewhere else (None, ())
    return OtherSizes(chosen.wanted.batch, tuple(elsewhere), decode, exposed)


def _reference(model: Model) -> tuple[Any, tuple[str, ...]]:
    """What decodes the last layers' predictions, and the tensors it reads; (None, ()) where no head is recognised."""
    copied = model.copy()
    try:
        head = recognise(copied.graph, copied.metadata)
    except HeadNotFound:
        return None, ()
    raw = raw_head(head)
    if raw is None:
        return None, ()
    names = Names(
        boxes=tuple(tensor.name for tensor in raw.boxes),
        scores=tuple(tensor.name for tensor in raw.logits),
        extras=tuple(tuple(tensor.name for tensor in extra.tensors) for extra in raw.extras),
    )
    old = recover(head, raw, names)

    def decode(arrays: Arrays) -> dict[str, NDArray[Any]]:
        found: Mapping[str, NDArray[Any]] = old(arrays)
        return dict(found)

    exposed = (*names.boxes, *names.scores, *(name for level in names.extras for name in level))
    return decode, exposed
