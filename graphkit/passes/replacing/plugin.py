"""Reading TensorRT's plugin EfficientNMS_TRT: its attributes and candidates are all that there is to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import onnx_graphsurgeon as gs

from graphkit.edit import describe, is_output
from graphkit.heads import Arrays, Head, RawDetections, raw_detections
from graphkit.heads.head import Dimension
from graphkit.heads.trace import constant, operand, producer
from graphkit.passes.emit import Emitter
from graphkit.passes.replacing.found import Found, NotReplaceable, Semantics, Threshold, bare_head

OPERATOR = "EfficientNMS_TRT"
DOMAINS = (None, "", "ai.onnx", "TRT", "trt.plugins")
"""TensorRT finds the plugin by its operator type alone; these are the domains that exporters write."""
Shape = Callable[[gs.Tensor], "list[Dimension | None] | None"]
_OUTPUTS = ("num_dets", "boxes", "scores", "classes")


def is_plugin(node: gs.Node) -> bool:
    """Whether a node is the plugin."""
    return node.op == OPERATOR and node.domain in DOMAINS


def read_plugin(node: gs.Node, graph: gs.Graph, shape: Shape) -> Found:
    """What the plugin does.

    Raises:
        NotReplaceable: It is used in a way that the other backends have not, or its sizes are not known.
    """
    outputs = dict(zip(_OUTPUTS, node.outputs, strict=False))
    missing = [name for name in _OUTPUTS if name not in outputs or not is_output(graph, outputs[name])]
    if missing or any(tensor.outputs for tensor in outputs.values()):
        what = f"its {' and '.join(missing)} is no output of the model" if missing else "other nodes read its outputs"
        raise NotReplaceable(f"{describe(node)} cannot be held against its detections: {what}")
    values = {name: _attribute(node, name) for name in ("score_threshold", "iou_threshold", "max_output_boxes")}
    boxes, scores, anchors = operand(node, 0), operand(node, 1), operand(node, 2)
    if boxes is None or scores is None or anchors is not None:
        raise NotReplaceable(f"{describe(node)} decodes its boxes by anchors itself, which no other backend does")
    if isinstance(boxes, gs.Constant) or isinstance(scores, gs.Constant):
        raise NotReplaceable(f"{describe(node)} reads boxes or scores that are constant")
    unmasked = _unmasked(scores)
    agnostic = bool(node.attrs.get("class_agnostic", 0))
    # Two pairs of one box lie on each other, so suppression across classes leaves each box its best class.
    semantics: Semantics = "class-agnostic" if agnostic else "multi-label" if unmasked is None else "best-class"
    scores = unmasked if unmasked is not None else scores
    sizes, flat = _sizes(node, boxes, scores, shape)
    background, logits = int(node.attrs.get("background_class", -1)), bool(node.attrs.get("score_activation", 0))
    coding: Literal["center-size", "corners"] = "center-size" if node.attrs.get("box_coding", 0) else "corners"
    if sizes[1] == 1 and semantics == "multi-label":
        semantics = "best-class"
    names = (boxes.name, scores.name)
    plain = raw_detections(bare_head(boxes, scores, sizes, "nc", "nc", coding))

    def decode(arrays: Arrays) -> RawDetections:
        made = {**arrays, names[0]: arrays[names[0]].reshape(*arrays[names[0]].shape[:2], 4)}
        raw = plain(made)
        values = raw.scores
        if logits:
            with np.errstate(over="ignore"):
                values = (np.float32(1) / (np.float32(1) + np.exp(-values))).astype(np.float32)
        if 0 <= background < values.shape[2]:
            values = values.copy()
            values[:, :, background] = -1
        return RawDetections(raw.boxes, values)

    def prepare(emit: Emitter) -> Head:
        own, ranked = emit.float32(boxes), emit.float32(scores)
        table: list[Dimension] = [sizes[0], sizes[2], sizes[1]]
        if not flat:
            own = emit.with_axes("Squeeze", own, [2], 13, [sizes[0], sizes[2], 4])
        if logits:
            ranked = emit.node("Sigmoid", ranked, dtype=np.float32, shape=table)
        if 0 <= background < sizes[1]:
            hidden = emit.constant((np.arange(sizes[1]) == background).reshape(1, 1, -1), "background")
            never = emit.constant(np.array(-1, np.float32), "never")
            ranked = emit.node("Where", hidden, never, ranked, dtype=np.float32, shape=table)
        own.shape, ranked.shape = [sizes[0], sizes[2], 4], table
        return bare_head(own, ranked, sizes, "nc", "nc", coding)

    return Found(
        backend="efficientnms",
        prepare=prepare,
        decode=decode,
        exposed=names,
        direct=flat and not logits and not 0 <= background < sizes[1],
        semantics=semantics,
        confidence=Threshold(float(values["score_threshold"])),
        iou=Threshold(float(values["iou_threshold"])),
        rows=int(values["max_output_boxes"]),
        limit=None,
        layout="four",
        outputs=outputs,
    )


def _attribute(node: gs.Node, name: str) -> Any:
    value = node.attrs.get(name)
    if not isinstance(value, int | float) or value < 0 or (name != "max_output_boxes" and value > 1):
        raise NotReplaceable(f"{describe(node)} has the {name} {value}, which TensorRT refuses")
    return value


def _sizes(
    node: gs.Node, boxes: gs.Tensor, scores: gs.Tensor, shape: Shape
) -> tuple[tuple[Dimension, int, Dimension], bool]:
    """Batch, classes and anchors; and whether the boxes are [B, A, 4], not [B, A, 1, 4]."""
    table, corners = shape(scores), shape(boxes)
    if table is None or corners is None or len(table) != 3 or len(corners) not in (3, 4):
        raise NotReplaceable(f"the shapes of what {describe(node)} reads are not known")
    batch, anchors, classes = table
    if not isinstance(classes, int):
        raise NotReplaceable(f"{describe(node)} reads scores of an unknown number of classes")
    if len(corners) == 4 and corners[2] != 1:
        raise NotReplaceable(f"{describe(node)} reads boxes for each class, and the other backends one for all")
    if anchors is None or isinstance(anchors, str):
        anchors = corners[1] if isinstance(corners[1], int) else anchors
    return (_named(batch, "batch"), classes, _named(anchors, "candidates")), len(corners) == 3


def _named(size: Dimension | None, name: str) -> Dimension:
    return size if size is not None and size != "" else name


def _unmasked(scores: gs.Tensor) -> gs.Tensor | None:
    """Scores of which all but each box's best were made -1, as embed-nms does it: Where(ArgMax = class, scores, -1)."""
    chosen = producer(scores, "Where")
    if chosen is None or len(chosen.inputs) != 3:
        return None
    is_best, kept, never = chosen.inputs
    lowest, alike = constant(never), producer(is_best, "Equal")
    if alike is None or lowest is None or lowest.size != 1 or not float(lowest.reshape(-1)[0].item()) < 0:
        return None
    best, labels = alike.inputs if constant(alike.inputs[0]) is None else reversed(alike.inputs)
    index = producer(best, "Cast")
    of = producer(index.inputs[0] if index is not None else best, "ArgMax")
    if of is None or of.inputs[0] is not kept or of.attrs.get("axis") not in (2, -1) or not of.attrs.get("keepdims", 1):
        return None
    value = constant(labels)
    counted = value is not None and value.ndim > 0 and np.array_equal(value.reshape(-1), np.arange(value.size))
    return kept if counted and value is not None and value.shape[-1] == value.size else None
