"""TensorRT's ONNX parser: what it asks of shapes, attributes and constants.

`is_weights` in the parser holds only for initializers and Constant nodes: what other nodes compute from constants is
not folded before it looks.
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
    one_output,
    ones,
    rank,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import innermost, resizing
from graphkit.runtimes.constraints.tensorrt_parser import BOTH, NEW, OLD, TEN, keeps_type


@constraint(BOTH, "Resize", citation=f"{NEW}, onnxOpCheckers.cpp, Resize", evidence="code", whole=keeps_type)
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    transforms = ("half_pixel", "pytorch_half_pixel", "tf_half_pixel_for_nn", "asymmetric", "align_corners")
    if made.transform not in transforms:
        return f"its coordinate_transformation_mode is {made.transform}; the parser knows {', '.join(transforms)}"
    if made.transform == "tf_half_pixel_for_nn" and made.nearest != "round_prefer_floor":
        return f"its nearest_mode is {made.nearest}; with tf_half_pixel_for_nn it must be round_prefer_floor"
    if made.antialias:
        return "it antialiases, which the parser does not know"
    if made.aspect != "stretch":
        return f"its keep_aspect_ratio_policy is {made.aspect}; it must be stretch"
    if made.mode == "linear":
        return innermost(node, 3)
    return innermost(node, 2) if made.mode == "cubic" else None


@constraint(BOTH, "Resize", citation=f"{NEW}, onnxOpImporters.cpp, Resize", evidence="code", versions=TEN)
def _resize_axes(node: NodeFacts) -> Answer:
    made = resizing(node)
    tensor = made.parameter
    if not made.axes or made.by_sizes or tensor is None or tensor.constant or made.data is None:
        return None
    if made.data.rank is None:
        return Unknown("the rank of its input is not known")
    if made.axes == tuple(range(made.data.rank)):
        return None
    return "it has scales that are no initializer for some axes only"


@constraint(
    "tensorrt",
    "Resize",
    citation="onnx/onnx-tensorrt 8.4-GA 63d626b6, builtin_op_importers.cpp, Resize",
    evidence="code",
    versions="8.0 8.2 8.4",
)
def _resize_cubic(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("nearest", "linear"), "nearest")


@constraint(BOTH, "Upsample", citation=f"{NEW}, onnxOpImporters.cpp, Upsample", evidence="code")
def _upsample(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "mode", ("nearest", "linear", "bilinear"), "nearest"),
        innermost(node, 3) if resizing(node).smooth else None,
    )


@constraint(
    BOTH,
    "TopK",
    citation="NVIDIA TensorRT operators documentation, TopK (k <= 3840); onnx/onnx-tensorrt docs/operators.md",
    evidence="doc",
    whole=keeps_type,
)
def _topk_limit(node: NodeFacts) -> Answer:
    values = [node.attr("k")] if node.attr("k") is not None else numbers(node.input(1))
    if values:
        return None if values[0] <= 3840 else f"its K is {values[0]}; it may be at most 3840"
    data = node.input(0)
    axis = node.attr("axis", -1)
    size = data.shape[axis] if data is not None and data.shape and -len(data.shape) <= axis < len(data.shape) else None
    # It cannot take more elements than there are.
    return None if isinstance(size, int) and size <= 3840 else Unknown("its K is not known; it may be at most 3840")


@constraint(
    BOTH,
    "TopK",
    citation="onnx/onnx-tensorrt 10.1-GA 96e78110, docs/operators.md, TopK",
    evidence="doc",
    versions="10.1 10.15 1",
)
def _topk_sorted(node: NodeFacts) -> Answer:
    return attribute(node, "sorted", (1,), 1)


@constraint(
    "tensorrt",
    "TopK",
    citation="onnx/onnx-tensorrt release/8.5-GA 3b008c46, builtin_op_importers.cpp, TopK",
    evidence="code",
    versions="8.0 8.2 8.4 8.5",
)
def _topk_weights(node: NodeFacts) -> Answer:
    return constant(node, 1, "K", folds=False)


@constraint(BOTH, "NonMaxSuppression", citation=f"{NEW}, onnxOpImporters.cpp, NonMaxSuppression", evidence="code")
def _nms(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (3,), "boxes"), rank(node, 1, (3,), "scores"))


@constraint(
    BOTH, "MaxPool AveragePool", citation=f"{NEW}, importerUtils.cpp, poolingHelper", evidence="code", whole=keeps_type
)
def _pool(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (3, 4, 5)), one_output(node))


@constraint(
    BOTH,
    "MaxPool AveragePool LpPool",
    citation=f"{NEW}, onnxOpCheckers.cpp, poolingCheckHelper",
    evidence="code",
    versions=TEN,
)
def _pool_dilations(node: NodeFacts) -> Answer:
    return ones(node, "dilations") if node.opset >= 10 else None


@constraint(
    "tensorrt",
    "MaxPool",
    citation="onnx/onnx-tensorrt release/8.6-GA 6ba67d34, onnx2trt_utils.cpp, poolingHelper: dilations are not read",
    evidence="code",
    versions="8.6",
    wrong=True,
)
def _pool_dilations_ignored(node: NodeFacts) -> Answer:
    return ones(node, "dilations")


@constraint(BOTH, "Conv ConvTranspose", citation=f"{NEW}, onnxOpImporters.cpp, ConvTranspose", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))


@constraint(BOTH, "BatchNormalization", citation=f"{OLD}; {NEW}, onnxOpCheckers.cpp", evidence="code")
def _training(node: NodeFacts) -> Answer:
    return attribute(node, "training_mode", (0,), 0)


@constraint(BOTH, "Gemm", citation=f"{NEW}, onnxOpImporters.cpp, Gemm", evidence="code", versions=TEN)
def _gemm(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (2,), "A"), rank(node, 1, (2,), "B"))


@constraint(
    BOTH,
    "GridSample",
    citation="onnx/onnx-tensorrt 10.1-GA 96e78110, docs/operators.md, GridSample",
    evidence="doc",
    whole=keeps_type,
)
def _grid_sample(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (4,)), rank(node, 1, (4,), "grid"))


@constraint(
    "tensorrt",
    "GridSample",
    citation=f"{NEW}, onnxOpImporters.cpp, GridSample: a mode that it does not know becomes nearest",
    evidence="code",
    versions="10.0 10.1",
    wrong=True,
)
def _grid_mode(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("nearest", "bilinear", "bicubic"), "bilinear")


@constraint(
    BOTH,
    "LayerNormalization",
    citation=f"{NEW}, docs/operators.md, LayerNormalization",
    evidence="doc",
    versions=TEN,
    whole=keeps_type,
)
def _layer_norm(node: NodeFacts) -> Answer:
    return one_output(node)


@constraint(
    BOTH,
    "Dropout",
    citation=f"{NEW}, onnxOpImporters.cpp, Dropout",
    evidence="code",
    versions=TEN,
    whole=keeps_type,
)
def _dropout(node: NodeFacts) -> Answer:
    values = numbers(node.input(2))
    return first(
        constant(node, 2, "training_mode", folds=False),
        "it is in training mode" if values and values[0] else None,
    )


@constraint(
    "tensorrt",
    "Einsum",
    citation="onnx/onnx-tensorrt release/8.6-GA 6ba67d34, docs/operators.md, Einsum",
    evidence="doc",
    versions="8",
)
def _einsum_8(node: NodeFacts) -> Answer:
    equation = str(node.attr("equation", "")).replace(" ", "")
    terms = equation.partition("->")[0].split(",")
    if "." in equation:
        return "its equation has an ellipsis"
    return "its equation takes a diagonal" if any(len(set(term)) < len(term) for term in terms) else None


@constraint(BOTH, "Einsum", citation=f"{NEW}, onnxOpCheckers.cpp, Einsum", evidence="code", versions=TEN)
def _einsum(node: NodeFacts) -> Answer:
    strange = sorted(set(str(node.attr("equation", ""))) - set("abcdefghijklmnopqrstuvwxyz->., "))
    return f"its equation has {''.join(strange)}; only small letters are known" if strange else None


@constraint(
    BOTH,
    "QuantizeLinear DequantizeLinear",
    citation=f"{NEW}, onnxOpImporters.cpp, QuantDequantLinearHelper",
    evidence="code",
    versions=TEN,
)
def _zero_point(node: NodeFacts) -> Answer:
    tensor = node.input(2)
    if not given(tensor):
        return None
    values = numbers(tensor)
    if values is None:
        return Unknown("its zero point is not known; it must be 0")
    return "its zero point is not 0; only symmetric quantization is supported" if any(values) else None
