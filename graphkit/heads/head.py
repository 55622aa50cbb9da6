"""Head: what a detector's outputs hold, and the refusal where they hold something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import onnx_graphsurgeon as gs

from graphkit.errors import GraphkitError
from graphkit.heads.anchored import AnchoredLevel
from graphkit.heads.decode import BoxDecode, Coding

Layout = Literal["cn", "nc"]
"""Of a tensor: "cn" is [B, channels, A], "nc" is [B, A, channels]."""

Dimension = int | str
"""A size, or the name of one that is known at run time only."""

Task = Literal["detect", "segment", "pose", "obb"]

Kind = Literal[
    "classifier",
    "final",
    "one-to-one",
    "several",
    "unsupported-task",
    "features",
    "cut",
    "semantic",
    "yolox",
    "unknown",
]


class HeadNotFound(GraphkitError):
    """The model's outputs are not the boxes and scores of one detection head.

    Attributes:
        kind: Roughly what they are instead. "cut" is a head of which split-head left the raw predictions.
        reason: Half a sentence, naming outputs and shapes.
        advice: A whole sentence or two: what to do instead; may be empty.
    """

    exit_status = 1

    def __init__(self, kind: Kind, reason: str, advice: str = "") -> None:
        self.kind, self.reason, self.advice = kind, reason, advice
        super().__init__(f"{reason}. {advice}".strip())


@dataclass(frozen=True, eq=False)
class Extra:
    """What a head says of each candidate besides its box and its scores.

    Attributes:
        kind: "masks" is mask coefficients, "keypoints" is x y or x y visibility for each keypoint in pixels, "angle" is
            radians.
        tensor: The tensor as it is concatenated, or the output.
        width: Channels E.
        layout: How it lies.
    """

    kind: Literal["masks", "keypoints", "angle"]
    tensor: gs.Tensor
    width: int
    layout: Layout


@dataclass(frozen=True, eq=False)
class Head:
    """One detection head.

    Attributes:
        family: What the structure tells, for a reader: "YOLOv8-style".
        task: What is detected.
        state: "joined" is one output with boxes and scores in it, "split" is an output for each, "final" is one output
            [B, K, 6 + E] of a one-to-one head (x1 y1 x2 y2 score class and the extras), which needs no NMS, or what
            split-head makes of it: boxes, scores, classes and the extras.
        classes: Number of classes C.
        outputs: Names of the graph's outputs it fills: (joined,), or (boxes, scores), or for a final head (boxes,
            scores, classes), and the extras behind them. Prototypes are not among them: they stay.
        boxes: Tensor with the boxes, in pixels of the network's input: what is concatenated, or the output. Joined
            heads with anchor boxes (`levels`) have no such tensor: this is the joined one; `emit.cut` makes it.
        scores: Tensor with the activated scores, 0..1: what is concatenated, or the output. As `boxes` for anchor
            boxes. Of a final head the best class's: [B, K, 1], or [B, K] after split-head.
        box_layout: How `boxes` lies.
        score_layout: How `scores` lies.
        output_layout: How a joined output lies; None where the head is split.
        coding: "center-size" is cx cy w h, "corners" is x1 y1 x2 y2.
        activated: Whether a Sigmoid was seen.
        strides: Pixels a grid cell of each level, ascending; empty where they are computed at run time.
        bins: Bins a side of the DFL, None where there is none.
        batch: Batch size, or its symbol.
        anchors: Candidates an image A, or their symbol.
        objectness: Tensor with the activated objectness, [B, 1, A] or [B, A, 1]; None where there is none. `scores` are
            then class scores before it is multiplied in, unless the graph does that itself. For joined heads with
            anchor boxes the joined tensor; `emit.cut` multiplies it in.
        logits: The scores before their Sigmoid, in `score_layout`; None where they are not one tensor.
        extras: What else belongs to each candidate, in the order of the joined output.
        prototypes: Output with the mask prototypes, [B, E, H, W]; None where there are none.
        casts: ONNX element types a joined head is cast to on its way to the output.
        levels: Of a head with anchor boxes, in the order of the candidates; else empty.
        decode: How the boxes are computed.
        labels: Class indices of a final head, as numbers of any type: [B, K, 1], or [B, K] after split-head.
        names: Class names of the metadata, by index; empty where there are none.
        warnings: What contradicts, though nothing is wrong.
    """

    family: str
    task: Task
    state: Literal["joined", "split", "final"]
    classes: int
    outputs: tuple[str, ...]
    boxes: gs.Tensor
    scores: gs.Tensor
    box_layout: Layout
    score_layout: Layout
    output_layout: Layout | None
    coding: Coding
    activated: bool
    strides: tuple[int, ...]
    bins: int | None
    batch: Dimension
    anchors: Dimension
    casts: tuple[int, ...] = ()
    objectness: gs.Tensor | None = None
    logits: gs.Tensor | None = None
    extras: tuple[Extra, ...] = ()
    prototypes: str | None = None
    levels: tuple[AnchoredLevel, ...] = ()
    decode: BoxDecode | None = None
    labels: gs.Tensor | None = None
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """In a few words: "YOLOv8-style detect (DFL), 80 classes"."""
        kind = " (DFL)" if self.bins else " (objectness)" if self.objectness is not None else ""
        final = ", final" if self.state == "final" else ""
        return f"{self.family} {self.task}{kind}{final}, {self.classes} class{'' if self.classes == 1 else 'es'}"

    @property
    def rotated(self) -> bool:
        """Whether boxes are turned by an angle, which is then among the extras."""
        return any(extra.kind == "angle" for extra in self.extras)
