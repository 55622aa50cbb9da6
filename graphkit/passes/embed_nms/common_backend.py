"""What the backends share: tensors in the arrangement they want, the thresholds, and the seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads import Head, Seam
from graphkit.heads.head import Dimension, Layout
from graphkit.passes.emit import Emitter, corners, shape_of


@dataclass(frozen=True)
class Build:
    """What every step needs.

    Attributes:
        emit: Appends nodes.
        head: The candidates: float32 boxes, scores and extras.
        rows: K.
        semantics: As in NmsContract.
        confidence: Threshold, float32 [1]; an initializer, or a graph input.
        iou: Threshold, float32 [1].
        limit: Pairs that enter NMS, or None.
        iterations: Of the matrix backend.
    """

    emit: Emitter
    head: Head
    rows: int
    semantics: str
    confidence: gs.Tensor
    iou: gs.Tensor
    limit: int | None
    iterations: int

    @property
    def batch(self) -> Dimension:
        """B."""
        return self.head.batch

    @property
    def count(self) -> Dimension:
        """Candidates."""
        return self.head.anchors

    @property
    def pairs(self) -> bool:
        """Whether a box can survive in several classes."""
        return self.semantics == "multi-label" and self.head.classes > 1

    def dense(self, channels: int) -> list[Dimension]:
        """[B, channels, A]."""
        return shape_of(self.head, "cn", channels)


@dataclass(frozen=True)
class Rows:
    """What survived, K rows an image, best first.

    Attributes:
        values: float32 [B, 1, K], scores; 0 in a row that holds nothing.
        box: int64 [B, 1, K], which candidate; anything where the score is 0.
        classes: int64 [B, 1, K], its class.
    """

    values: gs.Tensor
    box: gs.Tensor
    classes: gs.Tensor


def lay(emit: Emitter, head: Head, tensor: gs.Tensor, have: Layout, want: Layout, channels: int) -> gs.Tensor:
    """A tensor of the head as [B, channels, A] or [B, A, channels]."""
    if have == want:
        return tensor
    moved = emit.transpose(tensor, [0, 2, 1])
    moved.shape = shape_of(head, want, channels)
    return moved


def corner_rows(make: Build) -> gs.Tensor:
    """Boxes [B, A, 4] as corners; rotated ones as centres and sizes."""
    emit, head = make.emit, make.head
    boxes = lay(emit, head, head.boxes, head.box_layout, "nc", 4)
    if head.coding == "center-size" and not is_rotated(head):
        boxes = corners(emit, boxes, 2, shape_of(head, "nc", 4))
    return boxes


def is_rotated(head: Head) -> bool:
    """Whether its boxes have an angle."""
    return any(extra.kind == "angle" for extra in head.extras)


def best_class(emit: Emitter, head: Head, scores: gs.Tensor, axis: int) -> gs.Variable:
    """Index of each box's best class, the lower one of equals: int64, `axis` kept with size 1."""
    shape = shape_of(head, "cn" if axis == 1 else "nc", 1)
    return emit.node("ArgMax", scores, dtype=np.int64, shape=shape, hint="best_class", axis=axis, keepdims=1)


def of_best(make: Build, scores: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor]:
    """Best score and its class of scores [B, C, A], both [B, 1, A]."""
    best = best_class(make.emit, make.head, scores, 1)
    if make.head.classes == 1:
        return scores, best
    top = make.emit.node("GatherElements", scores, best, dtype=np.float32, shape=make.dense(1), axis=1)
    return top, best


def enough(make: Build, scores: gs.Tensor) -> gs.Tensor:
    """Scores over the confidence, 0 elsewhere. TopK ranks NaN first; no comparison lets NaN through."""
    emit = make.emit
    over = emit.node("Greater", scores, make.confidence, dtype=np.bool_, shape=scores.shape, hint="enough")
    zero = emit.constant(np.array(0, np.float32), "zero")
    return emit.node("Where", over, scores, zero, dtype=np.float32, shape=scores.shape)


def flat(make: Build, dense: gs.Tensor) -> gs.Variable:
    """[B, C, A] to [B, 1, C·A]; the pair (class c, anchor a) is at c · A + a."""
    target = make.emit.constant(np.array([0, 1, -1], np.int64), "flat")
    size: Dimension = make.head.classes * make.count if isinstance(make.count, int) else "pairs"
    return make.emit.node("Reshape", dense, target, dtype=np.float32, shape=[make.batch, 1, size])


def pad(make: Build, tensor: gs.Tensor, by: int) -> gs.Variable:
    """Append `by` zeros at the end of the last axis of a rank-3 tensor."""
    pads = np.array([0, 0, 0, 0, 0, by], np.int64)
    return make.emit.node("Pad", tensor, make.emit.constant(pads, "pads"), dtype=tensor.dtype)


def top(make: Build, values: gs.Tensor, size: Dimension, rows: int, hint: str) -> tuple[gs.Variable, gs.Variable]:
    """The `rows` best of [B, 1, size], with zeros where there are fewer, and where they were."""
    # TopK rejects a K above the axis.
    if not isinstance(size, int) or size < rows:
        values = pad(make, values, rows)
    count = make.emit.constant(np.array([rows], np.int64), "rows")
    shape: list[Dimension] = [make.batch, 1, rows]
    found, where = make.emit.nodes("TopK", [values, count], [(np.float32, shape), (np.int64, shape)], hint, axis=2)
    return found, where


def unpaired(make: Build, where: gs.Tensor, dense: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor]:
    """Box and class of pairs, from where they are in flat [B, 1, C·A]."""
    emit = make.emit
    if isinstance(make.count, int):
        count: gs.Tensor = emit.constant(np.array([make.count], np.int64), "anchors")
    else:
        axis = emit.constant(np.array([2], np.int64), "anchor_axis")
        shape = emit.shape(dense)
        count = emit.node("Gather", shape, axis, dtype=np.int64, shape=[1], axis=0)
    classes = emit.node("Div", where, count, dtype=np.int64, shape=where.shape, hint="class_of")
    first = emit.node("Mul", classes, count, dtype=np.int64, shape=where.shape)
    return emit.node("Sub", where, first, dtype=np.int64, shape=where.shape), classes


def take(make: Build, table: gs.Tensor, index: gs.Tensor, rows: int, width: int, hint: str) -> gs.Variable:
    """Rows of [B, A, width] by index [B, 1, rows]: [B, rows, width]."""
    emit = make.emit
    column = emit.transpose(index, [0, 2, 1])
    shape: Sequence[Dimension] = [make.batch, rows, width]
    if width > 1:
        across = emit.constant(np.array([1, 1, width], np.int64), "width")
        column = emit.node("Expand", column, across, dtype=np.int64, shape=shape)
    return emit.node("GatherElements", table, column, dtype=np.float32, shape=shape, hint=hint, axis=1)


def seam(head: Head) -> Seam:
    """Where made-up candidates can be fed: decoded, float32, before anything of NMS."""
    return Seam(
        boxes=head.boxes.name,
        scores=head.scores.name,
        classes=head.classes,
        anchors=head.anchors if isinstance(head.anchors, int) else None,
        batch=head.batch if isinstance(head.batch, int) else None,
        box_layout=head.box_layout,
        box_coding=head.coding,
        score_layout=head.score_layout,
        extras={extra.kind: extra.tensor.name for extra in head.extras},
        widths={extra.kind: extra.width for extra in head.extras},
    )
