"""NMS without an NMS operator: greedy suppression as a fixed point of matrix products.

The M best candidates of an image (TopK, so sorted by score) are compared with one another once. Let over[i, j] be 1
where i comes before j, both are rivals (of one class, unless class-agnostic) and their IoU is above the threshold, and
valid[j] be 1 where j scores over the confidence. Greedy NMS keeps j if and only if j is valid and no kept i has
over[i, j]: the one solution of

    keep[j] = valid[j] · (no i with over[i, j] and keep[i])        i < j

which is unique because each line asks about earlier ones only. It is computed by repeating the line from keep = valid:

    keep ← Relu(valid - keep · over)          0 and 1 throughout, so exact in any arithmetic

How many repetitions are enough: let the depth of j be 0 where no valid i has over[i, j], else 1 + the largest depth of
such i. A line is right once the lines it asks about are, so after t repetitions every candidate of depth <= t is final
(depth 0 is from the start): as many as the deepest chain of overlaps is long, at most M - 1. With fewer, what is
returned is never worse than one suppression more or less: the line is antitone, so an even number of repetitions keeps
all that greedy NMS keeps, and besides it may keep candidates deeper than that number; an odd one would lose some. The
number here is therefore even. Where M - 1 repetitions are not more than that, the result is always exact.

Only TopK and gathers choose candidates; the heart is Min, Max, Mul, Sub, Div, Relu, Greater, Equal, And, Cast and
MatMul. No NonMaxSuppression, NonZero, Scatter, Loop or shape that depends on data. Memory: a few float32 [B, M, M].
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension
from graphkit.passes.embed_nms.common_backend import (
    Build,
    Rows,
    enough,
    flat,
    is_rotated,
    lay,
    of_best,
    take,
    top,
    unpaired,
)
from graphkit.passes.embed_nms.rotated import probiou
from graphkit.passes.emit import Emitter


def repetitions(iterations: int, candidates: int) -> int:
    """How often the line is repeated: an even number, or as often as the longest chain can be."""
    return min(iterations + iterations % 2, max(candidates - 1, 0))


def build(make: Build, boxes: gs.Tensor) -> Rows:
    """Append NMS behind the candidates; `boxes` are [B, A, 4], corners, or centres and sizes of rotated boxes."""
    emit, head, m = make.emit, make.head, make.limit
    assert m is not None
    scores = lay(emit, head, head.scores, head.score_layout, "cn", head.classes)
    if make.pairs:
        size: Dimension = make.count * head.classes if isinstance(make.count, int) else "pairs"
        values, where = top(make, flat(make, enough(make, scores)), size, m, "candidates")
        box, classes = unpaired(make, where, scores)
    else:
        of_box, best = of_best(make, scores)
        values, box = top(make, enough(make, of_box), make.count, m, "candidates")
        box = _inside(make, values, box, m)
        classes = emit.node("GatherElements", best, box, dtype=np.int64, shape=[make.batch, 1, m], axis=2)
    if make.pairs:
        box = _inside(make, values, box, m)
    chosen = take(make, boxes, box, m, 4, "rivals")
    if is_rotated(head):
        extra = next(extra for extra in head.extras if extra.kind == "angle")
        angles = take(make, lay(emit, head, extra.tensor, extra.layout, "nc", 1), box, m, 1, "angles")
        overlap = probiou(emit, chosen, angles, make.batch, m)
    else:
        overlap = _iou(emit, chosen, make.batch, m)
    kept = _greedy(make, values, classes, overlap, m)
    found, where = top(make, kept, m, make.rows, "best")
    where = _inside(make, found, where, make.rows)
    shape: list[Dimension] = [make.batch, 1, make.rows]
    return Rows(
        found,
        emit.node("GatherElements", box, where, dtype=np.int64, shape=shape, axis=2),
        emit.node("GatherElements", classes, where, dtype=np.int64, shape=shape, axis=2),
    )


def _inside(make: Build, values: gs.Tensor, where: gs.Tensor, rows: int) -> gs.Tensor:
    """Index 0 where the score is 0: behind the padding there is nothing to gather."""
    zero = make.emit.constant(np.array(0, np.float32), "zero")
    shape: list[Dimension] = [make.batch, 1, rows]
    holds = make.emit.node("Greater", values, zero, dtype=np.bool_, shape=shape)
    return make.emit.node("Mul", where, make.emit.cast(holds, 7), dtype=np.int64, shape=shape)


def _greedy(make: Build, values: gs.Tensor, classes: gs.Tensor, overlap: gs.Tensor, m: int) -> gs.Tensor:
    """Scores [B, 1, M] of what survives, 0 elsewhere."""
    emit, row, square = make.emit, [make.batch, 1, m], [make.batch, m, m]
    rank = np.arange(m, dtype=np.int32)
    before = emit.node(
        "Less",
        emit.constant(rank.reshape(1, m, 1), "rank"),
        emit.constant(rank.reshape(1, 1, m), "rank"),
        dtype=np.bool_,
        shape=[1, m, m],
    )
    over = emit.node("Greater", overlap, make.iou, dtype=np.bool_, shape=square)
    over = emit.node("And", over, before, dtype=np.bool_, shape=square)
    if make.semantics != "class-agnostic" and make.head.classes > 1:
        alike = emit.node("Equal", emit.transpose(classes, [0, 2, 1]), classes, dtype=np.bool_, shape=square)
        over = emit.node("And", over, alike, dtype=np.bool_, shape=square)
    drops = emit.cast(over, onnx.TensorProto.FLOAT)
    zero = emit.constant(np.array(0, np.float32), "zero")
    valid = emit.cast(emit.node("Greater", values, zero, dtype=np.bool_, shape=row), onnx.TensorProto.FLOAT)
    keep: gs.Tensor = valid
    for _ in range(repetitions(make.iterations, m)):
        dropped = emit.node("MatMul", keep, drops, dtype=np.float32, shape=row, hint="dropped")
        left = emit.node("Sub", valid, dropped, dtype=np.float32, shape=row, hint="left")
        keep = emit.node("Relu", left, dtype=np.float32, shape=row, hint="keep")
    survives = emit.node("Greater", keep, zero, dtype=np.bool_, shape=row)
    # Not a product: the score may be infinite.
    return emit.node("Where", survives, values, zero, dtype=np.float32, shape=row)


def _iou(emit: Emitter, boxes: gs.Tensor, batch: Dimension, m: int) -> gs.Variable:
    """Pairwise IoU [B, M, M] of corners [B, M, 4] in any diagonal order; NaN where neither box has an area."""
    across = emit.transpose(boxes, [0, 2, 1])
    pair: list[Dimension] = [batch, 2, m]
    ends = emit.split_pairs(across, 1, [batch, 4, m])
    low = emit.node("Min", *ends, dtype=np.float32, shape=pair)
    high = emit.node("Max", *ends, dtype=np.float32, shape=pair)
    area = _product(emit, emit.node("Sub", high, low, dtype=np.float32, shape=pair), [batch, 1, m])
    tall: list[Dimension] = [batch, 2, m, 1]
    wide: list[Dimension] = [batch, 2, 1, m]
    full: list[Dimension] = [batch, 2, m, m]
    lows = [emit.with_axes("Unsqueeze", low, [axis], 13, shape) for axis, shape in ((3, tall), (2, wide))]
    highs = [emit.with_axes("Unsqueeze", high, [axis], 13, shape) for axis, shape in ((3, tall), (2, wide))]
    start = emit.node("Max", *lows, dtype=np.float32, shape=full)
    end = emit.node("Min", *highs, dtype=np.float32, shape=full)
    side = emit.node("Relu", emit.node("Sub", end, start, dtype=np.float32, shape=full), dtype=np.float32, shape=full)
    square: list[Dimension] = [batch, m, m]
    inter = emit.with_axes("Squeeze", _product(emit, side, [batch, 1, m, m]), [1], 13, square)
    total = emit.node("Add", emit.transpose(area, [0, 2, 1]), area, dtype=np.float32, shape=square)
    union = emit.node("Sub", total, inter, dtype=np.float32, shape=square)
    return emit.node("Div", inter, union, dtype=np.float32, shape=square, hint="overlap")


def _product(emit: Emitter, sides: gs.Tensor, shape: list[Dimension]) -> gs.Variable:
    """Width times height, from axis 1 of size 2."""
    sizes: dict[str, Any] = {"split": [1, 1]} if emit.opset < 13 else {}
    inputs = [sides] if emit.opset < 13 else [sides, emit.constant(np.array([1, 1], np.int64), "sides")]
    width, height = emit.nodes("Split", inputs, [(np.float32, shape)] * 2, axis=1, **sizes)
    return emit.node("Mul", width, height, dtype=np.float32, shape=shape)
