"""How the outputs of a rewritten model follow from the outputs of the model before it.

A pass that changes what a model returns hands one of these along with its rewrite; the proof computes from it what
the rewritten model must return. Plain data and plain NumPy: nothing here knows passes or runtimes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        renamed: Where outputs are the old ones under other names: old name -> new.
    """

    derive: Callable[[Arrays], dict[str, NDArray[np.generic]]]
    kinds: Mapping[str, Kind]
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecoveredOutputs:
    """The model was cut in front of its last computations, so the old outputs follow from the new ones.

    Attributes:
        recover: New outputs -> the old ones that can no longer be read off, by name: what the user of the model has to
            compute now. NumPy only. Old outputs that it leaves out must still be there under their own names.
        kinds: What each old output holds.
    """

    recover: Callable[[Arrays], dict[str, NDArray[np.generic]]]
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
        candidates: At most this many (box, class) pairs an image over the threshold, the best by score, enter NMS;
            None for all.
        keep_equal: True keeps score >= confidence (EfficientNMS_TRT), False score > confidence (ONNX).
        suppress_equal: True suppresses IoU >= iou (EfficientNMS_TRT), False IoU > iou (ONNX).
        rotated: Boxes are cx cy w h angle and overlap is ultralytics' probabilistic IoU (probiou) of rotated boxes.
        suppress: False for one-to-one heads, whose candidates are final: they are filtered and sorted only.
    """

    semantics: Literal["best-class", "multi-label", "class-agnostic"]
    confidence: float
    iou: float
    max_detections: int
    candidates: int | None = None
    keep_equal: bool = False
    suppress_equal: bool = False
    rotated: bool = False
    suppress: bool = True


@dataclass(frozen=True)
class RawDetections:
    """Every candidate of a detector, before NMS.

    Attributes:
        boxes: float32 [B, A, 4], corners x1 y1 x2 y2 in pixels of the network's input; rotated boxes are [B, A, 5],
            cx cy w h in pixels and the angle in radians.
        scores: float32 [B, A, C], activated, 0..1, objectness multiplied in.
        extras: What else belongs to each candidate, float32 [B, A, E] by kind: "masks" (mask coefficients) or
            "keypoints" (x y, or x y visibility, for each keypoint; pixels).
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    extras: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


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
        logits: True where `scores` wants logits: the made-up scores are fed through the inverse of the Sigmoid.
        extras: Kind -> tensor that wants made-up extras, [B, E, A] ("cn") or [B, A, E] as `box_layout` says.
        widths: Kind -> E.
    """

    boxes: str
    scores: str
    classes: int
    anchors: int | None
    batch: int | None
    box_layout: Literal["cn", "nc"]
    box_coding: Literal["center-size", "corners"]
    score_layout: Literal["cn", "nc"]
    logits: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)
    widths: Mapping[str, int] = field(default_factory=dict)


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
        extras: Kind -> output name, [B, K, E]: row k belongs to detection k. Kinds as in RawDetections.
        layout: "four" is the outputs above; "ultralytics" is one output [B, K, 6 + E] with x1 y1 x2 y2 score class and
            the extras behind them, named in `outputs` (one name), whose padding rows are zero; for rotated boxes
            cx cy w h score class angle.
        thresholds: Names of the graph inputs or initializers that hold the thresholds, with the values that they have:
            confidence first, then IoU where there is one. Graph inputs (with an initializer as their default, or
            without) are varied in the proof; the confidence, input or not, is lowered in a copy of the model until
            its real outputs are detections. Empty where none can be told apart.
        exposed: Tensors of the model before that `decode` reads, where its outputs do not hold the candidates because
            it suppresses as well. Its outputs have the same names then, and must be these detections too.
    """

    decode: Callable[[Arrays], RawDetections]
    contract: NmsContract
    outputs: tuple[str, ...]
    seam: Seam | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    layout: Literal["four", "ultralytics"] = "four"
    thresholds: Mapping[str, float] = field(default_factory=dict)
    exposed: tuple[str, ...] = ()

    def under_names(self, names: Mapping[str, str]) -> DetectionOutputs:
        """The same of a model whose inputs and outputs have other names (old -> new)."""
        seam = self.seam
        if seam is not None:
            extras = {kind: names.get(name, name) for kind, name in seam.extras.items()}
            boxes, scores = names.get(seam.boxes, seam.boxes), names.get(seam.scores, seam.scores)
            seam = replace(seam, boxes=boxes, scores=scores, extras=extras)
        return replace(
            self,
            outputs=tuple(names.get(name, name) for name in self.outputs),
            seam=seam,
            extras={kind: names.get(name, name) for kind, name in self.extras.items()},
            thresholds={names.get(name, name): value for name, value in self.thresholds.items()},
        )


@dataclass(frozen=True)
class HalfPrecision:
    """The outputs are the same, computed in float16 up to a seam, and from there on as before.

    Attributes:
        seam: Tensor of the model before -> the tensor of the rewritten model that holds the same in float32.
        behind: Outputs that are computed from the seam alone, and from shapes, the same in both models.
        decode: Outputs -> every candidate, where they are those of a detection head; else None.
        contract: How detections are chosen of the candidates; or, without `decode`, what the outputs, which are final
            detections, were chosen by. None where nothing is known of detections.
    """

    seam: Mapping[str, str]
    behind: tuple[str, ...] = ()
    decode: Callable[[Arrays], RawDetections] | None = None
    contract: NmsContract | None = None

    @property
    def exposed(self) -> tuple[str, ...]:
        """Tensors of the model before that the proof looks at."""
        return tuple(self.seam)


@dataclass(frozen=True)
class MappedInputs:
    """The inputs are others, and what the model before is fed follows from them.

    Attributes:
        before: Inputs of the rewritten model, by name -> those of the model before: one set, or one for each run of it
            where it takes less at a time. NumPy only.
        join: Outputs of those runs -> what the model before returns for all of it. Left out, there is one run.
        renamed: Where inputs are the old ones under other names: old name -> new.
    """

    before: Callable[[Arrays], Sequence[Mapping[str, NDArray[np.generic]]]]
    join: Callable[[Sequence[Arrays]], dict[str, NDArray[np.generic]]] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TakenInputs:
    """The inputs are tensors of the model before, which is run on what it always was, and hands them out.

    Attributes:
        tensors: Input of the rewritten model -> tensor of the model before whose value it takes.
        exposed: Further tensors of the model before that the relation of the outputs reads.
    """

    tensors: Mapping[str, str]
    exposed: tuple[str, ...] = ()


@dataclass(frozen=True)
class OtherSizes:
    """The inputs may have other batches and sizes than those of the model before, which runs at its own only.

    At its own size the rewritten model must return the same; a batch of several must return, for each image, what the
    model before returns for it. At other sizes there is no model before: there the shapes of all outputs must be those
    that are derived here, and what `decode` covers must be what it computes.

    Attributes:
        batch: Inputs whose first dimension may be another; all outputs then have the images along their first one.
        elsewhere: Other sizes: shapes of the inputs by name, and the shapes that the outputs then have; a None in one
            is not known.
        decode: Outputs and `exposed` tensors of the rewritten model, from one run -> outputs, by name. NumPy only.
        exposed: Tensors of the rewritten model that `decode` reads: what the last layers predict.
    """

    batch: frozenset[str]
    elsewhere: tuple[tuple[Mapping[str, tuple[int, ...]], Mapping[str, tuple[int | None, ...]]], ...] = ()
    decode: Callable[[Arrays], dict[str, NDArray[np.generic]]] | None = None
    exposed: tuple[str, ...] = ()


InputRelation = MappedInputs | TakenInputs | OtherSizes
"""How inputs of the rewritten model and of the model before it belong together."""

Relation = SameOutputs | DerivedOutputs | RecoveredOutputs | DetectionOutputs | HalfPrecision
