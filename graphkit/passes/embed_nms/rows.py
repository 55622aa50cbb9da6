"""From surviving rows to the outputs: four tensors and the extras, or the one table that ultralytics reads."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.passes.embed_nms.common_backend import Build, Rows, is_rotated, lay, take

Outputs = dict[str, gs.Tensor]
"""Wanted name -> output, in order."""


def outputs(make: Build, boxes: gs.Tensor, rows: Rows, shared_class: bool, layout: str) -> Outputs:
    """The graph's new outputs.

    Args:
        make: The candidates.
        boxes: [B, A, 4], as they are to come out.
        rows: What survived.
        shared_class: `rows.classes` is [B, 1, A], the class of each candidate, not of each row.
        layout: "four": num_dets, boxes (with the angle as a fifth column where rotated), scores, classes, extras.
            "ultralytics": one table [B, K, 6 + E], zero where a row holds nothing.
    """
    emit, k, batch = make.emit, make.rows, make.batch
    zero = emit.constant(np.array(0, np.float32), "zero")
    valid = emit.node("Greater", rows.values, zero, dtype=np.bool_, shape=[batch, 1, k], hint="valid")
    # Rows of padding point nowhere; they read candidate 0 and are blanked.
    index = emit.node("Mul", rows.box, emit.cast(valid, 7), dtype=np.int64, shape=[batch, 1, k], hint="box_of")
    classes = rows.classes
    if shared_class:
        classes = emit.node("GatherElements", classes, index, dtype=np.int64, shape=[batch, 1, k], axis=2)
    filled = emit.transpose(valid, [0, 2, 1])

    def columns(table: gs.Tensor, width: int, hint: str) -> gs.Tensor:
        return take(make, table, index, k, width, hint)

    def blanked(table: gs.Tensor, width: int) -> gs.Tensor:
        return emit.node("Where", filled, table, zero, dtype=np.float32, shape=[batch, k, width])

    found = columns(boxes, 4, "boxes_of")
    extras = {
        extra.kind: (
            columns(lay(emit, make.head, extra.tensor, extra.layout, "nc", extra.width), extra.width, extra.kind),
            extra.width,
        )
        for extra in make.head.extras
    }
    if layout == "ultralytics":
        score = emit.transpose(rows.values, [0, 2, 1])
        label = emit.cast(emit.transpose(classes, [0, 2, 1]), 1)
        # The angle comes last, whatever else there is.
        ordered = sorted(extras.items(), key=lambda item: item[0] == "angle")
        width = 6 + sum(size for _, (_, size) in ordered)
        parts = [found, score, label, *(tensor for _, (tensor, _) in ordered)]
        table = emit.node("Concat", *parts, dtype=np.float32, shape=[batch, k, width], hint="table", axis=2)
        return {"detections": blanked(table, width)}
    if is_rotated(make.head):
        angle = extras.pop("angle")[0]
        found = emit.node("Concat", found, angle, dtype=np.float32, shape=[batch, k, 5], hint="rotated", axis=2)
    nothing = emit.constant(np.array(-1, np.int32), "no_class")
    named = emit.node("Where", valid, emit.cast(classes, 6), nothing, dtype=np.int32, shape=[batch, 1, k])
    # Some compilers have no ReduceSum that drops an axis.
    count = emit.with_axes("ReduceSum", emit.cast(valid, 6), [2], 13, [batch, 1, 1], keepdims=1)
    return {
        "num_dets": emit.with_axes("Squeeze", count, [2], 13, [batch, 1]),
        "boxes": blanked(found, 5 if is_rotated(make.head) else 4),
        "scores": emit.with_axes("Squeeze", rows.values, [1], 13, [batch, k]),
        "classes": emit.with_axes("Squeeze", named, [1], 13, [batch, k]),
        **{kind: blanked(tensor, size) for kind, (tensor, size) in extras.items()},
    }
