"""NMS by the ONNX operator NonMaxSuppression (opset 10 and 11), for any batch without unrolling.

The operator returns rows (batch, class, box) of all images together, in no order that is promised. They are written
back to where they came from, into a dense tensor [B, 1 or C, A] that is 0 elsewhere; a TopK over it gives each image
its K best. A kept score is above confidence >= 0, so 0 means "not kept" without another mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads import Head
from graphkit.heads.emit import Emitter, corners, shape_of
from graphkit.heads.head import Dimension
from graphkit.passes.embed_nms.common_backend import best_class, lay, seam

if TYPE_CHECKING:
    from graphkit.passes.embed_nms import EmbedNms

__all__ = ["WARNINGS", "build", "seam"]

WARNINGS: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Build:
    """What every step needs: where nodes go, whose head it is, how many rows come out."""

    emit: Emitter
    head: Head
    rows: int

    @property
    def batch(self) -> Dimension:
        return self.head.batch

    def dense(self, channels: int) -> list[Dimension]:
        """[B, channels, A]."""
        return shape_of(self.head, "cn", channels)


def build(emit: Emitter, head: Head, boxes: gs.Tensor, scores: gs.Tensor, options: EmbedNms) -> list[gs.Variable]:
    """Append NMS behind decoded float32 boxes and scores; returns num_dets, boxes, scores, classes."""
    make = _Build(emit, head, options.max_detections)
    boxes = lay(emit, head, boxes, head.box_layout, "nc", 4)
    if head.coding == "center-size":
        boxes = corners(emit, boxes, 2, shape_of(head, "nc", 4))
    scores = lay(emit, head, scores, head.score_layout, "cn", head.classes)

    best = None
    if options.semantics == "multi-label":
        compared = limited = _limit(make, scores, head.classes, options)
    else:
        best = best_class(emit, head, scores, 1)
        top = emit.node("GatherElements", scores, best, dtype=np.float32, shape=make.dense(1), axis=1)
        compared = limited = _limit(make, top, 1, options)
        if options.semantics == "best-class":
            # Each box's best score at its class, 0 elsewhere: the operator then keeps the classes apart by itself.
            shape = emit.node("Shape", scores, dtype=np.int64, shape=[3])
            compared = _scatter(make, "ScatterElements", _zeros(make, shape, head.classes), best, limited, axis=1)

    kept = _suppress(make, boxes, compared, limited, options)
    if best is None:
        return _rows_of_pairs(make, boxes, kept)
    return _rows_of_boxes(make, boxes, kept, best)


def _zeros(make: _Build, shape: gs.Tensor, channels: int) -> gs.Variable:
    return make.emit.node("ConstantOfShape", shape, dtype=np.float32, shape=make.dense(channels))


def _scatter(
    make: _Build, op: str, data: gs.Tensor, indices: gs.Tensor, updates: gs.Tensor, **attrs: Any
) -> gs.Variable:
    return make.emit.node(op, data, indices, updates, dtype=np.float32, shape=data.shape, **attrs)


def _limit(make: _Build, scores: gs.Tensor, channels: int, options: EmbedNms) -> gs.Tensor:
    """Scores [B, channels, A] with all but the `candidates` best of each image set to 0."""
    emit, anchors, candidates = make.emit, make.head.anchors, options.candidates
    if candidates is None or (isinstance(anchors, int) and anchors * channels <= candidates):
        return scores
    # TopK ranks NaN first, where it would take the place of a candidate; no comparison lets NaN through.
    limit = emit.constant(np.array(options.confidence, np.float32), "least")
    enough = emit.node("Greater", scores, limit, dtype=np.bool_, shape=scores.shape)
    zero = emit.constant(np.array(0, np.float32), "zero")
    scores = emit.node("Where", enough, scores, zero, dtype=np.float32, shape=scores.shape)
    flat, shape = scores, emit.node("Shape", scores, dtype=np.int64, shape=[3])
    if channels != 1:
        flat = _flat(make, scores)
    size = emit.node("Shape", flat, dtype=np.int64, shape=[3])
    # TopK rejects a K above the axis: rows of zeros make room for it where the number of anchors is not fixed.
    padded = flat if isinstance(anchors, int) else _pad(make, flat, 2, candidates)
    count = emit.constant(np.array([candidates], np.int64), "candidates")
    found: list[Dimension] = [make.batch, 1, candidates]
    values, where = emit.nodes(
        "TopK", [padded, count], [(np.float32, found), (np.int64, found)], hint="candidates_topk", axis=2
    )
    empty = emit.node("ConstantOfShape", emit.node("Shape", padded, dtype=np.int64, shape=[3]), dtype=np.float32)
    limited = emit.node("ScatterElements", empty, where, values, dtype=np.float32, axis=2)
    if padded is not flat:
        first = emit.constant(np.array([0, 0, 0], np.int64), "start")
        limited = emit.node("Slice", limited, first, size, dtype=np.float32)
    return emit.node("Reshape", limited, shape, dtype=np.float32, shape=make.dense(channels))


def _flat(make: _Build, dense: gs.Tensor) -> gs.Variable:
    """[B, C, A] to [B, 1, C·A]; the pair (class c, anchor a) is at c · A + a."""
    target = make.emit.constant(np.array([0, 1, -1], np.int64), "flat")
    anchors = make.head.anchors
    size: Dimension = make.head.classes * anchors if isinstance(anchors, int) else "pairs"
    return make.emit.node("Reshape", dense, target, dtype=np.float32, shape=[make.batch, 1, size])


def _pad(make: _Build, tensor: gs.Tensor, axis: int, by: int) -> gs.Variable:
    """Append `by` zeros at the end of one axis of a rank-3 tensor."""
    pads = np.zeros(6, np.int64)
    pads[3 + axis] = by
    return make.emit.node("Pad", tensor, make.emit.constant(pads, "pads"), dtype=tensor.dtype)


def _suppress(make: _Build, boxes: gs.Tensor, compared: gs.Tensor, dense: gs.Tensor, options: EmbedNms) -> gs.Variable:
    """Scores as in `dense` [B, 1 or C, A] where a candidate survives NMS, 0 elsewhere."""
    emit = make.emit
    limits = [
        emit.constant(np.array([options.max_detections], np.int64), "rows"),
        emit.constant(np.array([options.iou], np.float32), "iou"),
        emit.constant(np.array([options.confidence], np.float32), "confidence"),
    ]
    selected = emit.node("NonMaxSuppression", boxes, compared, *limits, dtype=np.int64, shape=["selected", 3])
    values = emit.node("GatherND", compared, selected, dtype=np.float32, shape=["selected"])
    where = selected
    if options.semantics == "best-class":
        # (batch, class, box) → (batch, 0, box): a box survives in one class at most.
        keep = emit.constant(np.array([1, 0, 1], np.int64), "drop_class")
        where = emit.node("Mul", selected, keep, dtype=np.int64, shape=["selected", 3])
    channels = make.head.classes if options.semantics == "multi-label" else 1
    empty = _zeros(make, emit.node("Shape", dense, dtype=np.int64, shape=[3]), channels)
    return _scatter(make, "ScatterND", empty, where, values)


def _top(make: _Build, kept: gs.Tensor) -> tuple[gs.Variable, gs.Variable]:
    """The K best scores of [B, 1, N] with N >= K, and where they were."""
    count = make.emit.constant(np.array([make.rows], np.int64), "rows")
    shape: list[Dimension] = [make.batch, 1, make.rows]
    values, where = make.emit.nodes("TopK", [kept, count], [(np.float32, shape), (np.int64, shape)], axis=2)
    return values, where


def _rows_of_boxes(make: _Build, boxes: gs.Tensor, kept: gs.Tensor, best: gs.Tensor) -> list[gs.Variable]:
    """The outputs where each box survives at most once: kept [B, 1, A]."""
    anchors = make.head.anchors
    if not isinstance(anchors, int) or anchors < make.rows:
        kept, best = _pad(make, kept, 2, make.rows), _pad_int(make, best)
        boxes = _pad(make, boxes, 1, make.rows)
    values, where = _top(make, kept)
    classes = make.emit.node(
        "GatherElements", best, where, dtype=np.int64, shape=[make.batch, 1, make.rows], hint="class_of", axis=2
    )
    return _outputs(make, boxes, values, where, classes)


def _pad_int(make: _Build, tensor: gs.Tensor) -> gs.Tensor:
    """Pad int64 by rows; the operator takes integers since opset 13 only, in 11 and 12 they pass as float32."""
    emit = make.emit
    if emit.opset >= 13:
        return _pad(make, tensor, 2, make.rows)
    return emit.cast(_pad(make, emit.cast(tensor, 1), 2, make.rows), 7)


def _rows_of_pairs(make: _Build, boxes: gs.Tensor, kept: gs.Tensor) -> list[gs.Variable]:
    """The outputs where a box can survive in several classes: kept [B, C, A]."""
    emit, anchors = make.emit, make.head.anchors
    flat = _flat(make, kept)
    if not isinstance(anchors, int) or anchors * make.head.classes < make.rows:
        flat = _pad(make, flat, 2, make.rows)
    values, where = _top(make, flat)
    if isinstance(anchors, int):
        count: gs.Tensor = emit.constant(np.array([anchors], np.int64), "anchors")
    else:
        axis = emit.constant(np.array([2], np.int64), "anchor_axis")
        shape = emit.node("Shape", kept, dtype=np.int64, shape=[3])
        count = emit.node("Gather", shape, axis, dtype=np.int64, shape=[1], axis=0)
    found = values.shape
    classes = emit.node("Div", where, count, dtype=np.int64, shape=found, hint="class_of")
    first = emit.node("Mul", classes, count, dtype=np.int64, shape=found)
    return _outputs(make, boxes, values, emit.node("Sub", where, first, dtype=np.int64, shape=found), classes)


def _outputs(
    make: _Build, boxes: gs.Tensor, values: gs.Variable, anchor: gs.Variable, classes: gs.Variable
) -> list[gs.Variable]:
    """num_dets, boxes, scores, classes from scores, box indices and classes [B, 1, K]; rows of score 0 are blanked."""
    emit, batch, rows = make.emit, make.batch, make.rows
    zero = emit.constant(np.array(0, np.float32), "zero")
    valid = emit.node("Greater", values, zero, dtype=np.bool_, shape=values.shape, hint="valid")
    num_dets = emit.with_axes("ReduceSum", emit.cast(valid, 6), [2], 13, [batch, 1], keepdims=0)

    column = emit.transpose(anchor, [0, 2, 1])
    width = emit.constant(np.array([1, 1, 4], np.int64), "width")
    index = emit.node("Expand", column, width, dtype=np.int64, shape=[batch, rows, 4])
    chosen = emit.node("GatherElements", boxes, index, dtype=np.float32, shape=[batch, rows, 4], hint="box_of", axis=1)
    out_boxes = emit.node(
        "Where", emit.transpose(valid, [0, 2, 1]), chosen, zero, dtype=np.float32, shape=[batch, rows, 4]
    )

    nothing = emit.constant(np.array(-1, np.int32), "no_class")
    named = emit.node("Where", valid, emit.cast(classes, 6), nothing, dtype=np.int32, shape=values.shape)
    out_scores = emit.with_axes("Squeeze", values, [1], 13, [batch, rows])
    out_classes = emit.with_axes("Squeeze", named, [1], 13, [batch, rows])
    return [num_dets, out_boxes, out_scores, out_classes]
