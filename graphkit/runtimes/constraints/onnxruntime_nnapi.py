"""onnxruntime's NNAPI provider: what its builders ask of a node, on Android 11 (API level 30) or later.

The builders are read in the source tree of 1.24; the lists of operators of 1.21 to 1.32 are the same.
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
    static,
    typed,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import constant_parameter, only_sides, resizing
from graphkit.runtimes.constraints.shrinking import divides

_NNAPI = "onnxruntime-nnapi"
_CITED = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers/nnapi/nnapi_builtin/builders"
_OPS = (
    "BatchNormalization Cast Clip Concat DepthToSpace Elu Flatten Gather Identity LeakyRelu LRN Pad Relu Reshape "
    "Resize Slice Softmax Split Squeeze Transpose Unsqueeze Add Div Mul Pow PRelu Sub AveragePool GlobalAveragePool "
    "GlobalMaxPool MaxPool Conv Gemm MatMul Abs Exp Floor Log Neg Sigmoid Sin Sqrt Tanh Max Min ReduceMean"
)
_FOUR = (
    "BatchNormalization Add Div Mul Pow PRelu Sub Concat Flatten Gather LeakyRelu Pad ReduceMean Reshape Slice Softmax "
    "Squeeze Transpose Sigmoid Unsqueeze"
)
_SINCE = {
    "BatchNormalization": 7,
    "Cast": 6,
    "Elu": 6,
    "LeakyRelu": 6,
    "Max": 6,
    "Min": 6,
    "Reshape": 5,
    "Resize": 11,
    "Slice": 10,
    "Split": 13,
    "Add": 7,
    "Sub": 7,
    "Mul": 7,
    "Div": 7,
    "Pow": 7,
    "Gemm": 7,
}


@constraint(_NNAPI, _OPS, citation=f"{_CITED}/impl/base_op_builder.cc, IsOpSupported", evidence="code", whole=True)
def _static(node: NodeFacts) -> Answer:
    oldest = _SINCE.get(node.op, 1)
    return first(
        f"its definition is of opset {node.since}; it takes {oldest} and later" if node.since < oldest else None,
        *(static(tensor, f"input {index}") for index, tensor in enumerate(node.inputs)),
    )


@constraint(_NNAPI, _OPS, citation=f"{_CITED}/impl, HasSupportedInputOutputsImpl", evidence="code")
def _typed(node: NodeFacts) -> Answer:
    kinds = ("float", "uint8") if node.op in ("Concat", "Transpose", "Resize", "MaxPool") else ("float",)
    return first(typed(node, 0, kinds), typed(node, 1, ("float",), "exponent") if node.op == "Pow" else None)


@constraint(_NNAPI, _FOUR, citation=f"{_CITED}/impl, IsOpSupportedImpl", evidence="code")
def _four(node: NodeFacts) -> Answer:
    both = node.op in ("Add", "Div", "Mul", "Pow", "PRelu", "Sub")
    return first(*(rank(node, index, range(5), f"input {index}") for index in range(2 if both else 1)))


@constraint(_NNAPI, "Conv", citation=f"{_CITED}/impl/conv_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    weight = node.input(1)
    dilated = any(size != 1 for size in node.attr("dilations") or ())
    grouped = node.attr("group", 1) != 1 and weight is not None and weight.shape is not None and weight.shape[1] != 1
    return first(
        constant(node, 1, "weight"),
        rank(node, 1, (4,), "weight"),
        "it is dilated and grouped, but not depthwise" if dilated and grouped else None,
    )


@constraint(
    _NNAPI,
    "MaxPool AveragePool GlobalMaxPool GlobalAveragePool",
    citation=f"{_CITED}/impl/pool_op_builder.cc",
    evidence="code",
)
def _pool(node: NodeFacts) -> Answer:
    return first(
        rank(node, 0, (4,)),
        attribute(node, "count_include_pad", (0,), 0),
        attribute(node, "storage_order", (0,), 0),
        attribute(node, "ceil_mode", (0,), 0),
        ones(node, "dilations"),
        one_output(node),
    )


@constraint(_NNAPI, "BatchNormalization", citation=f"{_CITED}/impl/batchnorm_op_builder.cc", evidence="code")
def _batch_norm(node: NodeFacts) -> Answer:
    names = ("scale", "bias", "mean", "variance")
    return first(
        one_output(node),
        attribute(node, "spatial", (1,), 1),
        *(constant(node, index, name) for index, name in enumerate(names, 1)),
    )


@constraint(_NNAPI, "Cast", citation=f"{_CITED}/impl/cast_op_builder.cc", evidence="code")
def _cast(node: NodeFacts) -> Answer:
    return None if node.attr("to") in (1, 6) else "it casts to something else than float and int32"


@constraint(_NNAPI, "Clip", citation=f"{_CITED}/impl/clip_op_builder.cc", evidence="code")
def _clip(node: NodeFacts) -> Answer:
    answer = first(constant(node, 1, "min"), constant(node, 2, "max"))
    if answer is not None:
        return answer
    low = numbers(node.input(1)) if node.since >= 11 else [node.attr("min")]
    high = numbers(node.input(2)) if node.since >= 11 else [node.attr("max")]
    if not low or not high:
        missing = node.input(1) is None or node.input(2) is None
        return "it clips on one side only" if missing else Unknown("its min or max is not known")
    bounds = (low[0], high[0])
    return None if bounds in ((0, 6), (-1, 1)) else f"it clips to {bounds[0]} and {bounds[1]}; it takes 0, 6 and -1, 1"


@constraint(_NNAPI, "DepthToSpace", citation=f"{_CITED}/impl/depthtospace_op_builder.cc", evidence="code")
def _depth(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (4,)), attribute(node, "mode", ("DCR",), "DCR"))


@constraint(_NNAPI, "LRN", citation=f"{_CITED}/impl/LRN_op_builder.cc", evidence="code")
def _lrn(node: NodeFacts) -> Answer:
    return rank(node, 0, (4,))


@constraint(_NNAPI, "Gather", citation=f"{_CITED}/impl/gather_op_builder.cc", evidence="code")
def _gather(node: NodeFacts) -> Answer:
    indices = node.input(1)
    if indices is None or indices.type == "int32":
        return None
    return Unknown("the type of its indices is not known") if indices.type is None else constant(node, 1, "indices")


@constraint(_NNAPI, "Gemm MatMul", citation=f"{_CITED}/impl/gemm_op_builder.cc", evidence="code")
def _products(node: NodeFacts) -> Answer:
    left, right = node.input(0), node.input(1)
    if left is None or right is None or left.shape is None or right.shape is None:
        return Unknown("the shapes of its inputs are not known")
    if len(left.shape) > 2 and len(right.shape) > 2:
        if node.op == "MatMul" and left.shape[:-2] == right.shape[:-2]:
            return None
        return "its inputs have different batch dimensions"
    if len(left.shape) != 2 or len(right.shape) != 2:
        return f"its inputs have {len(left.shape)} and {len(right.shape)} dimensions; both must have 2, or more"
    return constant(node, 1, "B") if node.op == "MatMul" or not node.attr("transB", 0) else None


@constraint(_NNAPI, "Gemm", citation=f"{_CITED}/impl/gemm_op_builder.cc", evidence="code")
def _gemm(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "transA", (0,), 0),
        attribute(node, "alpha", (1.0,), 1.0),
        attribute(node, "beta", (1.0,), 1.0),
        _bias(node),
    )


def _bias(node: NodeFacts) -> Answer:
    weight, bias = node.input(1), node.input(2)
    if bias is None or weight is None:
        return None
    if bias.shape is None or weight.shape is None or len(weight.shape) != 2:
        return Unknown("the shape of its B or C is not known")
    width = weight.shape[0 if node.attr("transB") else 1]
    if bias.shape in ((width,), (1, width)):
        return None
    return f"its C is of shape {list(bias.shape)}; it must be one value for each of the {width} outputs"


@constraint(_NNAPI, "Max Min", citation=f"{_CITED}/impl/minmax_op_builder.cc", evidence="code")
def _extremes(node: NodeFacts) -> Answer:
    return None if len(node.inputs) == 2 else f"it has {len(node.inputs)} inputs; it takes 2"


@constraint(_NNAPI, "Pad", citation=f"{_CITED}/impl/pad_op_builder.cc", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    pads = numbers(node.input(1))
    return first(
        attribute(node, "mode", ("constant",), "constant"),
        constant(node, 1, "pads"),
        constant(node, 2, "constant_value"),
        "it has negative pads" if pads and min(pads) < 0 else None,
    )


@constraint(_NNAPI, "ReduceMean", citation=f"{_CITED}/impl/reduction_op_builder.cc", evidence="code")
def _reduce(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "axes"), attribute(node, "noop_with_empty_axes", (0,), 0))


@constraint(_NNAPI, "Reshape", citation=f"{_CITED}/impl/reshape_op_builder.cc", evidence="code")
def _reshape(node: NodeFacts) -> Answer:
    kept = node.attr("allowzero", 0) and 0 in (numbers(node.input(1)) or ())
    return first(constant(node, 1, "shape"), "its shape has a 0 that allowzero keeps" if kept else None)


@constraint(_NNAPI, "Slice", citation=f"{_CITED}/impl/slice_op_builder.cc", evidence="code")
def _slice(node: NodeFacts) -> Answer:
    names = ("starts", "ends", "axes", "steps")
    return first(*(constant(node, index, name) for index, name in enumerate(names, 1)))


@constraint(_NNAPI, "Split", citation=f"{_CITED}/impl/split_op_builder.cc", evidence="code")
def _split(node: NodeFacts) -> Answer:
    answer = constant(node, 1, "split")
    if answer is not None:
        return answer
    if given(node.input(1)):
        sizes = numbers(node.input(1))
        if sizes is None:
            return Unknown("its split is not known")
        return f"it splits into {sizes}; it takes equal parts only" if len(set(sizes)) > 1 else None
    data, parts = node.input(0), len(node.outputs)
    axis = node.attr("axis", 0)
    size = data.shape[axis] if data is not None and data.shape and -len(data.shape) <= axis < len(data.shape) else None
    if not isinstance(size, int):
        return Unknown("the size that it splits is not known")
    return f"it splits {size} into {parts} parts, not all equal" if size % parts else None


@constraint(_NNAPI, "Squeeze Unsqueeze", citation=f"{_CITED}/impl/squeeze_op_builder.cc", evidence="code")
def _squeeze(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@constraint(_NNAPI, "Resize", citation=f"{_CITED}/impl/resize_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    if made.mode == "nearest":
        transforms: tuple[str, ...] = ("asymmetric",)
    else:
        transforms = ("half_pixel", "align_corners", "asymmetric")
    nearest = made.mode == "nearest" and made.nearest != "floor"
    return first(
        rank(node, 0, (4,)),
        f"its mode is {made.mode}; it takes nearest and linear" if made.mode not in ("nearest", "linear") else None,
        attribute(node, "coordinate_transformation_mode", transforms, "half_pixel"),
        f"its nearest_mode is {made.nearest}; it takes floor" if nearest else None,
        "it sets exclude_outside" if made.exclude_outside else None,
        "it antialiases" if made.antialias else None,
        "it gives axes" if made.axes else None,
        f"its keep_aspect_ratio_policy is {made.aspect}; it takes stretch" if made.aspect != "stretch" else None,
        constant_parameter(node),
        only_sides(node),
        None if made.by_sizes else divides(node),
    )
