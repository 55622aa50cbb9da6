"""replace-nms."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.model import Model


class ReplaceNms(Pass):
    """Give a model that has its NMS inside another backend of it, with the same thresholds and outputs.

    Known are TensorRT's plugin EfficientNMS_TRT, whoever put it in, and what embed-nms makes of the ONNX operator
    NonMaxSuppression, whatever is left of its metadata: all that stands around that operator is compared with what
    embed-nms would put there. Names, order, types and shapes of the outputs stay, and so do thresholds that are inputs
    of the model, masks and keypoints. Candidates that are not the best class of their box are let go before the new
    NMS where the plugin got them masked. Backend unrolled makes a round for each row of the outputs, as embed-nms
    does; where candidates were chosen before they were decoded it takes the choice back, having no TopK to choose with.

    Declines:
        A model whose NMS has this backend already: 0 rewrites. Refused: no NMS, more than one, NMS in a subgraph,
        NonMaxSuppression in other surroundings; a plugin that decodes its boxes itself, that has boxes for each class,
        or whose outputs other nodes read; to unrolled, multi-label and a number of boxes that is not fixed; to
        efficientnms, thresholds that are inputs, masks and keypoints, and the one
        output that ultralytics reads. Functions are not entered; no constant is changed.

    Numerics:
        Detections: those of greedy NMS on the candidates that the model before computes, and those of the model before
        itself. EfficientNMS_TRT keeps score >= confidence, suppresses IoU >= iou and considers the 5000 best pairs; the
        others keep score > confidence, suppress IoU > iou and consider as many as entered before, of the plugin all
        (matrix: at most 512 where more than 1000 could enter), and unrolled all in any case. The matrix backend is
        exact for chains of overlapping boxes up to `iterations` long.

    Example:
        EfficientNMS_TRT(boxes, scores) with replace-nms: onnx becomes NonMaxSuppression and the gathers behind it.
    """

    name: ClassVar[str] = "replace-nms"
    numerics: ClassVar[Numerics] = Numerics.DETECTIONS
    scalar: ClassVar[str | None] = "backend"

    backend: Literal["onnx", "matrix", "efficientnms", "unrolled"] = Field(
        description="onnx: NonMaxSuppression; matrix: no NMS operator; efficientnms: the TensorRT plugin; unrolled: no "
        "NMS operator and no TopK, Gather or comparison either, one round a row of the outputs"
    )
    candidates: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="only so many pairs of box and class an image, the best by score, enter; left out: as before",
    )
    iterations: int = Field(
        32, ge=1, le=4096, description="of the matrix backend: exact for chains of so many overlapping boxes"
    )

    def run(self, model: Model) -> PassResult:
        """See the class.

        Raises:
            PassRefused: There is no NMS that is known, or the backend cannot do what it does.
        """
        from graphkit.passes.emit import OLDEST_OPSET
        from graphkit.passes.replacing import NotReplaceable, look, replace_backend
        from graphkit.passes.replacing.looking import is_matrix, is_unrolled

        if model.opset < OLDEST_OPSET:
            raise PassRefused(f"needs opset {OLDEST_OPSET} or newer; the model has {model.opset}. Export it again.")
        try:
            found = look(model)
        except NotReplaceable as error:
            raise PassRefused(f"cannot replace the NMS: {error}. Export the model again without it") from error
        if found is None and self.backend == "matrix" and is_matrix(model.graph):
            return PassResult(0, declined=(Declined("its NMS is made of matrix products already"),))
        if found is None and self.backend == "unrolled" and is_unrolled(model.graph):
            return PassResult(0, declined=(Declined("its NMS is unrolled already"),))
        if found is None:
            raise PassRefused(
                "found no EfficientNMS_TRT and no NonMaxSuppression in the model: embed-nms puts NMS behind a detector"
            )
        if found.backend == self.backend:
            return PassResult(0, declined=(Declined(f"its NMS is of backend {self.backend} already"),))
        return replace_backend(model, found, self)
