"""How the outputs of a rewritten model follow from the outputs of the model before it.

A pass that changes what a model returns hands one of these along with its rewrite; the proof computes from it what
the rewritten model must return. Plain data and plain NumPy: nothing here knows passes or runtimes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]
"""Output name -> value, in the order of the graph's outputs."""

Kind = Literal["boxes", "scores", "other"]
"""What an output holds. Boxes (pixels) and scores (0..1) are never judged in one number."""


@dataclass(frozen=True)
class SameOutputs:
    """Every output keeps its name and its value."""


@dataclass(frozen=True)
class DerivedOutputs:
    """The outputs are rearranged or recomputed from the old ones.

    Attributes:
        derive: Old outputs -> what the rewritten model must return, by name. NumPy only, float32 arithmetic in the
            same order as the graph's, so that EXACT can be held to the bit.
        kinds: What each new output holds.
    """

    derive: Callable[[Arrays], dict[str, NDArray[np.generic]]]
    kinds: Mapping[str, Kind]


@dataclass(frozen=True)
class NmsContract:
    """What non-maximum suppression has to return: enough to compute it without the graph.

    Attributes:
        semantics: "best-class": each box competes with its best class only, within that class. "multi-label": each
            pair of box and class competes within its class. "class-agnostic": each box with its best class, against
            all boxes.
        confidence: Score threshold, 0..1.
        iou: IoU threshold, 0..1.
        max_detections: Rows an image, over all classes (K).
        candidates: At most this many (box, class) pairs an image, the best by score, enter NMS; None for all.
        keep_equal: True keeps score >= confidence (EfficientNMS_TRT), False score > confidence (ONNX).
        suppress_equal: True suppresses IoU >= iou (EfficientNMS_TRT), False IoU > iou (ONNX).
    """

    semantics: Literal["best-class", "multi-label", "class-agnostic"]
    confidence: float
    iou: float
    max_detections: int
    candidates: int | None = None
    keep_equal: bool = False
    suppress_equal: bool = False


@dataclass(frozen=True)
class RawDetections:
    """Every candidate of a detector, before NMS.

    Attributes:
        boxes: float32 [B, A, 4], corners x1 y1 x2 y2 in pixels of the network's input.
        scores: float32 [B, A, C], activated, 0..1, objectness multiplied in.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True)
class Seam:
    """Two tensors of the rewritten graph where made-up boxes and scores can be fed into the embedded part.

    Everything between them and the outputs depends on nothing else of the graph, so the part behind the seam can
    be run alone.

    Attributes:
        boxes: Tensor name, boxes as `box_layout` and `box_coding` say, in pixels.
        scores: Tensor name, activated scores as `score_layout` says.
        classes: Number of classes C.
        anchors: Number of candidates A where it is fixed, else None.
        batch: Batch size where it is fixed, else None.
        box_layout: "cn" is [B, 4, A], "nc" is [B, A, 4].
        box_coding: "center-size" is cx cy w h, "corners" is x1 y1 x2 y2.
        score_layout: "cn" is [B, C, A], "nc" is [B, A, C].
    """

    boxes: str
    scores: str
    classes: int
    anchors: int | None
    batch: int | None
    box_layout: Literal["cn", "nc"]
    box_coding: Literal["center-size", "corners"]
    score_layout: Literal["cn", "nc"]


@dataclass(frozen=True)
class DetectionOutputs:
    """The outputs are final detections: num_dets, boxes, scores, classes.

    num_dets int32 [B, 1]; boxes float32 [B, K, 4] corners in pixels; scores float32 [B, K]; classes int32 [B, K];
    rows from num_dets on are padding and mean nothing.

    Attributes:
        decode: Outputs of the model before -> every candidate.
        contract: What is to be done with them.
        outputs: The names of num_dets, boxes, scores, classes in the rewritten model.
        seam: Where made-up boxes and scores can be fed, or None where there is no such place.
    """

    decode: Callable[[Arrays], RawDetections]
    contract: NmsContract
    outputs: tuple[str, str, str, str]
    seam: Seam | None = None


Relation = SameOutputs | DerivedOutputs | DetectionOutputs
