"""onnx-mlir on the CPU: limits that its list of operators states, and the modes of Resize that its lowering knows."""

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
    typed,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import resizing

_MLIR = "onnx-mlir"
_DOC = "onnx/onnx-mlir ec744fe6, docs/SupportedONNXOps-cpu.md"
_FLOATS = ("float", "double", "float16", "bfloat16")


@constraint(
    _MLIR,
    "Resize",
    citation="onnx/onnx-mlir ec744fe6, src/Conversion/ONNXToKrnl/Tensor/Resize.cpp, ONNXResizeOpLowering",
    evidence="code",
    whole=True,
)
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    transforms = ("asymmetric", "half_pixel") if made.mode == "nearest" else ("half_pixel",)
    moved = made.transform not in transforms
    return first(
        "it antialiases" if made.antialias else None,
        attribute(node, "cubic_coeff_a", (-0.75,), -0.75),
        "it sets exclude_outside" if made.exclude_outside else None,
        attribute(node, "extrapolation_value", (0.0,), 0.0),
        f"its keep_aspect_ratio_policy is {made.aspect}; it takes stretch" if made.aspect != "stretch" else None,
        f"its coordinate_transformation_mode is {made.transform}; mode {made.mode} takes {' and '.join(transforms)}"
        if moved
        else None,
        "it gives axes" if made.axes else None,
        static(made.parameter, "scales or sizes"),
    )


@constraint(_MLIR, "BatchNormalization", citation=f"{_DOC}, BatchNormalization", evidence="doc", whole=True)
def _training(node: NodeFacts) -> Answer:
    return first(attribute(node, "training_mode", (0,), 0), one_output(node))


@constraint(_MLIR, "ConvTranspose", citation=f"{_DOC}, ConvTranspose", evidence="doc", whole=True)
def _conv_transpose(node: NodeFacts) -> Answer:
    return first(
        constant(node, 1, "weight"),
        static(node.input(1), "weight"),
        static(node.input(0)) if node.attr("output_shape") else None,
    )


@constraint(_MLIR, "MaxPool", citation=f"{_DOC}, MaxPool", evidence="doc", whole=True)
def _max_pool(node: NodeFacts) -> Answer:
    return first(one_output(node), typed(node, 0, ("float", "double", "float16")))


@constraint(
    _MLIR,
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd",
    citation=f"{_DOC}, Reduce…",
    evidence="doc",
    whole=True,
)
def _reduce(node: NodeFacts) -> Answer:
    return attribute(node, "keepdims", (1,), 1)


@constraint(_MLIR, "ReduceSum ReduceSumSquare", citation=f"{_DOC}, ReduceSum", evidence="doc", whole=True)
def _reduce_sum(node: NodeFacts) -> Answer:
    named = given(node.input(1)) or node.attr("axes")
    return first(attribute(node, "keepdims", (1,), 1), None if named else "it leaves out its axes")


@constraint(_MLIR, "Pad", citation=f"{_DOC}, Pad", evidence="doc", whole=True)
def _pad(node: NodeFacts) -> Answer:
    return "it gives axes" if given(node.input(3)) else None


@constraint(_MLIR, "Slice", citation=f"{_DOC}, Slice", evidence="doc", whole=True)
def _slice(node: NodeFacts) -> Answer:
    return constant(node, 3, "axes")


@constraint(_MLIR, "Reshape", citation=f"{_DOC}, Reshape", evidence="doc", whole=True)
def _reshape(node: NodeFacts) -> Answer:
    kept = bool(node.attr("allowzero", 0))
    values = numbers(node.input(1))
    zero = "its shape has a 0 that allowzero keeps" if kept and values and 0 in values else None
    return first(
        zero,
        Unknown("whether its shape has a 0 that allowzero keeps is not known") if kept and values is None else None,
        static(node.input(1), "shape"),
    )


@constraint(_MLIR, "GridSample", citation=f"{_DOC}, GridSample", evidence="doc", whole=True)
def _grid_sample(node: NodeFacts) -> Answer:
    return first(rank(node, 0, (4, 5)), attribute(node, "padding_mode", ("zeros", "border"), "zeros"))


@constraint(_MLIR, "ScatterND", citation=f"{_DOC}, ScatterND", evidence="doc")
def _scatter_nd(node: NodeFacts) -> Answer:
    return None if node.attr("reduction", "none") not in ("add", "mul") else "it adds or multiplies what it scatters"


@constraint(_MLIR, "Shape", citation=f"{_DOC}, Shape", evidence="doc")
def _shape(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "start", (0,), 0),
        "it gives end" if node.attr("end") is not None else None,
    )


@constraint(
    _MLIR,
    "Constant ConstantOfShape Flatten Identity Pad Reshape Shape Size Transpose",
    citation=f"{_DOC}, the operator",
    evidence="doc",
    whole=True,
)
def _four_bits(node: NodeFacts) -> Answer:
    for tensor in (*node.inputs[:1], *node.outputs[:1]):
        if tensor is not None and tensor.type in ("int4", "uint4"):
            return f"its data is {tensor.type}"
    return None


@constraint(_MLIR, "Identity", citation=f"{_DOC}, Identity", evidence="doc")
def _sequences(node: NodeFacts) -> Answer:
    data = node.input(0)
    return "its input is a sequence" if data is not None and (data.type or "").startswith("seq(") else None


@constraint(_MLIR, "Pow", citation=f"{_DOC}, Pow", evidence="doc", whole=True)
def _pow(node: NodeFacts) -> Answer:
    return first(typed(node, 0, _FLOATS, "base"), typed(node, 1, _FLOATS, "exponent"))


@constraint(_MLIR, "Mod IsInf", citation=f"{_DOC}, Mod, IsInf", evidence="doc", whole=True)
def _plain_floats(node: NodeFacts) -> Answer:
    return typed(node, 0, ("float", "double"))


@constraint(_MLIR, "Max Min", citation=f"{_DOC}, Max, Min", evidence="doc", whole=True)
def _extremes(node: NodeFacts) -> Answer:
    data = node.input(0)
    half = data is not None and data.type == "float16"
    return first(
        typed(node, 0, (*_FLOATS, "int8", "int16", "int32", "int64")),
        Unknown("float16 runs only on ppc64le and macOS") if half else None,
    )


_NO_SHORT = "Add Sub Mul Div Clip"


@constraint(_MLIR, _NO_SHORT, citation=f"{_DOC}, Add", evidence="doc", whole=True)
def _no_short(node: NodeFacts) -> Answer:
    return typed(node, 0, ("float", "double", "float16", "bfloat16", "int32", "int64", "uint32", "uint64"))


@constraint(_MLIR, "TopK", citation=f"{_DOC}, TopK", evidence="doc", whole=True)
def _topk(node: NodeFacts) -> Answer:
    return static(node.input(1), "K")


@constraint(_MLIR, "Einsum", citation=f"{_DOC}, Einsum", evidence="doc")
def _einsum(node: NodeFacts) -> Answer:
    return first(*(static(tensor, f"input {index}") for index, tensor in enumerate(node.inputs)))
