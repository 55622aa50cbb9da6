"""NMS by the ONNX operator NonMaxSuppression (opset 10 and 11), for any batch without unrolling.

The operator returns rows (batch, class, box) of all images together, in no order that is promised. They are written
back to where they came from, into a dense tensor [B, 1 or C, A] that is 0 elsewhere; a TopK over it gives each image
its K best. A kept score is above confidence >= 0, so 0 means "not kept" without another mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension
from graphkit.passes.embed_nms.common_backend import (
    Build,
    Rows,
    enough,
    flat,
    lay,
    of_best,
    pad,
    top,
    unpaired,
)


def build(make: Build, boxes: gs.Tensor) -> Rows:
    """Append NMS behind the candidates; `boxes` are their corners [B, A, 4]."""
    emit, head = make.emit, make.head
    scores = lay(emit, head, head.scores, head.score_layout, "cn", head.classes)
    best = None
    if make.pairs:
        compared = limited = _limit(make, scores, head.classes)
    else:
        of_box, best = of_best(make, scores)
        compared = limited = _limit(make, of_box, 1)
        if make.semantics != "class-agnostic" and head.classes > 1:
            # Each box's best score at its class, 0 elsewhere: the operator then keeps the classes apart by itself.
            shape = emit.shape(scores)
            compared = _scatter(make, "ScatterElements", _zeros(make, shape, head.classes), best, limited, axis=1)
    kept = _suppress(make, boxes, compared, limited)
    if best is None:
        size: Dimension = make.count * head.classes if isinstance(make.count, int) else "pairs"
        values, where = top(make, flat(make, kept), size, make.rows, "best")
        box, classes = unpaired(make, where, kept)
        return Rows(values, box, classes)
    values, where = top(make, kept, make.count, make.rows, "best")
    return Rows(values, where, best)


def _zeros(make: Build, shape: gs.Tensor, channels: int) -> gs.Variable:
    return _filled(make, shape, make.dense(channels))


def _filled(make: Build, shape: gs.Tensor, sizes: Sequence[Dimension] | None = None) -> gs.Variable:
    # OpenCV 5 refuses a ConstantOfShape without `value`, and MNN fills it with what is in memory.
    zero = gs.Constant("", np.zeros(1, np.float32))
    return make.emit.node("ConstantOfShape", shape, dtype=np.float32, shape=sizes, value=zero)


def _scatter(
    make: Build, op: str, data: gs.Tensor, indices: gs.Tensor, updates: gs.Tensor, **attrs: Any
) -> gs.Variable:
    return make.emit.node(op, data, indices, updates, dtype=np.float32, shape=data.shape, **attrs)


def _limit(make: Build, scores: gs.Tensor, channels: int) -> gs.Tensor:
    """Scores [B, channels, A] with all but the `limit` best of each image set to 0."""
    emit, count, limit = make.emit, make.count, make.limit
    if limit is None or (isinstance(count, int) and count * channels <= limit):
        return scores
    scores = enough(make, scores)
    rows = scores if channels == 1 else flat(make, scores)
    # TopK rejects a K above the axis: zeros make room for it where the number of anchors is not fixed.
    padded = rows if isinstance(count, int) else pad(make, rows, limit)
    amount = emit.constant(np.array([limit], np.int64), "candidates")
    found: list[Dimension] = [make.batch, 1, limit]
    values, where = emit.nodes(
        "TopK", [padded, amount], [(np.float32, found), (np.int64, found)], hint="candidates_topk", axis=2
    )
    empty = _filled(make, emit.shape(padded))
    limited = emit.node("ScatterElements", empty, where, values, dtype=np.float32, axis=2)
    if padded is not rows:
        first = emit.constant(np.array([0, 0, 0], np.int64), "start")
        size = emit.shape(rows)
        limited = emit.node("Slice", limited, first, size, dtype=np.float32)
    if channels == 1:
        limited.shape = make.dense(1)
        return limited
    shape = emit.constant(np.array([0, channels, -1], np.int64), "dense")
    return emit.node("Reshape", limited, shape, dtype=np.float32, shape=make.dense(channels))


def _suppress(make: Build, boxes: gs.Tensor, compared: gs.Tensor, dense: gs.Tensor) -> gs.Variable:
    """Scores as in `dense` [B, 1 or C, A] where a candidate survives NMS, 0 elsewhere."""
    emit = make.emit
    limits = [emit.constant(np.array([make.rows], np.int64), "rows"), make.iou, make.confidence]
    # How many are selected gets no name: tract takes a name that is declared for another size than its own.
    selected = emit.node("NonMaxSuppression", boxes, compared, *limits, dtype=np.int64)
    values = emit.node("GatherND", compared, selected, dtype=np.float32)
    where = selected
    if compared is not dense:
        # (batch, class, box) → (batch, 0, box): a box survives in one class at most.
        keep = emit.constant(np.array([1, 0, 1], np.int64), "drop_class")
        where = emit.node("Mul", selected, keep, dtype=np.int64)
    empty = _zeros(make, emit.shape(dense), make.head.classes if make.pairs else 1)
    return _scatter(make, "ScatterND", empty, where, values)
