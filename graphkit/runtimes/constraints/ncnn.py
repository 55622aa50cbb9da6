"""ncnn through pnnx: what its conversion of ONNX matches, and the batch axis, which ncnn does not have."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, constant, first, given, listed, numbers
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import only_sides, resizing

_NCNN = "ncnn"
_PNNX = "Tencent/ncnn a4d2ea1d, tools/pnnx/src"
_README = "Tencent/ncnn a4d2ea1d, tools/pnnx/README.md"


@constraint(_NCNN, "BatchNormalization", citation=f"{_README}, BatchNormalization", evidence="doc", whole=True)
def _training(node: NodeFacts) -> Answer:
    return attribute(node, "training_mode", (0,), 0)


@constraint(_NCNN, "ConvTranspose", citation=f"{_README}, ConvTranspose", evidence="doc", whole=True)
def _conv_transpose(node: NodeFacts) -> Answer:
    return attribute(node, "auto_pad", ("NOTSET", "VALID"), "NOTSET")


@constraint(_NCNN, "DepthToSpace", citation=f"{_README}, DepthToSpace", evidence="doc", whole=True)
def _depth(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("CRD",), "DCR")


@constraint(_NCNN, "Shrink", citation=f"{_README}, Shrink", evidence="doc", whole=True)
def _shrink(node: NodeFacts) -> Answer:
    bias = node.attr("bias", 0.0)
    return None if bias in (0.0, node.attr("lambd", 0.5)) else f"its bias is {bias:g}; it takes 0 or lambd"


@constraint(
    _NCNN,
    "Unsqueeze ReduceProd",
    citation=f"{_PNNX}/pass_onnx/fuse_constant_as_attribute.cpp; README.md",
    evidence="code",
    whole=True,
)
@constraint(
    _NCNN,
    "Squeeze ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceSum",
    citation=f"{_PNNX}/pass_onnx/fuse_constant_as_attribute.cpp",
    evidence="code",
)
def _axes(node: NodeFacts) -> Answer:
    return _only_constants(node, {1: "axes"})


_PARAMETERS = {
    "Clip": {1: "min", 2: "max"},
    "Pad": {1: "pads", 2: "constant_value"},
    "Reshape": {1: "shape"},
    "Slice": {1: "starts", 2: "ends", 3: "axes", 4: "steps"},
    "Tile": {1: "repeats"},
}


@constraint(
    _NCNN,
    " ".join(_PARAMETERS),
    citation=f"{_PNNX}/pass_onnx/fuse_constant_as_attribute.cpp",
    evidence="code",
)
def _parameters(node: NodeFacts) -> Answer:
    return _only_constants(node, _PARAMETERS[node.op])


def _only_constants(node: NodeFacts, names: dict[int, str]) -> Answer:
    """What is computed at run time is no attribute to pnnx; a few patterns of such nodes are converted all the same."""
    answer = first(*(constant(node, index, name) for index, name in names.items()))
    return Unknown(f"{answer}, but for some patterns") if isinstance(answer, str) else answer


_BITS = "pip ncnn 1.0.20261020, BinaryOp: integers are computed with as if their bits were float32"


@constraint(_NCNN, "Div Mul Pow", citation=_BITS, evidence="probe", wrong=True)
def _of_floats(node: NodeFacts) -> Answer:
    whole = _whole(node)
    # A number that is a constant becomes a float32 of the layer's, and by a float32 such bits can be multiplied.
    by_number = node.op != "Pow" and any(
        item is not None and item.value is not None and item.value.size == 1 for item in node.inputs
    )
    return (
        whole
        if whole is None or not by_number
        else Unknown(f"{whole}, which is right of small positive integers alone")
    )


@constraint(_NCNN, "Add Max Min Sub", citation=_BITS, evidence="probe")
def _of_small_numbers(node: NodeFacts) -> Answer:
    whole = _whole(node)
    return None if whole is None else Unknown(f"{whole}, which is right of small positive integers alone")


def _whole(node: NodeFacts) -> str | None:
    kinds = {item.type for item in node.inputs if item is not None and not item.folded}
    whole = sorted(kind for kind in kinds if kind is not None and kind.startswith(("int", "uint")))
    return f"its input is {whole[0]}, and it computes with float only" if whole else None


@constraint(_NCNN, "Softmax", citation=f"{_PNNX}/pass_ncnn/nn_Softmax.cpp: not along the batch", evidence="code")
@constraint(_NCNN, "Concat", citation=f"{_PNNX}/pass_ncnn/convert_torch_cat.cpp: not along the batch", evidence="code")
@constraint(_NCNN, "Split", citation=f"{_PNNX}/pass_ncnn/convert_torch_split.cpp: not along the batch", evidence="code")
def _along_batch(node: NodeFacts) -> Answer:
    data = node.input(0)
    axis = node.attr("axis", -1 if node.op == "Softmax" else 0)
    if data is None or data.rank is None:
        return Unknown("the rank of its input is not known") if axis < 0 else None
    if data.folded or axis % max(data.rank, 1):
        return None
    # Which axis is the batch is found by pnnx from the operators around; it is the first where there is one.
    return Unknown("its axis is the first; ncnn has no batch, and it is not known whether it is the batch here")


@constraint(_NCNN, "Resize", citation=f"{_PNNX}/pass_level2/F_interpolate.cpp, F_interpolate_onnx", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    explicit = {item.name for item in node.proto.attribute}
    rounded = made.nearest != "floor" and (made.mode == "nearest" or "nearest_mode" in explicit)
    parameter = made.parameter
    computed = parameter is not None and not parameter.folded and not made.by_sizes
    rank = None if made.data is None else made.data.rank
    return first(
        f"its nearest_mode is {made.nearest}; it takes floor" if rounded else None,
        "its scales are computed at run time and must be constant" if computed else None,
        f"its input has {rank} dimensions; it takes {listed(range(3, 6))}" if rank not in (None, 3, 4, 5) else None,
        only_sides(node),
        _transform(node),
    )


def _transform(node: NodeFacts) -> Answer:
    """The conversion keeps only whether corners are aligned."""
    made = resizing(node)
    if made.mode == "nearest":
        same = made.transform == "asymmetric"
    else:
        same = made.transform in ("half_pixel", "align_corners", "pytorch_half_pixel")
    return None if same else Unknown(f"whether it keeps {made.transform} with mode {made.mode} is not known")


@constraint(_NCNN, "Upsample", citation=f"{_PNNX}/pass_level2/F_interpolate.cpp, F_interpolate_onnx_2", evidence="code")
def _upsample(node: NodeFacts) -> Answer:
    tensor = node.input(1)
    values = numbers(tensor)
    return first(
        constant(node, 1, "scales"),
        f"its scales have {len(values)} values; they must have 3 to 5"
        if values and not 3 <= len(values) <= 5
        else None,
        only_sides(node) if given(tensor) else None,
    )
