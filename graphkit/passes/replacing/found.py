"""NMS that was found in a graph: what goes in, what is done with it, what comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import onnx_graphsurgeon as gs

from graphkit.heads import Arrays, Head, RawDetections
from graphkit.heads.head import Dimension, Extra, Layout
from graphkit.passes.emit import Emitter

Backend = Literal["onnx", "matrix", "efficientnms"]
Semantics = Literal["best-class", "multi-label", "class-agnostic"]
Meaning = Literal["num_dets", "boxes", "scores", "classes", "detections", "masks", "keypoints"]


class NotReplaceable(Exception):
    """There is NMS, and it is not known well enough to be replaced; says why, as a sentence without a full stop."""


@dataclass(frozen=True)
class Threshold:
    """A threshold of the NMS.

    Attributes:
        value: 0..1; of a graph input its default.
        input: The graph input that sets it; None where it is fixed.
    """

    value: float
    input: gs.Tensor | None = None


@dataclass(frozen=True)
class Found:
    """NMS in a graph.

    Attributes:
        backend: What runs it.
        prepare: Candidates as embed-nms's backends want them, float32; may append nodes.
        decode: Every candidate, from the tensors in `exposed`.
        exposed: Names of the tensors that hold the candidates: boxes, scores and what else there is.
        direct: Whether `prepare` gives these tensors as they are, or only cast.
        semantics: As in NmsContract.
        confidence: Score threshold.
        iou: IoU threshold.
        rows: K.
        limit: Pairs of box and class that enter; None for all, or for as many as the plugin takes by itself.
        layout: How the detections come out, as in DetectionOutputs.
        outputs: Meaning -> the graph output, in their order.
    """

    backend: Backend
    prepare: Callable[[Emitter], Head]
    decode: Callable[[Arrays], RawDetections]
    exposed: tuple[str, ...]
    direct: bool
    semantics: Semantics
    confidence: Threshold
    iou: Threshold
    rows: int
    limit: int | None
    layout: Literal["four", "ultralytics"]
    outputs: dict[str, gs.Tensor]


def bare_head(
    boxes: gs.Tensor,
    scores: gs.Tensor,
    sizes: tuple[Dimension, int, Dimension],
    box_layout: Layout,
    score_layout: Layout,
    coding: Literal["center-size", "corners"],
    extras: tuple[Extra, ...] = (),
) -> Head:
    """A head of which nothing is known but its candidates; `sizes` are batch, classes and anchors."""
    batch, classes, anchors = sizes
    return Head(
        family="",
        task="detect",
        state="split",
        classes=classes,
        outputs=(boxes.name, scores.name, *(extra.tensor.name for extra in extras)),
        boxes=boxes,
        scores=scores,
        box_layout=box_layout,
        score_layout=score_layout,
        output_layout=None,
        coding=coding,
        activated=True,
        strides=(),
        bins=None,
        batch=batch,
        anchors=anchors,
        extras=extras,
    )
