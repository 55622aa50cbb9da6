"""split-head."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from graphkit.errors import PassRefused
from graphkit.numerics import Numerics
from graphkit.passes.contract import Declined, Pass, PassResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graphkit.heads import DerivedOutputs, Head
    from graphkit.model import Model


class SplitHead(Pass):
    """Expose boxes and scores as separate graph outputs.

    The one output of a YOLOv8-style detector joins boxes in pixels and scores in 0..1 along one axis. The joining
    Concat is removed; `boxes` and `scores` stand in the place of the joined output, other outputs stay. This is what
    integer quantization needs (one scale for both leaves nothing of the scores) and what embed-nms works on. Other
    tensors that already have these names keep them, and the outputs are numbered: `boxes_2`.

    Declines:
        A head that is already split so: 0 rewrites. Refused: no detect head, more than one, NMS inside, a head
        already split with other options. Subgraphs and functions are not entered; no constant is changed.

    Numerics:
        Exact. The corners are (c - s · 0.5, c + s · 0.5), each operation rounded to float32 as in the reference.

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

    def run(self, model: Model) -> PassResult:
        """Split the joined output.

        Raises:
            PassRefused: There is no detection head to split, or it was split with other options.
        """
        from graphkit.edit import names_in
        from graphkit.heads import HeadNotFound, recognise
        from graphkit.heads.emit import OLDEST_OPSET, Emitter, arrange, cut, free_name, replace_outputs

        metadata = model.metadata
        graph = model.graph
        try:
            head = recognise(graph, metadata)
        except HeadNotFound as error:
            if error.kind == "final" and "graphkit.nms" in metadata:
                reason = "embed-nms already made its outputs final: boxes and scores are apart"
                return PassResult(0, declined=(Declined(reason),))
            raise PassRefused(f"found no detection head: {error}") from error
        if head.state == "split":
            return self._already(head)
        if self.coding == "center-size" != head.coding:
            raise PassRefused(
                f'found boxes as corners in "{head.outputs[0]}": centres and sizes cannot be computed from them '
                "exactly. Set coding: corners."
            )
        if graph.opset < OLDEST_OPSET:
            raise PassRefused(f"needs opset {OLDEST_OPSET} or newer; the model has {graph.opset}. Export it again.")
        emit = Emitter(graph, "split-head")
        parts = cut(emit, head)
        boxes, scores = arrange(emit, head, *parts, self.layout, self.coding)
        replace_outputs(graph, head, [boxes, scores])
        taken = names_in(graph) - {boxes.name, scores.name}
        boxes.name, scores.name = free_name(taken, "boxes"), free_name(taken, "scores")
        metadata_value = {
            "task": head.task,
            "family": head.family,
            "classes": head.classes,
            "boxes": boxes.name,
            "scores": scores.name,
            "layout": self.layout,
            "coding": self.coding,
            "strides": list(head.strides),
        }
        return PassResult(
            rewrites=1,
            summary=f"{boxes.name}, {scores.name}",
            relation=self._relation(head, boxes.name, scores.name),
            metadata={"graphkit.head": json.dumps(metadata_value)},
            warnings=head.warnings,
        )

    def _already(self, head: Head) -> PassResult:
        have = f"{head.box_layout}, {head.coding}"
        if (head.box_layout, head.score_layout, head.coding) == (self.layout, self.layout, self.coding):
            names = '", "'.join(head.outputs)
            return PassResult(0, declined=(Declined(f'"{names}" are already boxes and scores ({have})'),))
        raise PassRefused(
            f'found the head already split into "{head.outputs[0]}" and "{head.outputs[1]}" ({have}), not '
            f"({self.layout}, {self.coding}). Run split-head with these options on the model before it was split."
        )

    def _relation(self, head: Head, boxes: str, scores: str) -> DerivedOutputs:
        from graphkit.heads import Arrays, DerivedOutputs, parts_of, recode, relayout

        parts, layout, have, want = parts_of(head), self.layout, head.coding, self.coding
        dropped = set(head.outputs)

        def derive(old: Arrays) -> dict[str, NDArray[np.generic]]:
            box, score, box_layout, score_layout = parts(old)
            new = {name: value for name, value in old.items() if name not in dropped}
            new[boxes] = recode(relayout(box, box_layout, layout), layout, have, want)
            new[scores] = relayout(score, score_layout, layout)
            return new

        return DerivedOutputs(derive, {boxes: "boxes", scores: "scores"})
