"""onnxruntime's QNN provider on the NPU (HTP): what its builders refuse before Qualcomm's library is asked.

What the library itself refuses, by type and size, is not known here; so these conditions are never all that there are.
"""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    given,
    numbers,
    ones,
    rank,
    static,
)
from graphkit.runtimes.constraints.registry import constraint
from graphkit.runtimes.constraints.resizing import only_sides, resizing

_QNN = "onnxruntime-qnn"
_CITED = "onnxruntime/onnxruntime-qnn cee6c0d9, onnxruntime/core/providers/qnn/builder/opbuilder"
_OPS = (
    "Abs Add And ArgMax ArgMin Asin Atan AveragePool BatchNormalization Cast Ceil Clip Concat Conv ConvTranspose Cos "
    "CumSum DepthToSpace DequantizeLinear Div Einsum Elu Equal Exp Expand Flatten Floor Gather GatherElements GatherND "
    "Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample HardSigmoid HardSwish "
    "InstanceNormalization LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul Max MaxPool "
    "Mean Min Mod Mul Neg Not Or PRelu Pad Pow QuantizeLinear Reciprocal ReduceMax ReduceMean ReduceMin ReduceProd "
    "ReduceSum Relu Reshape Resize RoiAlign Round ScatterElements ScatterND Sigmoid Sign Sin Slice Softmax "
    "SpaceToDepth Split Sqrt Squeeze Sub Sum Tan Tanh Tile TopK Transpose Unsqueeze Upsample Where"
)


@constraint(_QNN, _OPS, citation=f"{_CITED}/../qnn_model.cc, ParseGraphInputOrOutput", evidence="code")
def _static(node: NodeFacts) -> Answer:
    return first(*(static(tensor, f"input {index}") for index, tensor in enumerate(node.inputs)))


@constraint(_QNN, "Conv ConvTranspose", citation=f"{_CITED}/conv_op_builder.cc, IsOpSupported", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (3, 4, 5)), ones(node, "dilations") if node.op == "ConvTranspose" else None)


@constraint(
    _QNN,
    "MaxPool AveragePool GlobalMaxPool GlobalAveragePool",
    citation=f"{_CITED}/pool_op_builder.cc, IsOpSupported",
    evidence="code",
)
def _pool(node: NodeFacts) -> Answer:
    data = node.input(0)
    deep = data is not None and data.rank == 5 and "Max" in node.op
    return first(
        rank(node, 0, (3, 4, 5)),
        "it is a maximum over three axes, which the NPU does not have" if deep else None,
        f"{len(node.outputs)} of its outputs are wanted; it has only the first" if len(node.outputs) > 1 else None,
        ones(node, "dilations"),
    )


@constraint(_QNN, "TopK", citation=f"{_CITED}/topk_op_builder.cc, ExplicitOpCheck", evidence="code")
def _topk(node: NodeFacts) -> Answer:
    return constant(node, 1, "K")


@constraint(_QNN, "Slice", citation=f"{_CITED}/slice_op_builder.cc, GetInitializerInputData", evidence="code")
def _slice(node: NodeFacts) -> Answer:
    names = ("starts", "ends", "axes", "steps")
    return first(*(constant(node, index, name) for index, name in enumerate(names, 1)))


@constraint(_QNN, "Pad", citation=f"{_CITED}/pad_op_builder.cc, ProcessInputs", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    pads = numbers(node.input(1))
    mirrored = node.attr("mode", "constant") == "reflect" and pads is not None and min(pads, default=0) < 0
    return first(
        rank(node, 0, range(6)),
        constant(node, 1, "pads"),
        constant(node, 2, "constant_value"),
        "it gives axes" if given(node.input(3)) else None,
        "it reflects by a negative amount" if mirrored else None,
    )


@constraint(_QNN, "Reshape", citation=f"{_CITED}/reshape_op_builder.cc, ProcessInputs", evidence="code")
def _reshape(node: NodeFacts) -> Answer:
    if not node.attr("allowzero", 0):
        return None
    kept = 0 in (numbers(node.input(1)) or ())
    return first(constant(node, 1, "shape"), "its shape has a 0 that allowzero keeps" if kept else None)


@constraint(_QNN, "Clip", citation=f"{_CITED}/clip_op_builder.cc, ExplicitOpCheck", evidence="code")
def _clip(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "min"), constant(node, 2, "max"))


@constraint(_QNN, "Expand Tile", citation=f"{_CITED}/expand_op_builder.cc, tile_op_builder.cc", evidence="code")
def _repeat(node: NodeFacts) -> Answer:
    return constant(node, 1, "shape" if node.op == "Expand" else "repeats")


@constraint(_QNN, "BatchNormalization", citation=f"{_CITED}/batchnormalization_op_builder.cc", evidence="code")
def _batch_norm(node: NodeFacts) -> Answer:
    names = ("scale", "bias", "mean", "variance")
    return first(*(constant(node, index, name) for index, name in enumerate(names, 1)))


@constraint(_QNN, "InstanceNormalization", citation=f"{_CITED}/instancenormalization_op_builder.cc", evidence="code")
def _instance_norm(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4))


@constraint(_QNN, "GridSample", citation=f"{_CITED}/simple_op_builder.cc, ExplicitOpCheck", evidence="code")
def _grid_sample(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("bilinear", "linear", "nearest"), "linear")


@constraint(_QNN, "ScatterND", citation=f"{_CITED}/simple_op_builder.cc, ExplicitOpCheck", evidence="code")
def _scatter_nd(node: NodeFacts) -> Answer:
    return attribute(node, "reduction", ("none", "add", "mul"), "none")


@constraint(_QNN, "ScatterElements", citation=f"{_CITED}/simple_op_builder.cc, ExplicitOpCheck", evidence="code")
def _scatter_elements(node: NodeFacts) -> Answer:
    return attribute(node, "reduction", ("none", "add", "mul", "max"), "none")


@constraint(_QNN, "Min Max Sum", citation=f"{_CITED}/simple_op_builder.cc, ExplicitOpCheck", evidence="code")
def _two_inputs(node: NodeFacts) -> Answer:
    return None if len(node.inputs) == 2 else f"it has {len(node.inputs)} inputs; it takes 2"


@constraint(_QNN, "Softmax LogSoftmax", citation=f"{_CITED}/softmax_op_builder.cc, ProcessInputs", evidence="code")
def _softmax(node: NodeFacts) -> Answer:
    data = node.input(0)
    return "its input is a constant, which should be folded" if data is not None and data.constant else None


@constraint(_QNN, "Resize", citation=f"{_CITED}/resize_op_builder.cc, IsOpSupported", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    transforms = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    return first(
        rank(node, 0, (3, 4, 5)),
        "it antialiases" if made.antialias else None,
        None
        if made.transform in transforms
        else f"its coordinate_transformation_mode is {made.transform}; it takes {', '.join(transforms)}",
        _nearest(node) if made.mode == "nearest" else None,
        only_sides(node),
    )


def _nearest(node: NodeFacts) -> Answer:
    """Four dimensions go to ResizeNearestNeighbor, others to Resize, which take different roundings."""
    made = resizing(node)
    if made.data is not None and made.data.rank == 4:
        bad = made.nearest in ("ceil", "round_prefer_floor") and made.transform == "asymmetric"
        return f"its nearest_mode is {made.nearest} with asymmetric coordinates" if bad else None
    if made.nearest not in ("round_prefer_ceil", "floor"):
        return f"its nearest_mode is {made.nearest}; without four dimensions it takes floor and round_prefer_ceil"
    if made.nearest == "round_prefer_ceil" and made.transform != "align_corners":
        return "its nearest_mode is round_prefer_ceil without align_corners"
    if made.nearest == "floor" and made.transform == "pytorch_half_pixel":
        return "its nearest_mode is floor with pytorch_half_pixel"
    return None
