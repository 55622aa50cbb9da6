"""onnxruntime's WebNN provider: what its builders ask of a node; which types the browser takes is not known here."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    given,
    numbers,
    one_output,
    rank,
    static,
)
from graphkit.runtimes.constraints.registry import constraint
from graphkit.runtimes.constraints.resizing import constant_parameter, only_sides, resizing

_WEBNN = "onnxruntime-webnn"
_TREE = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers"
_NN = f"{_TREE}/webnn/builders/impl"
_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)
_OPS = (
    f"{_REDUCTIONS} Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Conv ConvInteger "
    "ConvTranspose Cos CumSum Div DepthToSpace DequantizeLinear Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp "
    "Expand Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool GlobalLpPool "
    "Greater GreaterOrEqual GRU HardSigmoid HardSwish Identity InstanceNormalization IsNaN IsInf LayerNormalization "
    "LeakyRelu Less LessOrEqual Log LpNormalization LpPool LRN LSTM MatMul MatMulInteger Max MaxPool Min Mul Neg Not "
    "Or Pad Pow PRelu QuantizeLinear Reciprocal Round Relu Reshape Resize ScatterElements ScatterND Shape Sigmoid Sign "
    "Softplus Softsign Sin Slice Softmax Split Sqrt Squeeze Sub Tan Tanh Tile Transpose Trilu Unsqueeze Where Xor"
)


@constraint(_WEBNN, _OPS, citation=f"{_TREE}/webnn/builders/helper.cc, IsTensorShapeSupported", evidence="code")
def _static(node: NodeFacts) -> Answer:
    inputs = (static(tensor, f"input {index}") for index, tensor in enumerate(node.inputs))
    outputs = (static(tensor, f"output {index}") for index, tensor in enumerate(node.outputs))
    return first(*inputs, *outputs)


@constraint(
    _WEBNN,
    f"{_REDUCTIONS} Squeeze Unsqueeze",
    citation=f"{_NN}/reduction_op_builder.cc, squeeze_unsqueeze_op_builder.cc",
    evidence="code",
    versions="1.21 1.30",
    whole=True,
)
@constraint(
    _WEBNN,
    f"{_REDUCTIONS} Squeeze Unsqueeze",
    citation=f"{_NN}/reduction_op_builder.cc, squeeze_unsqueeze_op_builder.cc",
    evidence="code",
    versions="1.23 1.24",
)
def _axes(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


_PARAMETERS = {
    "CumSum": {1: "axis"},
    "Expand": {1: "shape"},
    "Pad": {1: "pads", 2: "constant_value", 3: "axes"},
    "Reshape": {1: "shape"},
    "Slice": {1: "starts", 2: "ends", 3: "axes", 4: "steps"},
    "Split": {1: "split"},
    "Tile": {1: "repeats"},
    "Trilu": {1: "k"},
    "Clip": {1: "min", 2: "max"},
}


@constraint(
    _WEBNN,
    "CumSum Expand Pad Reshape Slice Split Tile Trilu",
    citation=f"{_NN}, IsOpSupportedImpl",
    evidence="code",
    versions="1.21 1.30",
    whole=True,
)
@constraint(
    _WEBNN,
    "CumSum Expand Pad Reshape Slice Split Tile Trilu",
    citation=f"{_NN}, IsOpSupportedImpl",
    evidence="code",
    versions="1.23 1.24",
)
@constraint(_WEBNN, "Clip", citation=f"{_NN}/clip_op_builder.cc", evidence="code")
def _parameters(node: NodeFacts) -> Answer:
    return first(*(constant(node, index, name) for index, name in _PARAMETERS[node.op].items()))


@constraint(_WEBNN, "Pad", citation=f"{_NN}/pad_op_builder.cc", evidence="code")
def _pad_mode(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("constant", "reflect", "edge"), "constant")


@constraint(_WEBNN, "Reshape", citation=f"{_NN}/reshape_op_builder.cc", evidence="code")
def _reshape_zero(node: NodeFacts) -> Answer:
    kept = node.attr("allowzero", 0) and 0 in (numbers(node.input(1)) or ())
    return "its shape has a 0 that allowzero keeps" if kept else None


@constraint(_WEBNN, "Split", citation=f"{_NN}/split_op_builder.cc", evidence="code")
def _split_sizes(node: NodeFacts) -> Answer:
    sizes = numbers(node.input(1)) if given(node.input(1)) else None
    return "one of its parts has no elements" if sizes and min(sizes) <= 0 else None


@constraint(_WEBNN, "Resize", citation=f"{_NN}/resize_op_builder.cc", evidence="code", versions="1.21 1.30", whole=True)
@constraint(_WEBNN, "Resize", citation=f"{_NN}/resize_op_builder.cc", evidence="code", versions="1.23 1.24")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    return first(
        rank(node, 0, (4,)),
        f"its mode is {made.mode}; it takes nearest and linear" if made.mode not in ("nearest", "linear") else None,
        "it antialiases" if made.antialias else None,
        "it sets exclude_outside" if made.exclude_outside else None,
        f"its keep_aspect_ratio_policy is {made.aspect}; it takes stretch" if made.aspect != "stretch" else None,
        f"it gives {len(made.axes)} axes; it takes two" if made.axes and len(made.axes) != 2 else None,
        constant_parameter(node),
        only_sides(node),
    )


@constraint(
    _WEBNN,
    "Conv ConvInteger ConvTranspose",
    citation=f"{_NN}/conv_op_builder.cc",
    evidence="code",
    versions="1.21 1.30",
    whole=True,
)
@constraint(
    _WEBNN,
    "Conv ConvInteger ConvTranspose",
    citation=f"{_NN}/conv_op_builder.cc",
    evidence="code",
    versions="1.23 1.24",
)
def _conv(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (3, 4)), rank(node, 1, (3, 4), "weight"))


_POOLS = "MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool GlobalLpPool"


@constraint(_WEBNN, _POOLS, citation=f"{_NN}/pool_op_builder.cc", evidence="code", versions="1.21 1.30", whole=True)
@constraint(_WEBNN, _POOLS, citation=f"{_NN}/pool_op_builder.cc", evidence="code", versions="1.23 1.24")
def _pool(node: NodeFacts) -> Answer:
    powers = node.op in ("LpPool", "GlobalLpPool")
    return first(
        rank(node, 0, (4,)),
        attribute(node, "storage_order", (0,), 0),
        one_output(node),
        attribute(node, "p", (2,), 2) if powers else None,
    )


@constraint(
    _WEBNN,
    "BatchNormalization",
    citation=f"{_NN}/normalization_op_builder.cc",
    evidence="code",
    versions="1.21 1.30",
    whole=True,
)
@constraint(
    _WEBNN,
    "BatchNormalization",
    citation=f"{_NN}/normalization_op_builder.cc",
    evidence="code",
    versions="1.23 1.24",
)
@constraint(
    _WEBNN,
    "LayerNormalization InstanceNormalization",
    citation=f"{_NN}/normalization_op_builder.cc",
    evidence="code",
)
def _norm(node: NodeFacts) -> Answer:
    return first(attribute(node, "training_mode", (0,), 0), one_output(node))


@constraint(
    _WEBNN,
    "ScatterElements ScatterND",
    citation=f"{_NN}/scatterND_op_builder.cc, scatterElements_op_builder.cc",
    evidence="code",
    versions="1.21 1.30",
    whole=True,
)
@constraint(
    _WEBNN,
    "ScatterElements ScatterND",
    citation=f"{_NN}/scatterND_op_builder.cc, scatterElements_op_builder.cc",
    evidence="code",
    versions="1.23 1.24",
)
def _scatter(node: NodeFacts) -> Answer:
    return attribute(node, "reduction", ("none",), "none")


@constraint(
    _WEBNN, "GatherND", citation=f"{_NN}/gatherND_op_builder.cc", evidence="code", versions="1.21 1.30", whole=True
)
@constraint(_WEBNN, "GatherND", citation=f"{_NN}/gatherND_op_builder.cc", evidence="code", versions="1.23 1.24")
def _gather_nd(node: NodeFacts) -> Answer:
    return attribute(node, "batch_dims", (0,), 0)


@constraint(_WEBNN, "Gemm", citation=f"{_NN}/gemm_op_builder.cc", evidence="code")
def _gemm(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (2,), "A"), rank(node, 1, (2,), "B"))
