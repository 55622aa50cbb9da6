"""embed-nms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model

ROUNDS = 100
"""Rows that backend unrolled makes where nobody says how many."""


class EmbedNms(Pass):
    """Put non-maximum suppression into the model, so that its outputs are final detections.

    Works on a YOLO head, joined or split, in either layout and coding. Whichever backend runs it, the outputs are, in
    the place of the head's: `num_dets` int32 [B,1]; `boxes` float32 [B,K,4], corners x1 y1 x2 y2 in pixels of the
    network's input (rotated boxes [B,K,5], cx cy w h and the angle in radians); `scores` float32 [B,K], descending;
    `classes` int32 [B,K]; K is max-detections. Mask coefficients and keypoints come along as `masks` and `keypoints`
    [B,K,E]. Rows from num_dets on are padding: zeros, and classes -1, from all backends but the plugin, which leaves
    anything there. Other outputs, mask prototypes among them, stay. A NaN score is never a detection. With layout
    ultralytics there is one output `detections` [B,K,6+E] instead, which ultralytics' predictor and validator read.

    Late decode: the best `candidates` boxes of each image are chosen by their class scores before Sigmoid and box
    decoding, and only they are decoded, in float32. The same detections come out as with that limit on all boxes.

    Static and dynamic batches need the same nodes: nothing is unrolled over images. Classes are kept apart by the
    operator and not by moving boxes: an offset of class · size rounds boxes in float32, and decisions change with it.
    The matrix backend needs no NMS operator. One-to-one heads are filtered and sorted, and nothing is suppressed.

    The unrolled backend is greedy NMS written out in arithmetic, one round a row, over all boxes: 33 nodes a round, 31
    where classes are not kept apart, 14 for a one-to-one head. It is exact for float32 arithmetic and up to 2^22 boxes,
    and never late, since only TopK could choose candidates. Scores of 2^-22 and less are no detections, corners are
    kept inside of ±2^20 pixels and come out in order, and where a runtime's MaxPool hands NaN on, so does this. Masks,
    keypoints and labels have to be finite. YOLOv8n at 640 pixels (8400 boxes) takes onnxruntime, on one thread, 97 ms
    without NMS, 112 ms with 100 rows (3347 nodes more) and 140 ms with 300 (9947 nodes more).

    Declines:
        A model that this pass gave NMS with the same options: 0 rewrites. Refused: no detect head, more than one, NMS
        of another origin, the same pass with other options; rotated boxes with another backend than matrix; masks and
        keypoints with efficientnms; with unrolled multi-label, candidates, and a number of boxes that is not fixed.
        Subgraphs and functions are not entered; no constant is changed.

    Numerics:
        Detections: those of greedy NMS on the decoded candidates. All but EfficientNMS_TRT keep score > confidence
        and suppress IoU > iou; EfficientNMS_TRT keeps score >= confidence, suppresses IoU >= iou and considers the
        5000 best candidates of an image. The matrix backend is exact for chains of overlapping boxes up to
        `iterations` long.

    Example:
        boxes [1,4,8400], scores [1,80,8400] →
        num_dets [1,1], boxes [1,300,4], scores [1,300], classes [1,300]
    """

    name: ClassVar[str] = "embed-nms"
    numerics: ClassVar[Numerics] = Numerics.DETECTIONS

    backend: Literal["onnx", "efficientnms", "matrix", "unrolled"] = Field(
        "onnx",
        description="onnx: NonMaxSuppression, runs wherever ONNX does; efficientnms: the TensorRT plugin; matrix: no "
        "NMS operator, for runtimes that have none, and for rotated boxes; unrolled: no NMS operator, and no TopK, "
        "Gather or comparison either: thousands of nodes, for runtimes that have little",
    )
    semantics: Literal["best-class", "multi-label", "class-agnostic"] = Field(
        "best-class",
        description="best-class: a box competes with its best class, within it; multi-label: with every class; "
        "class-agnostic: with its best class, against all boxes",
    )
    layout: Literal["four", "ultralytics"] = Field(
        "four",
        description="four: num_dets, boxes, scores, classes; ultralytics: one output [B,K,6+E] that ultralytics reads",
    )
    confidence: float = Field(0.25, ge=0, le=1, description="lowest score of a detection, 0..1")
    iou: float = Field(0.7, ge=0, le=1, description="overlap above which the lower score is suppressed, 0..1")
    max_detections: int = Field(
        300, ge=1, le=100_000, description="rows an image, over all classes; left out: 300, with backend unrolled 100"
    )
    candidates: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="only so many pairs of box and class an image, the best by score, enter NMS; left out: 1000 where "
        "late, 512 with backend matrix, else all",
    )
    late: bool = Field(True, description="choose the candidates before they are decoded, and decode only them")
    runtime_thresholds: bool = Field(
        False,
        description="make confidence and iou inputs of the model that can be left out (confidence_threshold, "
        "iou_threshold, float32 [1])",
    )
    iterations: int = Field(
        32, ge=1, le=4096, description="of the matrix backend: exact for chains of so many overlapping boxes"
    )

    @model_validator(mode="before")
    @classmethod
    def _rounds(cls, given: Any) -> Any:
        """Each row costs the unrolled backend a round, so it makes fewer where nobody says how many."""
        if not isinstance(given, dict) or given.get("backend") != "unrolled":
            return given
        return given if {"max-detections", "max_detections"} & set(given) else {**given, "max-detections": ROUNDS}

    def run(self, model: Model) -> PassResult:
        """Embed NMS.

        Raises:
            PassRefused: There is no detection head to put it behind, NMS is already there, or the backend cannot do
                what the head needs.
        """
        from graphkit.heads import HeadNotFound, recognise
        from graphkit.passes.embed_nms.embed import KEY, embed, refusal
        from graphkit.passes.emit import OLDEST_OPSET

        metadata = model.metadata
        graph = model.graph
        if KEY in metadata and (done := self._already(metadata[KEY])) is not None:
            return done
        try:
            head = recognise(graph, metadata)
        except HeadNotFound as error:
            raise PassRefused(f"found no detection head: {error}") from error
        reason = refusal(head, self, graph.opset, OLDEST_OPSET)
        if reason is not None:
            raise PassRefused(reason)
        return embed(model, head, self)

    def _already(self, text: str) -> PassResult | None:
        """The answer for a model that says it was made by this pass; None where what it says cannot be read."""
        try:
            have = json.loads(text)
        except ValueError:
            have = None
        if not isinstance(have, dict):
            return None
        if have == self.options():
            return PassResult(0, declined=(Declined("embed-nms already put NMS in with these options"),))
        differ = [f"{key}: {have.get(key)}" for key, value in self.options().items() if have.get(key) != value]
        raise PassRefused(
            f"found NMS already embedded with other options ({', '.join(differ) or 'unknown ones'}). "
            "Run it on the model before NMS was embedded."
        )
