"""Greedy NMS written out, one round a kept box, in the operators that the poorest runtimes have.

A round finds the best score that is left, takes that box, and sets to 0 the scores of what it overlaps. Values lie as
[B, columns, 1, N], N boxes; all of it is Add, Sub, Mul, Div, Relu, Clip, Concat, Split, Slice, MaxPool and
GlobalMaxPool: no TopK, ArgMax, Gather, comparison, Where, reduction or shape that depends on data, and no weights.

The arithmetic decides exactly as comparisons would. Scores are held as s · 2^u, so that two different ones differ by
more than 2 N. Then, with d = score - best,

    d + 2 · (N - index)     is largest at the first of the best, and
    a, the same minus that  is 0 there and -2 or less everywhere else.

a · 2^44 on top of the columns leaves those of the chosen box as they are and pushes the others under all that they can
hold, so GlobalMaxPool reads the chosen box. Relu(a + 2) is 2 for it and 0 for the others. What goes is where

    IoU - threshold - (difference of the classes)² + Relu(a + 2) > 0

IoU is at most 1, in float32 too, because rounding keeps the order: another class never goes, and the chosen box always
does. What is positive there, times 2^126, is more than any score; a Relu of the difference leaves 0.

Corners are kept as x1, y1, -x2, -y2: the larger of two is then the corner of what they share, on either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads.head import Dimension
from graphkit.passes.embed_nms.arithmetic import (
    columns,
    halves,
    join,
    largest,
    largest_number,
    number,
    one_at_most,
    op,
    pooled,
    reshape,
    times,
)
from graphkit.passes.embed_nms.common_backend import Build, lay
from graphkit.passes.embed_nms.unrolled_rows import Picked
from graphkit.passes.emit import Emitter, corners

FARTHEST = 2.0**20
"""Pixels: coordinates are kept inside of it, so that areas are below 2^44."""
LEAST_BITS = 22
"""A score of 2^-22 or less is no detection: two others differ by 2^-45 at least."""
LIFT = 2.0**44
_SHARP = 2.0**104
_ENDS = 2.0**126
_TINY = 2.0**-100
"""Added to areas so that no union is 0; an area that is not 0 is not changed by it."""
OPERATORS = frozenset(
    {
        "Add", "Sub", "Mul", "Div", "Relu", "Clip", "Concat", "Split", "Slice", "Reshape", "Transpose", "MaxPool",
        "GlobalMaxPool", "Cast",
    }
)  # fmt: skip
"""All that it is made of, for a fixed batch and without masks and keypoints."""
NODES = 33
"""Of a round that keeps classes apart."""


@dataclass(frozen=True)
class _Table:
    """What every round reads.

    Attributes:
        rows: [B, F, 1, N]: x1, y1, -x2, -y2, then the area where boxes suppress, then minus the class.
        ends: [B, 4, 1, N], the first four.
        others: [B, 2, 1, N], area and class; None where nothing is suppressed.
        order: [1, 1, 1, N], 2 · (N - index).
        ones: [1, 1, 1, N].
    """

    rows: gs.Tensor
    ends: gs.Tensor
    others: gs.Tensor | None
    order: gs.Tensor
    ones: gs.Tensor


def cost(rounds: int, classes: int, semantics: str) -> str:
    """What to know of the size, as a sentence without a full stop."""
    each = NODES if semantics != "class-agnostic" and classes > 1 else NODES - 2
    return (
        f"the unrolled backend looks at every box {rounds} times, with {each} nodes each time; lower max-detections "
        "where pictures hold fewer"
    )


def build(make: Build, labels: gs.Tensor | None) -> Picked:
    """Append the rounds behind the candidates.

    Args:
        make: The candidates; their number is fixed.
        labels: Classes of a one-to-one head, float32 [B, A, 1], whose boxes suppress nothing; None of another.
    """
    emit, head, count = make.emit, make.head, make.count
    assert isinstance(count, int)
    flat: list[Dimension] = [make.batch, 1, 1, count]
    boxes = reshape(emit, _corners(make), [make.batch, 4, 1, count])
    classes = 1 if labels is not None else head.classes
    scores = lay(emit, head, head.scores, head.score_layout, "cn", classes)
    best, label = _best_class(emit, reshape(emit, scores, [make.batch, 1, classes, count]))
    if labels is not None:
        label = reshape(emit, emit.transpose(labels, [0, 2, 1]), flat)
    unit = LEAST_BITS + 23 + ceil(log2(2 * count + 2))
    left: gs.Tensor = times(emit, best, 2.0**unit)
    for least in (make.confidence, number(emit, 2.0**-LEAST_BITS, "least")):
        over = times(emit, op(emit, "Sub", best, least), _SHARP)
        left = op(emit, "Mul", left, op(emit, "Relu", one_at_most(emit, over)), hint="left")
    table = _table(make, boxes, label, labels is None)
    bests, rows, picks = list[gs.Tensor](), list[gs.Tensor](), list[gs.Tensor]()
    for _ in range(make.rows):
        highest, row, pick, left = _round(make, table, left)
        bests.append(highest)
        rows.append(row)
        picks.append(pick)
    return Picked(join(emit, bests, 2, "bests"), join(emit, rows, 2, "rows"), picks, unit)


def _corners(make: Build) -> gs.Tensor:
    """Corners [B, 4, N], each a number inside of FARTHEST."""
    emit, head, count = make.emit, make.head, make.count
    boxes = lay(emit, head, head.boxes, head.box_layout, "cn", 4)
    inside = times(emit, one_at_most(emit, times(emit, boxes, 1 / FARTHEST)), FARTHEST)
    inside = reshape(emit, inside, [make.batch, 4, 1, count])
    numbers = reshape(emit, largest_number(emit, inside, -FARTHEST), [make.batch, 4, count])
    return corners(emit, numbers, 1, [make.batch, 4, count]) if head.coding == "center-size" else numbers


def _best_class(emit: Emitter, scores: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor]:
    """Best score of [B, 1, C, N] and its class, the lower one of equals: [B, 1, 1, N], 0 where it is NaN."""
    classes = int(scores.shape[2])
    scores = one_at_most(emit, scores)
    best = largest_number(emit, scores, 0.0)
    if classes == 1:
        return best, op(emit, "Sub", best, best, hint="class")
    # Different scores over 2^-22 differ by 2^-45; times this by more than there are classes.
    behind = times(emit, op(emit, "Sub", scores, best), 2.0 ** (LEAST_BITS + 23 + ceil(log2(classes + 2))))
    order = np.arange(classes, 0, -1, dtype=np.float32).reshape(1, 1, classes, 1)
    first = largest_number(emit, op(emit, "Add", behind, emit.constant(order, "class_order")), 0.0)
    return best, op(emit, "Sub", number(emit, float(classes), "classes"), first, like=first, hint="class")


def _table(make: Build, boxes: gs.Tensor, label: gs.Tensor, suppresses: bool) -> _Table:
    emit, count = make.emit, make.count
    assert isinstance(count, int)
    minus = times(emit, label, -1.0)
    others: gs.Tensor | None = None
    if suppresses:
        ends = _ordered(emit, boxes)
        area = op(emit, "Add", _area(emit, ends), number(emit, _TINY, "tiny"))
        rows, others = join(emit, [ends, area, minus], 1, "table"), join(emit, [area, label], 1, "others")
    else:
        signs = np.array([1, 1, -1, -1], np.float32).reshape(1, 4, 1, 1)
        ends = op(emit, "Mul", boxes, emit.constant(signs, "signs"))
        rows = join(emit, [ends, minus], 1, "table")
    order = np.arange(count, 0, -1, dtype=np.float32).reshape(1, 1, 1, count) * 2
    ones = emit.constant(np.ones((1, 1, 1, count), np.float32), "ones")
    return _Table(rows, ends, others, emit.constant(order, "order"), ones)


def _ordered(emit: Emitter, boxes: gs.Tensor) -> gs.Tensor:
    """x1, y1, -x2, -y2 of corners in any diagonal order.

    The larger of -x1 and -x2 is minus the left end, the larger of x1 and x2 the right one.
    """
    sides = [join(emit, [times(emit, end, -1.0), end], 1, "ends") for end in halves(emit, boxes)]
    return times(emit, largest(emit, sides), -1.0)


def _area(emit: Emitter, ends: gs.Tensor) -> gs.Variable:
    """Area [B, 1, 1, N] of x1, y1, -x2, -y2; 0 where they enclose nothing."""
    near, far = halves(emit, ends)
    width, height = halves(emit, op(emit, "Relu", times(emit, op(emit, "Add", near, far), -1.0)))
    return op(emit, "Mul", width, height)


def _round(make: Build, table: _Table, left: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor, gs.Tensor, gs.Tensor]:
    """One kept box: its score [B, 1, 1, 1], its row [B, F, 1, 1], 2 where it is, and the scores that are left."""
    emit = make.emit
    best = pooled(emit, left, "best")
    ranked = op(emit, "Add", op(emit, "Sub", left, best), table.order)
    away = op(emit, "Sub", ranked, pooled(emit, ranked, "first"), hint="away")
    row = pooled(emit, op(emit, "Add", table.rows, times(emit, away, LIFT)), "row")
    pick = op(emit, "Relu", op(emit, "Add", away, number(emit, 2.0)), hint="pick")
    gone = pick if table.others is None else _rivals(make, table, table.others, row, pick)
    # Nothing is infinite on the way: a Relu may multiply what is negative by 0.
    ends = times(emit, op(emit, "Relu", gone), _ENDS)
    return best, row, pick, op(emit, "Relu", op(emit, "Sub", left, ends), hint="left")


def _rivals(make: Build, table: _Table, others: gs.Tensor, row: gs.Tensor, pick: gs.Tensor) -> gs.Tensor:
    """Positive [B, 1, 1, N] where the box of this row overlaps too much, and for itself."""
    emit = make.emit
    everywhere = op(emit, "Mul", columns(emit, row, 0, 4), table.ones, like=table.ends)
    shared = _area(emit, largest(emit, [table.ends, everywhere]))
    areas, apart = halves(emit, op(emit, "Add", others, columns(emit, row, 4, 6)))
    overlap = op(emit, "Div", shared, op(emit, "Sub", areas, shared), hint="overlap")
    above = op(emit, "Sub", overlap, make.iou)
    if make.semantics != "class-agnostic" and make.head.classes > 1:
        above = op(emit, "Sub", above, op(emit, "Mul", apart, apart))
    return op(emit, "Add", above, pick)
