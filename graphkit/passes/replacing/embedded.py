"""Reading the NMS that embed-nms makes of the ONNX operator NonMaxSuppression.

What stands around that operator decides what comes out: which candidates enter, how classes are kept apart, what a
padding row holds. So nothing is guessed: what the graph could have been made of is put through embed-nms's own builder,
and only where that gives the same computation, operator by operator, is the NMS known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
import onnx_graphsurgeon as gs
from numpy.typing import NDArray

from graphkit.edit import constant_value, describe
from graphkit.heads import Arrays, Head, RawDetections, raw_detections
from graphkit.heads.head import Dimension, Extra
from graphkit.heads.trace import operand, producer
from graphkit.passes.embed_nms import onnx_backend
from graphkit.passes.embed_nms.common_backend import Build
from graphkit.passes.embed_nms.rows import outputs as make_outputs
from graphkit.passes.emit import Emitter
from graphkit.passes.replacing.found import Found, NotReplaceable, Semantics, Threshold, bare_head
from graphkit.passes.replacing.sameness import Digests, Shape, Unlike

_NEAR = 120
"""Nodes between the outputs and the scores."""


@dataclass(frozen=True)
class _Guess:
    """What the NMS may have been made of."""

    scores: gs.Tensor
    semantics: Semantics
    limit: int | None
    layout: Literal["four", "ultralytics"]


def read_embedded(node: gs.Node, graph: gs.Graph, shape: Shape, given: frozenset[str]) -> Found:
    """What the operator and all that stands around it do.

    Args:
        node: NonMaxSuppression.
        graph: Where it is.
        shape: Gives the shape of a tensor, as far as known.
        given: Initializers that a caller may replace.

    Raises:
        NotReplaceable: That is not what embed-nms makes.
    """
    unknown = NotReplaceable(
        f"what stands around {describe(node)} is not as embed-nms makes it, so what comes out is not known well enough"
    )
    boxes, rows = operand(node, 0), constant_value(node.inputs[2]) if len(node.inputs) == 5 else None
    if boxes is None or rows is None or rows.size != 1:
        raise unknown
    thresholds = [_threshold(node.inputs[index], given) for index in (4, 3)]
    confidence, iou = thresholds
    behind = _behind(node, graph)
    if confidence is None or iou is None or not behind:
        raise unknown
    for guess in _guesses(node, behind):
        extras = _extras(behind, boxes, guess.layout, shape)
        if extras is None:
            continue
        sizes = _sizes(boxes, guess.scores, shape)
        if sizes is None:
            continue
        head = bare_head(boxes, guess.scores, sizes, "nc", "cn", "corners", extras)
        known = _same(node, graph, head, guess, behind, int(rows.reshape(-1)[0]), (confidence, iou), given, shape)
        if known is None:
            continue
        return Found(
            backend="onnx",
            prepare=_as_it_is(head),
            decode=_decode(head),
            exposed=head.outputs,
            direct=True,
            semantics=guess.semantics,
            confidence=confidence,
            iou=iou,
            rows=int(rows.reshape(-1)[0]),
            limit=guess.limit,
            layout=guess.layout,
            outputs=known,
        )
    raise unknown


def _as_it_is(head: Head) -> Callable[[Emitter], Head]:
    def prepare(_emit: Emitter) -> Head:
        return head

    return prepare


def _decode(head: Head) -> Callable[[Arrays], RawDetections]:
    return raw_detections(head)


def _threshold(tensor: gs.Tensor, given: frozenset[str]) -> Threshold | None:
    """A fixed threshold, or an input of the model with a default."""
    value = constant_value(tensor)
    if value is None or value.size != 1:
        return None
    return Threshold(float(value.reshape(-1)[0]), tensor if tensor.name in given else None)


def _behind(node: gs.Node, graph: gs.Graph) -> list[gs.Tensor]:
    """The graph's outputs that depend on the node, in their order."""
    reached = {id(node)}
    waiting = [node]
    while waiting:
        for tensor in waiting.pop().outputs:
            for reader in tensor.outputs:
                if id(reader) not in reached:
                    reached.add(id(reader))
                    waiting.append(reader)
    return [tensor for tensor in graph.outputs if any(id(maker) in reached for maker in tensor.inputs)]


def _guesses(node: gs.Node, behind: list[gs.Tensor]) -> Iterator[_Guess]:
    layout: Literal["four", "ultralytics"] = "ultralytics" if len(behind) == 1 else "four"
    near = list(_near([node.inputs[1], *behind], stop=node.inputs[0]))
    best = [item.inputs[0] for item in near if item.op == "ArgMax"]
    chosen = [item.inputs[1] for item in near if item.op == "Where" and len(item.inputs) == 3]
    limits: list[int | None] = [None]
    for item in near:
        amount = constant_value(item.inputs[1]) if item.op == "TopK" and len(item.inputs) > 1 else None
        if amount is not None and amount.size == 1:
            limits.append(int(amount.reshape(-1)[0]))
    of_best: tuple[Semantics, ...] = ("best-class", "class-agnostic")
    for scores, semantics, limit in product(_each(best), of_best, dict.fromkeys(limits)):
        yield _Guess(scores, semantics, limit, layout)
    for scores, limit in product(_each([node.inputs[1], *chosen]), dict.fromkeys(limits)):
        yield _Guess(scores, "multi-label", limit, layout)


def _each(tensors: list[gs.Tensor]) -> list[gs.Tensor]:
    return list({id(tensor): tensor for tensor in tensors}.values())


def _near(tensors: list[gs.Tensor], stop: gs.Tensor) -> Iterator[gs.Node]:
    """Nodes upstream, the nearest first."""
    seen: set[int] = set()
    waiting = list(tensors)
    for tensor in waiting:
        if tensor is stop:
            continue
        for maker in tensor.inputs:
            if id(maker) not in seen and len(seen) < _NEAR:
                seen.add(id(maker))
                yield maker
                waiting.extend(maker.inputs)


def _extras(
    behind: list[gs.Tensor], boxes: gs.Tensor, layout: Literal["four", "ultralytics"], shape: Shape
) -> tuple[Extra, ...] | None:
    """What else is taken of each candidate; None where something comes out that is not known."""
    tables = []
    for output in behind:
        blanked = producer(output, "Where")
        source = blanked.inputs[1] if blanked is not None and len(blanked.inputs) == 3 else None
        if layout == "ultralytics":
            joined = producer(source, "Concat") if source is not None else None
            parts = list(joined.inputs) if joined is not None else []
        else:
            parts = [source] if source is not None else []
        for part in parts:
            taken = producer(part, "GatherElements")
            if taken is not None and taken.inputs[0] is not boxes:
                tables.append((output.name, taken.inputs[0]))
    if len(tables) > 2:
        return None
    found = list[Extra]()
    for name, table in tables:
        sizes = shape(table)
        if sizes is None or len(sizes) != 3 or not isinstance(sizes[2], int):
            return None
        points = "keypoint" in name or (bool(found) and found[0].kind == "masks")
        found.append(Extra("keypoints" if points else "masks", table, sizes[2], "nc"))
    return tuple(found) if len({extra.kind for extra in found}) == len(found) else None


def _sizes(boxes: gs.Tensor, scores: gs.Tensor, shape: Shape) -> tuple[Dimension, int, Dimension] | None:
    corners, table = shape(boxes), shape(scores)
    if corners is None or table is None or len(corners) != 3 or len(table) != 3 or not isinstance(table[1], int):
        return None
    anchors = table[2] if isinstance(table[2], int) else corners[1]
    batch = table[0] if isinstance(table[0], int) else corners[0]
    return (
        batch if batch is not None and batch != "" else "batch",
        table[1],
        anchors if anchors is not None and anchors != "" else "candidates",
    )


def _same(
    node: gs.Node,
    graph: gs.Graph,
    head: Head,
    guess: _Guess,
    behind: list[gs.Tensor],
    rows: int,
    thresholds: tuple[Threshold, Threshold],
    given: frozenset[str],
    shape: Shape,
) -> dict[str, gs.Tensor] | None:
    """Meaning -> output, where embed-nms's builder computes what the graph does; None where it does not."""
    scratch = gs.Graph(opset=graph.opset)
    emit = Emitter(scratch, "again")
    held = tuple(
        gs.Variable(name, np.float32, [1]) if item.input is not None else emit.constant(_of(node.inputs[index]), name)
        for item, name, index in zip(thresholds, ("confidence", "iou"), (4, 3), strict=True)
    )
    twin = replace(
        head,
        boxes=_twin("boxes", head.boxes, [head.batch, head.anchors, 4]),
        scores=_twin("scores", head.scores, [head.batch, head.classes, head.anchors]),
        extras=tuple(
            replace(extra, tensor=_twin(extra.kind, extra.tensor, [head.batch, head.anchors, extra.width]))
            for extra in head.extras
        ),
    )
    make = Build(emit, twin, rows, guess.semantics, held[0], held[1], guess.limit, 0)
    made = make_outputs(make, twin.boxes, onnx_backend.build(make, twin.boxes), not make.pairs, guess.layout)
    there = {id(head.boxes): "boxes", id(head.scores): "scores"}
    here = {id(twin.boxes): "boxes", id(twin.scores): "scores"}
    for mine, theirs in zip(twin.extras, head.extras, strict=True):
        there[id(theirs.tensor)] = here[id(mine.tensor)] = mine.kind
    for item, own, name in zip(thresholds, held, ("confidence", "iou"), strict=True):
        if item.input is not None:
            there[id(item.input)] = here[id(own)] = name
    opset = int(graph.opset)
    try:
        old, new = Digests(there, opset, shape, given), Digests(here, opset, _declared)
        digests = {old.of(tensor): tensor for tensor in behind}
        wanted = {meaning: new.of(tensor) for meaning, tensor in made.items()}
    except Unlike:
        return None
    if set(digests) != set(wanted.values()) or len(digests) != len(behind):
        return None
    order = {id(tensor): place for place, tensor in enumerate(behind)}
    found = {meaning: digests[digest] for meaning, digest in wanted.items()}
    return dict(sorted(found.items(), key=lambda item: order[id(item[1])]))


def _declared(tensor: gs.Tensor) -> list[Dimension | None] | None:
    return None if tensor.shape is None else list(tensor.shape)


def _of(tensor: gs.Tensor) -> NDArray[Any]:
    value = constant_value(tensor)
    assert value is not None
    return value


def _twin(name: str, tensor: gs.Tensor, sizes: list[Dimension]) -> gs.Variable:
    return gs.Variable(name, tensor.dtype or np.float32, sizes)
