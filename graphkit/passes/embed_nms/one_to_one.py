"""Heads whose candidates are final: one table [B, A, 6 + E] of x1 y1 x2 y2 score class and extras.

A one-to-one head (YOLOv10, YOLO26) was trained to give one row an object, so nothing is suppressed: rows over the
confidence are kept, best first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads import Head
from graphkit.heads.head import Dimension
from graphkit.passes.embed_nms.common_backend import Build, Rows, enough, top
from graphkit.passes.emit import Emitter


def parts(emit: Emitter, head: Head) -> tuple[Head, gs.Tensor]:
    """The head with its columns apart, all float32 [B, A, ..]: boxes, scores [B, A, 1], extras; and the classes."""
    if head.output_layout is None:
        return _apart_already(emit, head)
    output = next(output for output in emit.graph.outputs if output.name == head.outputs[0])
    table = emit.float32(output)

    def columns(first: int, width: int, hint: str) -> gs.Tensor:
        bounds = [emit.constant(np.array([value], np.int64), "bound") for value in (first, first + width, 2)]
        shape: list[Dimension] = [head.batch, head.anchors, width]
        return emit.node("Slice", table, *bounds, dtype=np.float32, shape=shape, hint=hint)

    extras, place = [], 6
    for extra in head.extras:
        extras.append(replace(extra, tensor=columns(place, extra.width, extra.kind), layout="nc"))
        place += extra.width
    apart = replace(
        head,
        boxes=columns(0, 4, "final_boxes"),
        scores=columns(4, 1, "final_scores"),
        extras=tuple(extras),
        box_layout="nc",
        score_layout="nc",
        coding="corners",
    )
    return apart, columns(5, 1, "final_classes")


def _apart_already(emit: Emitter, head: Head) -> tuple[Head, gs.Tensor]:
    """The same of a head whose columns are outputs of their own: scores and classes are [B, A]."""
    assert head.labels is not None
    rows: list[Dimension] = [head.batch, head.anchors, 1]
    scores = emit.with_axes("Unsqueeze", emit.float32(head.scores), [2], 13, rows)
    labels = emit.with_axes("Unsqueeze", emit.cast(head.labels, 1, "final_classes"), [2], 13, rows)
    extras = tuple(replace(extra, tensor=emit.float32(extra.tensor)) for extra in head.extras)
    return replace(head, boxes=emit.float32(head.boxes), scores=scores, extras=extras), labels


def build(make: Build, labels: gs.Tensor) -> Rows:
    """Append the filter and the sorting; `labels` are the classes, float32 [B, A, 1]."""
    emit = make.emit
    values, where = top(make, enough(make, emit.transpose(make.head.scores, [0, 2, 1])), make.count, make.rows, "best")
    return Rows(values, where, emit.cast(emit.transpose(labels, [0, 2, 1]), 7))
