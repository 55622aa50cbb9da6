"""What the rounds of the unrolled backend found, as the outputs that every backend has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.passes.embed_nms.arithmetic import columns, join, number, one_at_most, op, pooled, reshape, times
from graphkit.passes.embed_nms.common_backend import Build, lay
from graphkit.passes.embed_nms.rows import Outputs


@dataclass(frozen=True)
class Picked:
    """What the rounds found, best first.

    Attributes:
        scores: [B, 1, K, 1], each times 2^unit; 0 in a round that found nothing.
        rows: [B, F, K, 1]: x1, y1, -x2, -y2, …, minus the class; anything where the score is 0.
        picks: For each round [B, 1, 1, N], 2 at the box and 0 elsewhere.
        unit: Bits that the scores are scaled by.
    """

    scores: gs.Tensor
    rows: gs.Tensor
    picks: list[gs.Tensor]
    unit: int


def outputs(make: Build, found: Picked, layout: str) -> Outputs:
    """The graph's new outputs, as those of the other backends: padding is 0, and -1 in the classes."""
    emit, k, batch, width = make.emit, make.rows, make.batch, int(found.rows.shape[1])
    valid = one_at_most(emit, found.scores)  # a score that is left is more than 1 in these units
    scores = times(emit, found.scores, 2.0**-found.unit)
    signs = emit.constant(np.array([1, 1, -1, -1], np.float32).reshape(1, 4, 1, 1), "signs")
    boxes = op(emit, "Mul", op(emit, "Mul", columns(emit, found.rows, 0, 4), signs), valid)
    label = op(emit, "Mul", columns(emit, found.rows, width - 1, width), times(emit, valid, -1.0))
    extras = _extras(make, found, valid)
    if layout == "ultralytics":
        table = reshape(emit, join(emit, [boxes, scores, label], 1, "table"), [batch, 6, k])
        # The angle comes last, whatever else there is.
        last = sorted(extras, key=lambda kind: kind == "angle")
        rows = [emit.transpose(table, [0, 2, 1]), *(extras[kind] for kind in last)]
        return {"detections": join(emit, rows, 2, "table")}
    # Rounds that found something come first, so the number of the last of them is how many there are.
    numbers = emit.constant(np.arange(1, k + 1, dtype=np.float32).reshape(1, 1, k, 1), "numbers")
    count = pooled(emit, op(emit, "Mul", valid, numbers), "count")
    named = op(emit, "Sub", op(emit, "Add", label, valid), number(emit, 1.0))
    made: Outputs = {
        "num_dets": emit.cast(reshape(emit, count, [batch, 1]), onnx.TensorProto.INT32),
        "boxes": emit.transpose(reshape(emit, boxes, [batch, 4, k]), [0, 2, 1]),
        "scores": reshape(emit, scores, [batch, k]),
        "classes": emit.cast(reshape(emit, named, [batch, k]), onnx.TensorProto.INT32),
    }
    angle = extras.pop("angle", None)
    if angle is not None:
        made["boxes"] = join(emit, [made["boxes"], angle], 2, "rotated")
    return {**made, **extras}


def _extras(make: Build, found: Picked, valid: gs.Tensor) -> Outputs:
    """Mask coefficients and keypoints of the rows: [B, K, N] · [B, N, E], one term of each sum not being 0."""
    emit, head, k, count = make.emit, make.head, make.rows, make.count
    if not head.extras:
        return {}
    picks = op(emit, "Mul", times(emit, join(emit, found.picks, 2, "picks"), 0.5), valid)
    flat = reshape(emit, picks, [make.batch, k, count])
    made: Outputs = {}
    for extra in head.extras:
        table = lay(emit, head, extra.tensor, extra.layout, "nc", extra.width)
        shape = [make.batch, k, extra.width]
        made[extra.kind] = emit.node("MatMul", flat, table, dtype=np.float32, shape=shape, hint=extra.kind)
    return made
