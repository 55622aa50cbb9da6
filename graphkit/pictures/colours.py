"""Colours of boxes: what they mean, and the palette for kinds of operators.

Light tints with dark text on them, so that a box reads alike on a light and a dark ground; hues after Okabe and Ito's
palette for colour-blind readers. Nothing is told by colour alone: boxes name their operator, tooltips the meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from graphkit.pictures.wiring import Box


@dataclass(frozen=True)
class Colour:
    """How a node is drawn, and why.

    Attributes:
        fill: "#rrggbb"; light, since the text on it is dark.
        edge: "#rrggbb" of the outline.
        meaning: What the legend says.
        rank: Where several nodes are drawn as one box, it has the colour of the highest rank among them.
        tip: What the tooltip adds for this node; "" for nothing.
        dashed: Whether the outline is dashed, so that the worst is seen without colour.
        said: A line in the box; "" for none.
    """

    fill: str
    edge: str
    meaning: str
    rank: int = 0
    tip: str = ""
    dashed: bool = False
    said: str = ""


Paint = Callable[[Sequence[str]], Colour]
"""The colour of a box by the keys of the nodes in it, where it is more than that of the worst of them: a sum."""

PLAIN = Colour("#f4f4f4", "#8a8a8a", "other")
BLOCK = Colour("#ffffff", "#444444", "block of several nodes")
ENDS = Colour("#e6e6e6", "#444444", "input or output")
_CONVOLUTION = Colour("#cfe3f5", "#0072b2", "convolution, matrix product")
_ACTIVATION = Colour("#fbdcc8", "#d55e00", "activation")
_POOL = Colour("#c9ecdf", "#009e73", "pooling, resizing, reduction")
_ARITHMETIC = Colour("#fbf3bd", "#a89100", "arithmetic, comparison")
_ROUTE = Colour("#f3d9e8", "#b0578a", "joining, splitting, picking")
_CHOICE = Colour("#e3d4f7", "#7b4fc9", "choosing: TopK, NonMaxSuppression")
_CONTROL = Colour("#d9d2c5", "#5b4a2b", "subgraphs and other domains")

_FAMILIES: tuple[tuple[Colour, str], ...] = (
    (
        _CONVOLUTION,
        "Conv ConvInteger ConvTranspose DeformConv Einsum Gemm MatMul MatMulInteger QLinearConv QLinearMatMul",
    ),
    (_ACTIVATION, "Celu Clip Elu Gelu HardSigmoid HardSwish LeakyRelu LogSoftmax Mish PRelu Relu Selu Sigmoid Softmax"),
    (_ACTIVATION, "Softplus Softsign Swish Tanh ThresholdedRelu BatchNormalization GroupNormalization"),
    (_ACTIVATION, "InstanceNormalization LayerNormalization LpNormalization RMSNormalization"),
    (_POOL, "AveragePool GlobalAveragePool GlobalMaxPool GridSample LpPool MaxPool MaxRoiPool ReduceL1 ReduceL2"),
    (_POOL, "ReduceLogSum ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Resize RoiAlign Upsample"),
    (
        _ARITHMETIC,
        "Abs Add And Ceil Cos Div Equal Erf Exp Floor Greater GreaterOrEqual Less LessOrEqual Log Max Mean Min",
    ),
    (_ARITHMETIC, "Mod Mul Neg Not Or Pow Reciprocal Round Sign Sin Sqrt Sub Sum Where Xor"),
    (_ROUTE, "Compress Concat Gather GatherElements GatherND Pad ScatterElements ScatterND Slice Split Tile"),
    (_CHOICE, "ArgMax ArgMin NonMaxSuppression NonZero TopK Unique"),
)
_OF = {op: colour for colour, names in _FAMILIES for op in names.split()}


def by_operator(box: Box) -> Colour:
    """The colour of an operator's kind."""
    if box.kind != "node":
        return ENDS
    if box.folded or "." in box.op:
        return _CONTROL
    return _OF.get(box.op, PLAIN)
