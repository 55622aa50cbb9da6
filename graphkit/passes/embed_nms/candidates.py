"""The candidates of a head: all of them decoded, or the best chosen first and only those decoded (late).

Which boxes can still win is known before any box is decoded and before any Sigmoid, because a Sigmoid keeps the order:
the best class logit of each anchor ranks the anchors. Of the N best (box, class) pairs of an image, each lies in one of
the N boxes with the best class scores (a box outside has N boxes, so N pairs, before it), so choosing N boxes first and
limiting the pairs to N behind is the same as limiting the pairs of all boxes. Equal scores at the cut go by the lower
anchor; they are what a proof calls borderline.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.edit import detach
from graphkit.heads import Head
from graphkit.heads.head import Dimension, Layout
from graphkit.heads.trace import producer
from graphkit.passes.embed_nms.late import Late
from graphkit.passes.embed_nms.late_rules import CannotGatherError
from graphkit.passes.emit import Emitter, cut, shape_of

LOWEST = float(np.finfo(np.float32).min)


@dataclass(frozen=True)
class Candidates:
    """What goes into NMS.

    Attributes:
        head: The head with the candidates in place of its tensors: boxes, scores with objectness multiplied in, and
            extras, all float32; `anchors` is their number.
        late: Whether only they were decoded.
        note: Why not, as half a sentence, where that was asked for.
    """

    head: Head
    late: bool
    note: str | None = None


def all_of(emit: Emitter, head: Head, note: str | None = None) -> Candidates:
    """Every anchor, as the graph decodes it, in float32."""
    if head.state == "joined":
        parts = replace(head, scores=head.scores)
        boxes, scores = (emit.float32(part) for part in cut(emit, parts)[:2])
    else:
        boxes, scores = emit.float32(head.boxes), emit.float32(head.scores)
    extras = tuple(replace(extra, tensor=emit.float32(extra.tensor)) for extra in head.extras)
    if head.objectness is not None:
        scores = _multiplied(emit, head, scores, emit.float32(head.objectness), head.anchors)
    return Candidates(replace(head, boxes=boxes, scores=scores, extras=extras, objectness=None), False, note)


def chosen(emit: Emitter, head: Head, limit: int) -> Candidates:
    """The `limit` best anchors of each image, and only those decoded; all of them where that cannot be done."""
    if isinstance(head.anchors, int) and head.anchors <= limit:
        return all_of(emit, head, f"there are only {head.anchors} candidates, and {limit} enter NMS")
    count: Dimension = limit if isinstance(head.anchors, int) else "candidates"
    start = len(emit.graph.nodes)
    half = _is_half(emit.graph)
    logits, inverse = _logits(head)
    index = _best(emit, head, logits, inverse, limit, count, half)
    late = Late(emit, head.batch, count, index, half)
    try:
        boxes = late.push(head.boxes, _anchor_axis(head.box_layout), 3).tensor
        crossed, stopped = sorted(late.crossed), sorted(late.stopped - {"Concat"})
        scores = late.push(head.scores, _anchor_axis(head.score_layout), 3).tensor
        extras = tuple(
            replace(extra, tensor=late.push(extra.tensor, _anchor_axis(extra.layout), 3).tensor)
            for extra in head.extras
        )
        objectness = None
        if head.objectness is not None:
            objectness = late.push(head.objectness, _anchor_axis(head.score_layout), 3).tensor
    except CannotGatherError as error:
        for node in emit.graph.nodes[start:]:
            detach(node)
        del emit.graph.nodes[start:]
        return all_of(emit, head, str(error))
    gathered = replace(head, boxes=boxes, scores=scores, extras=extras, objectness=None, anchors=count)
    for tensor, layout, channels in (
        (boxes, head.box_layout, 4),
        (scores, head.score_layout, head.classes),
        *((extra.tensor, extra.layout, extra.width) for extra in extras),
    ):
        tensor.dtype, tensor.shape = np.float32, shape_of(gathered, layout, channels)
    if objectness is not None:
        gathered = replace(gathered, scores=_multiplied(emit, gathered, scores, objectness, count))
    if not crossed:
        reason = f"the boxes come out of {stopped[0]}, which is not known" if stopped else "nothing decodes the boxes"
        return Candidates(gathered, False, reason)
    return Candidates(gathered, True)


def _anchor_axis(layout: Layout) -> int:
    return 2 if layout == "cn" else 1


def _multiplied(emit: Emitter, head: Head, scores: gs.Tensor, objectness: gs.Tensor, anchors: Dimension) -> gs.Variable:
    shape = shape_of(replace(head, anchors=anchors), head.score_layout, head.classes)
    return emit.node("Mul", scores, objectness, dtype=np.float32, shape=shape, hint="scored")


def _is_half(graph: gs.Graph) -> bool:
    """Whether weights are float16."""
    return any(
        isinstance(tensor, gs.Constant) and np.dtype(tensor.dtype) == np.float16
        for node in graph.nodes
        for tensor in node.inputs
    )


def _logits(head: Head) -> tuple[gs.Tensor, bool]:
    """What ranks the anchors, and whether it still lacks its Sigmoid."""
    if head.logits is not None:
        return head.logits, True
    node = producer(head.scores, "Sigmoid")
    return (node.inputs[0], True) if node is not None else (head.scores, False)


def _best(
    emit: Emitter, head: Head, ranked: gs.Tensor, logits: bool, limit: int, count: Dimension, half: bool
) -> gs.Tensor:
    """Indices of the best anchors: int64 [N] where the batch is 1, else [B, N]."""
    channels = 1 if head.score_layout == "cn" else 2
    axis = 3 - channels
    single = shape_of(head, head.score_layout, 1)
    best = emit.cast(ranked, onnx.TensorProto.FLOAT) if half else ranked
    if head.classes > 1:
        best = emit.with_axes("ReduceMax", best, [channels], 18, single, keepdims=1)
        best.dtype = np.float32
    # TopK ranks NaN first, where it would take the place of a candidate; no comparison lets NaN through.
    lowest = emit.constant(np.array(LOWEST, np.float32), "lowest")
    number = emit.node("Greater", best, lowest, dtype=np.bool_, shape=single)
    best = emit.node("Where", number, best, lowest, dtype=np.float32, shape=single)
    if head.objectness is not None:
        if logits:
            best = emit.node("Sigmoid", best, dtype=np.float32, shape=single)
        objectness = emit.cast(head.objectness, onnx.TensorProto.FLOAT) if half else head.objectness
        best = emit.node("Mul", best, objectness, dtype=np.float32, shape=single)
        zero = emit.constant(np.array(0, np.float32), "zero")
        best = emit.node(
            "Where",
            emit.node("Greater", best, zero, dtype=np.bool_, shape=single),
            best,
            zero,
            dtype=np.float32,
            shape=single,
        )
    found: list[Dimension] = [head.batch, 1, count] if axis == 2 else [head.batch, count, 1]
    _, where = emit.nodes(
        "TopK",
        [best, _how_many(emit, head, best, axis, limit)],
        [(np.float32, found), (np.int64, found)],
        hint="choose",
        axis=axis,
    )
    flat: list[int] = [-1] if head.batch == 1 else [0, -1]
    shape: list[Dimension] = [count] if head.batch == 1 else [head.batch, count]
    target = emit.constant(np.array(flat, np.int64), "index")
    return emit.node("Reshape", where, target, dtype=np.int64, shape=shape, hint="chosen")


def _how_many(emit: Emitter, head: Head, best: gs.Tensor, axis: int, limit: int) -> gs.Tensor:
    """TopK rejects a K above the axis."""
    most = emit.constant(np.array([limit], np.int64), "candidates")
    if isinstance(head.anchors, int):
        return most
    shape = emit.shape(best)
    place = emit.constant(np.array([axis], np.int64), "anchor_axis")
    there = emit.node("Gather", shape, place, dtype=np.int64, shape=[1], axis=0)
    if emit.opset >= 12:
        return emit.node("Min", there, most, dtype=np.int64, shape=[1])
    # Min takes integers since opset 12.
    few = emit.node("Min", emit.cast(there, 1), emit.cast(most, 1), dtype=np.float32, shape=[1])
    return emit.cast(few, 7)
