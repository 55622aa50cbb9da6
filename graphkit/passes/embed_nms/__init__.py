"""embed-nms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.heads import Head
    from graphkit.model import Model

_KEY = "graphkit.nms"
_SHORT = {"best-class": "best class", "multi-label": "multi-label", "class-agnostic": "class-agnostic"}


class EmbedNms(Pass):
    """Put non-maximum suppression into the model, so that its outputs are final detections.

    Works on a YOLOv8-style detect head, joined or split, in either layout and coding. Whichever backend runs it, the
    outputs are, in the place of the head's: `num_dets` int32 [B,1]; `boxes` float32 [B,K,4], corners x1 y1 x2 y2 in
    pixels of the network's input; `scores` float32 [B,K], descending; `classes` int32 [B,K]; K is max-detections.
    Rows from num_dets on are padding: boxes and scores 0, classes -1 from the onnx backend, anything from the plugin.
    Other outputs stay. A NaN score is never a detection.

    Static and dynamic batches need the same nodes: nothing is unrolled. Classes are kept apart by the operator and not
    by moving boxes: an offset of class · size rounds boxes in float32, and decisions change with it.

    Declines:
        A model that this pass gave NMS with the same options: 0 rewrites. Refused: no detect head, more than one, NMS
        of another origin, the same pass with other options. Subgraphs and functions are not entered; no constant is
        changed.

    Numerics:
        Detections: those of greedy NMS on the decoded candidates. The onnx backend keeps score > confidence and
        suppresses IoU > iou; EfficientNMS_TRT keeps score >= confidence, suppresses IoU >= iou and considers the
        5000 best candidates of an image.

    Example:
        boxes [1,4,8400], scores [1,80,8400] →
        num_dets [1,1], boxes [1,300,4], scores [1,300], classes [1,300]
    """

    name: ClassVar[str] = "embed-nms"
    numerics: ClassVar[Numerics] = Numerics.DETECTIONS

    backend: Literal["onnx", "efficientnms"] = Field(
        "onnx", description="onnx: NonMaxSuppression, runs wherever ONNX does; efficientnms: the TensorRT plugin"
    )
    semantics: Literal["best-class", "multi-label", "class-agnostic"] = Field(
        "best-class",
        description="best-class: a box competes with its best class, within it; multi-label: with every class; "
        "class-agnostic: with its best class, against all boxes",
    )
    confidence: float = Field(0.25, ge=0, le=1, description="lowest score of a detection, 0..1")
    iou: float = Field(0.7, ge=0, le=1, description="overlap above which the lower score is suppressed, 0..1")
    max_detections: int = Field(300, ge=1, le=100_000, description="rows an image, over all classes")
    candidates: int | None = Field(
        None, ge=1, le=10_000_000, description="only so many candidates an image, the best by score, enter NMS"
    )

    def run(self, model: Model) -> PassResult:
        """Embed NMS.

        Raises:
            PassRefused: There is no detection head to put it behind, or NMS is already there.
        """
        from graphkit.heads import HeadNotFound, recognise
        from graphkit.heads.emit import OLDEST_OPSET

        metadata = model.metadata
        graph = model.graph
        try:
            head = recognise(graph, metadata)
        except HeadNotFound as error:
            if error.kind == "final" and _KEY in metadata:
                return self._already(metadata[_KEY], error)
            raise PassRefused(f"found no detection head: {error}") from error
        if graph.opset < OLDEST_OPSET:
            raise PassRefused(f"needs opset {OLDEST_OPSET} or newer; the model has {graph.opset}. Export it again.")
        if self.backend == "efficientnms" and self.candidates is not None:
            raise PassRefused(
                "cannot set candidates with backend efficientnms: the plugin considers the 5000 best by itself. "
                "Leave candidates out, or use backend onnx."
            )
        return self._embed(model, head)

    def _already(self, text: str, error: Exception) -> PassResult:
        """A model that says it was made by this pass."""
        try:
            have = json.loads(text)
        except ValueError:
            have = None
        if not isinstance(have, dict):
            raise PassRefused(f"found no detection head: {error}") from error
        if have == self.options():
            return PassResult(0, declined=(Declined("embed-nms already put NMS in with these options"),))
        differ = [f"{key}: {have.get(key)}" for key, value in self.options().items() if have.get(key) != value]
        raise PassRefused(
            f"found NMS already embedded with other options ({', '.join(differ) or 'unknown ones'}). "
            "Run it on the model before NMS was embedded."
        ) from error

    def _embed(self, model: Model, head: Head) -> PassResult:
        from graphkit.edit import names_in
        from graphkit.heads import DetectionOutputs, NmsContract, raw_detections
        from graphkit.heads.emit import Emitter, cut, free_name, replace_outputs
        from graphkit.passes.embed_nms import efficientnms_backend, onnx_backend

        graph = model.graph
        decode = raw_detections(head)  # speaks of the outputs' names before they change
        emit = Emitter(graph, "embed-nms")
        boxes, scores = (emit.float32(part) for part in cut(emit, head))
        backend = onnx_backend if self.backend == "onnx" else efficientnms_backend
        detections = backend.build(emit, head, boxes, scores, self)
        replace_outputs(graph, head, detections)
        if head.state == "split":
            head.boxes.name, head.scores.name = emit.unique("decoded_boxes"), emit.unique("decoded_scores")
        taken = names_in(graph) - {tensor.name for tensor in detections}
        names = [free_name(taken, wanted) for wanted in ("num_dets", "boxes", "scores", "classes")]
        for tensor, name in zip(detections, names, strict=True):
            tensor.name = name
        plugin = self.backend == "efficientnms"
        contract = NmsContract(
            self.semantics,
            self.confidence,
            self.iou,
            self.max_detections,
            candidates=5000 if plugin else self.candidates,
            keep_equal=plugin,
            suppress_equal=plugin,
        )
        return PassResult(
            rewrites=1,
            summary=f"{self.backend}, {_SHORT[self.semantics]}",
            relation=DetectionOutputs(
                decode, contract, (names[0], names[1], names[2], names[3]), backend.seam(head, boxes, scores)
            ),
            metadata={_KEY: json.dumps(self.options())},
            warnings=(*head.warnings, *backend.WARNINGS),
        )
