"""What both backends share: the tensors of a head in the arrangement they want, and the seam."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.heads import Head, Seam
from graphkit.heads.emit import Emitter, shape_of
from graphkit.heads.head import Layout


def lay(emit: Emitter, head: Head, tensor: gs.Tensor, have: Layout, want: Layout, channels: int) -> gs.Tensor:
    """A tensor of the head as [B, channels, A] or [B, A, channels]."""
    if have == want:
        return tensor
    moved = emit.transpose(tensor, [0, 2, 1])
    moved.shape = shape_of(head, want, channels)
    return moved


def best_class(emit: Emitter, head: Head, scores: gs.Tensor, axis: int) -> gs.Variable:
    """Index of each box's best class, the lower one of equals: int64, `axis` kept with size 1."""
    shape = shape_of(head, "cn" if axis == 1 else "nc", 1)
    return emit.node("ArgMax", scores, dtype=np.int64, shape=shape, hint="best_class", axis=axis, keepdims=1)


def seam(head: Head, boxes: gs.Tensor, scores: gs.Tensor) -> Seam:
    """Where made-up boxes and scores can be fed: decoded, float32, before anything of NMS."""
    return Seam(
        boxes=boxes.name,
        scores=scores.name,
        classes=head.classes,
        anchors=head.anchors if isinstance(head.anchors, int) else None,
        batch=head.batch if isinstance(head.batch, int) else None,
        box_layout=head.box_layout,
        box_coding=head.coding,
        score_layout=head.score_layout,
    )
