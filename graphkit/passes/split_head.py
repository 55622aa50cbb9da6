"""split-head."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    from graphkit.heads import Head, HeadNotFound
    from graphkit.model import Model


class SplitHead(Pass):
    """Expose boxes and scores as separate graph outputs.

    The one output of a YOLO detector joins boxes in pixels and scores in 0..1 along one axis. The joining Concat is
    removed; `boxes` and `scores`, and `masks` (coefficients), `keypoints` or `angles` where the task has them, stand in
    the place of the joined output; prototypes and other outputs stay. This is what integer quantization needs (one
    scale for both leaves nothing of the scores) and what embed-nms works on. Objectness (YOLOv5, v7) is multiplied into
    the scores. One-to-one heads (v10, YOLO26) give `boxes` [B,K,4] as they are coded, `scores` [B,K] and `classes`
    int32 [B,K], whatever layout and coding say. Other tensors that already have these names keep them, and the outputs
    are numbered: `boxes_2`.

    With cut: raw the outputs are those of the last convolutions, for each stride `boxes_stride8` (logits of the DFL
    bins, or distances), `logits_stride8` and the extras', as Hailo wants them. With cut: rknn scores are behind their
    Sigmoid, `scores_stride8`, and `sums_stride8` is their sum over the classes clipped to 0..1, as RKNN's model zoo
    wants them; sums: false leaves that out. Heads with anchor boxes give one output a stride, `boxes_stride8`, with
    everything in it, raw or behind the Sigmoid. The decode that is then left to do is told as a warning and in the
    metadata, `graphkit.head`.

    Declines:
        A head that is already split so: 0 rewrites. Refused: no detection head, more than one, NMS inside, a head
        already split with other options, rotated boxes as corners, raw and rknn for one-to-one heads. Subgraphs and
        functions are not entered; no constant is changed.

    Numerics:
        Exact. The corners are (c - s · 0.5, c + s · 0.5), each operation rounded to float32 as in the reference. For
        raw and rknn close: the decode that the metadata describes, done in NumPy on the new outputs, gives the old.

    Example:
        output0 [1,84,8400] → boxes [1,4,8400], scores [1,80,8400]
    """

    name: ClassVar[str] = "split-head"
    numerics: ClassVar[Numerics] = Numerics.EXACT

    layout: Literal["cn", "nc"] = Field(
        "cn", description="cn: boxes [B,4,A] and scores [B,C,A], as exported; nc: [B,A,4] and [B,A,C]"
    )
    coding: Literal["center-size", "corners"] = Field(
        "center-size", description="center-size: cx cy w h, as exported; corners: x1 y1 x2 y2; in pixels"
    )
    cut: Literal["decoded", "raw", "rknn"] = Field(
        "decoded",
        description="decoded: boxes in pixels and scores; raw: the last convolutions, for Hailo; rknn: those with "
        "activated scores, for RKNN",
    )
    sums: bool = Field(True, description="rknn only: add the clipped sum of the scores a stride, nine outputs for six")

    def run(self, model: Model) -> PassResult:
        """Split the joined output.

        Raises:
            PassRefused: There is no detection head to split, or it was split with other options.
        """
        from graphkit.heads import HeadNotFound, recognise
        from graphkit.passes.emit import OLDEST_OPSET
        from graphkit.passes.splitting.decoded import split_decoded
        from graphkit.passes.splitting.raw import split_raw

        metadata = model.metadata
        graph = model.graph
        try:
            head = recognise(graph, metadata)
        except HeadNotFound as error:
            if error.kind == "cut":
                return self._already_cut(metadata["graphkit.head"], error)
            if error.kind == "final" and "graphkit.nms" in metadata:
                reason = "embed-nms already made its outputs final: boxes and scores are apart"
                return PassResult(0, declined=(Declined(reason),))
            raise PassRefused(f"found no detection head: {error}") from error
        if graph.opset < OLDEST_OPSET:
            raise PassRefused(f"needs opset {OLDEST_OPSET} or newer; the model has {graph.opset}. Export it again.")
        if self.cut != "decoded":
            return split_raw(graph, head, self)
        if head.output_layout is None:
            return self._already(head)
        if head.rotated and self.coding == "corners":
            raise PassRefused(
                f'found rotated boxes in "{head.outputs[0]}", which have no corners x1 y1 x2 y2. '
                "Leave coding: center-size; the angles are an output of their own."
            )
        if head.state != "final" and self.coding == "center-size" != head.coding:
            raise PassRefused(
                f'found boxes as corners in "{head.outputs[0]}": centres and sizes cannot be computed from them '
                "exactly. Set coding: corners."
            )
        return split_decoded(graph, head, self)

    def _already(self, head: Head) -> PassResult:
        have = f"{head.box_layout}, {head.coding}"
        wanted = (self.layout, self.layout, self.coding)
        if head.state == "final" or (head.box_layout, head.score_layout, head.coding) == wanted:
            names = '", "'.join(head.outputs)
            return PassResult(0, declined=(Declined(f'"{names}" are already boxes and scores ({have})'),))
        raise PassRefused(
            f'found the head already split into "{head.outputs[0]}" and "{head.outputs[1]}" ({have}), not '
            f"({self.layout}, {self.coding}). Run split-head with these options on the model before it was split."
        )

    def _already_cut(self, text: str, error: HeadNotFound) -> PassResult:
        """A model that says this pass cut it in front of its decode."""
        told = json.loads(text)
        same = told.get("cut") == self.cut and (self.cut != "rknn" or told.get("sums") == self.sums)
        if same:
            return PassResult(0, declined=(Declined(f"split-head already cut the head (cut: {self.cut})"),))
        raise PassRefused(f"found no detection head: {error}") from error
