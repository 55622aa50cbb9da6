"""Adding the few operators that head surgery needs, in the form the model's opset has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from graphkit.edit import Builder, detach, is_output
from graphkit.heads.decode import Coding
from graphkit.heads.head import Dimension, Head, Layout

OLDEST_OPSET = 11


class Emitter(Builder):
    """A Builder that knows the opset: axes as attributes or inputs, dtypes and shapes filled in."""

    def __init__(self, graph: gs.Graph, prefix: str) -> None:
        super().__init__(graph, prefix)
        self.opset = int(graph.opset)

    def transpose(self, tensor: gs.Tensor, perm: Sequence[int], hint: str = "") -> gs.Variable:
        """Transpose, with the shape carried over where it is known."""
        shape = None if tensor.shape is None else [tensor.shape[axis] for axis in perm]
        return self.node("Transpose", tensor, dtype=tensor.dtype, shape=shape, hint=hint, perm=list(perm))

    def cast(self, tensor: gs.Tensor, to: int, hint: str = "") -> gs.Variable:
        """Cast to an ONNX element type."""
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(to))
        return self.node("Cast", tensor, dtype=dtype, shape=tensor.shape, hint=hint, to=int(to))

    def float32(self, tensor: gs.Tensor) -> gs.Tensor:
        """The tensor in float32: itself where it is known to be."""
        known = tensor.dtype is not None and np.dtype(tensor.dtype) == np.float32
        return tensor if known else self.cast(tensor, onnx.TensorProto.FLOAT)

    def shape(self, tensor: gs.Tensor) -> gs.Tensor:
        """The shape of a tensor of rank 3 as int64 [3]: a constant where it is known, computed where it is not."""
        sizes = tensor.shape
        if sizes is not None and all(isinstance(size, int) for size in sizes):
            return self.constant(np.array(sizes, np.int64), "shape")
        made: gs.Tensor = self.node("Shape", tensor, dtype=np.int64, shape=[3])
        return made

    def split_pairs(self, tensor: gs.Tensor, axis: int, shape: Sequence[Dimension]) -> list[gs.Variable]:
        """Split four channels into two and two. Sizes are an input since opset 13."""
        half = list(shape)
        half[axis] = 2
        sizes: dict[str, Any] = {"split": [2, 2]} if self.opset < 13 else {}
        inputs = [tensor] if self.opset < 13 else [tensor, self.constant(np.array([2, 2], np.int64), "pairs")]
        return self.nodes("Split", inputs, [(tensor.dtype, half)] * 2, axis=axis, **sizes)

    def with_axes(
        self, op: str, tensor: gs.Tensor, axes: Sequence[int], since: int, shape: Sequence[Dimension], **attrs: Any
    ) -> gs.Variable:
        """An operator whose `axes` are an attribute before opset `since` and an input from then on."""
        if self.opset < since:
            return self.node(op, tensor, dtype=tensor.dtype, shape=shape, axes=list(axes), **attrs)
        return self.node(
            op, tensor, self.constant(np.array(axes, np.int64), "axes"), dtype=tensor.dtype, shape=shape, **attrs
        )


def corners(emit: Emitter, boxes: gs.Tensor, axis: int, shape: Sequence[Dimension]) -> gs.Tensor:
    """Centre-size to corners along `axis`: (c - s · 0.5, c + s · 0.5) in float32, dtype kept."""
    dtype = None if boxes.dtype is None else np.dtype(boxes.dtype)
    wide = emit.float32(boxes) if dtype is not None else boxes
    center, size = emit.split_pairs(wide, axis, shape)
    scale = emit.constant(np.array(0.5, np.float32), "half")
    half = emit.node("Mul", size, scale, dtype=np.float32, shape=center.shape)
    low = emit.node("Sub", center, half, dtype=np.float32, shape=center.shape)
    high = emit.node("Add", center, half, dtype=np.float32, shape=center.shape)
    result: gs.Tensor = emit.node("Concat", low, high, dtype=np.float32, shape=shape, hint="corners", axis=axis)
    if dtype is None or dtype == np.float32:
        return result
    return emit.cast(result, int(onnx.helper.np_dtype_to_tensor_dtype(dtype)))


@dataclass(frozen=True)
class CutParts:
    """A head's parts as separate tensors of the outputs' dtype.

    Attributes:
        boxes: As `Head.box_layout` says; of a final head [B, K, 4].
        scores: As `Head.score_layout` says, objectness multiplied in; of a final head [B, K].
        labels: Class indices of a final head, int32 [B, K].
        extras: In the order of `Head.extras`, lying as they say.
    """

    boxes: gs.Tensor
    scores: gs.Tensor
    labels: gs.Tensor | None
    extras: tuple[gs.Tensor, ...]


def cut(emit: Emitter, head: Head) -> tuple[gs.Tensor, gs.Tensor]:
    """Boxes and scores of a head as separate tensors: see `cut_parts`, of which these are the first two."""
    parts = cut_parts(emit, head)
    return parts.boxes, parts.scores


def cut_parts(emit: Emitter, head: Head) -> CutParts:
    """Boxes, scores and extras of a head as separate tensors of the outputs' dtype, in the layouts the head says.

    A joined head's casts behind the Concat are repeated on each part.
    """
    extras = [(extra.tensor, extra.layout, extra.width) for extra in head.extras]
    if head.output_layout is None:
        return CutParts(head.boxes, head.scores, head.labels, tuple(tensor for tensor, _, _ in extras))
    joined = next(output for output in emit.graph.outputs if output.name == head.outputs[0])
    objectness: gs.Tensor | None = None
    if head.levels:
        boxes, objectness, scores, rest = _from_levels(emit, head)
        extras = [(tensor, layout, width) for tensor, (_, layout, width) in zip(rest, extras, strict=True)]
    else:
        boxes, scores = head.boxes, head.scores
    boxes = _as_output(emit, head, joined, boxes, shape_of(head, head.box_layout, 4))
    classes = 1 if head.state == "final" else head.classes
    scores = _as_output(emit, head, joined, scores, shape_of(head, head.score_layout, classes))
    if objectness is not None:
        weight = _as_output(emit, head, joined, objectness, shape_of(head, "nc", 1))
        scores = emit.node("Mul", weight, scores, dtype=joined.dtype, shape=scores.shape, hint="scores")
    parts = tuple(_as_output(emit, head, joined, t, shape_of(head, lies, width)) for t, lies, width in extras)
    labels = None
    if head.labels is not None:
        rows = [head.batch, head.anchors]
        scores = emit.with_axes("Squeeze", scores, [2], 13, rows)
        labels = emit.cast(head.labels, onnx.TensorProto.INT32)
        labels.shape = [*rows, 1]
        labels = emit.with_axes("Squeeze", labels, [2], 13, rows)
    return CutParts(boxes, scores, labels, parts)


def _as_output(
    emit: Emitter, head: Head, joined: gs.Tensor, tensor: gs.Tensor, shape: Sequence[Dimension]
) -> gs.Tensor:
    """A part of a joined output, cast as that is, with its dtype and a shape."""
    part = tensor
    if head.casts or is_output(emit.graph, tensor) or not isinstance(tensor, gs.Variable):
        # Before a cast too: ONNX Runtime computes many float16 operators in float32 and drops a rounding to
        # float16 that meets a cast back. The Concat kept the two apart, and so must something in its place.
        part = emit.node("Identity", tensor, dtype=tensor.dtype, shape=tensor.shape)
    for to in head.casts:
        part = emit.cast(part, to)
    part.dtype, part.shape = joined.dtype, list(shape)
    return part


def apart(emit: Emitter, head: Head) -> Head:
    """The head with tensors of their own for boxes, class scores, objectness and extras, before the output's casts.

    Changes nothing but for joined heads with anchor boxes, whose levels join all of them; their `levels` are then ().
    """
    if not head.levels or head.output_layout is None:
        return head
    boxes, objectness, scores, rest = _from_levels(emit, head)
    boxes.shape = shape_of(head, "nc", 4)
    extras = tuple(replace(extra, tensor=tensor) for extra, tensor in zip(head.extras, rest, strict=True))
    return replace(head, boxes=boxes, scores=scores, objectness=objectness, extras=extras, levels=())


def _from_levels(emit: Emitter, head: Head) -> tuple[gs.Tensor, gs.Tensor, gs.Tensor, list[gs.Tensor]]:
    """Boxes, objectness, class scores and mask coefficients of a head with anchor boxes, each [B, A, n]."""
    classes = head.classes
    groups: list[list[gs.Tensor]] = [[], [], []]
    for level in head.levels:
        pair = emit.node("Concat", *level.parts[:2], dtype=level.parts[0].dtype, hint="boxes", axis=4)
        for group, tensor, width in zip(groups, (pair, *level.parts[2:]), (4, 1 + classes, None), strict=False):
            width = head.extras[0].width if width is None else width
            target = emit.constant(np.array([0, -1, width], np.int64), "flat")
            group.append(emit.node("Reshape", tensor, target, dtype=tensor.dtype))
    boxes, confidence, *rest = (
        emit.node("Concat", *group, dtype=group[0].dtype, axis=1) if len(group) > 1 else group[0]
        for group in groups
        if group
    )
    confidence.shape = shape_of(head, "nc", 1 + classes)
    sizes: dict[str, Any] = {"split": [1, classes]} if emit.opset < 13 else {}
    inputs = [confidence] if sizes else [confidence, emit.constant(np.array([1, classes], np.int64), "confidence")]
    shapes = [(confidence.dtype, shape_of(head, "nc", 1)), (confidence.dtype, shape_of(head, "nc", classes))]
    objectness, scores = emit.nodes("Split", inputs, shapes, axis=2, **sizes)
    return boxes, objectness, scores, rest


def shape_of(head: Head, layout: Layout, channels: int) -> list[Dimension]:
    """[B, channels, A] or [B, A, channels]."""
    return [head.batch, channels, head.anchors] if layout == "cn" else [head.batch, head.anchors, channels]


def lay(emit: Emitter, head: Head, tensor: gs.Tensor, have: Layout, want: Layout, channels: int) -> gs.Tensor:
    """A tensor of the head as [B, channels, A] or [B, A, channels]."""
    if have == want:
        return tensor
    moved = emit.transpose(tensor, [0, 2, 1])
    moved.shape = shape_of(head, want, channels)
    return moved


def arrange(
    emit: Emitter, head: Head, boxes: gs.Tensor, scores: gs.Tensor, layout: Layout, coding: Coding
) -> tuple[gs.Tensor, gs.Tensor]:
    """Boxes and scores in another layout and, from center-size, in corners."""
    boxes = lay(emit, head, boxes, head.box_layout, layout, 4)
    scores = lay(emit, head, scores, head.score_layout, layout, head.classes)
    if head.coding != coding:
        boxes = corners(emit, boxes, 1 if layout == "cn" else 2, shape_of(head, layout, 4))
    return boxes, scores


def replace_outputs(graph: gs.Graph, head: Head, new: Sequence[gs.Tensor]) -> None:
    """Put `new` where the first of the head's outputs stands, drop the head's other outputs, remove what is dead."""
    old = [output for output in graph.outputs if output.name in head.outputs]
    place = next(i for i, output in enumerate(graph.outputs) if output is old[0])
    kept = [
        [o for o in side if not any(o is x for x in old)] for side in (graph.outputs[:place], graph.outputs[place:])
    ]
    graph.outputs[:] = [*kept[0], *new, *kept[1]]
    if head.output_layout is not None:
        _remove_dead(graph, old)


def _remove_dead(graph: gs.Graph, tensors: Sequence[gs.Tensor]) -> None:
    """Remove the nodes that made the joined output, backwards until one is still used."""
    dead: set[int] = set()
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        for node in list(tensor.inputs):
            if any(out.outputs or is_output(graph, out) for out in node.outputs):
                continue
            dead.add(id(node))
            waiting.extend(node.inputs)
            detach(node)
    graph.nodes[:] = [node for node in graph.nodes if id(node) not in dead]


def free_name(taken: set[str], wanted: str) -> str:
    """`wanted`, or with a number where another tensor or node has that name."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    taken.add(name)
    return name
