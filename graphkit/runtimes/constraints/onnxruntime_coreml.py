"""onnxruntime's CoreML provider: what its builders ask of a node, for the MLProgram and the NeuralNetwork form.

The builders are read in the source tree of 1.24. What that tree refuses for its type is only unknown for later
releases, whose lists say that more was added.
"""

from __future__ import annotations

from math import prod

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    given,
    listed,
    most_dimensions,
    numbers,
    one_output,
    ones,
    rank,
    shaped,
    static,
    typed,
    unsure,
)
from graphkit.runtimes.constraints.coreml_tree import BOTH, CITED, ML, NEWER, NN, READ
from graphkit.runtimes.constraints.registry import Predicate, Unknown, constraint

_FOR_BOTH = (
    "Sigmoid Tanh Relu PRelu LeakyRelu Sqrt Add Div Mul Pow Sub AveragePool GlobalAveragePool GlobalMaxPool MaxPool "
    "ReduceMean ReduceSum BatchNormalization ArgMax Clip Concat Conv DepthToSpace Gather Gemm MatMul Reshape Resize "
    "Shape Slice Split Softmax Squeeze Transpose"
)
_FOR_ML = (
    "Gelu Softplus Elu Erf Round Exp Max ReduceMin ReduceMax ReduceProd GroupNormalization InstanceNormalization "
    "LayerNormalization Cast ConvTranspose GridSample Unsqueeze"
)
_FOR_NN = "Flatten LRN Pad"


@constraint(BOTH, _FOR_BOTH, citation=f"{CITED}/../helper.cc, IsInputSupported", evidence="code", whole=True)
@constraint(ML, _FOR_ML, citation=f"{CITED}/../helper.cc, IsInputSupported", evidence="code", whole=True)
@constraint(NN, _FOR_NN, citation=f"{CITED}/../helper.cc, IsInputSupported", evidence="code", whole=True)
@constraint(ML, "Reciprocal", citation=f"{CITED}/../helper.cc, IsInputSupported", evidence="code")
def _fits(node: NodeFacts) -> Answer:
    for index, tensor in enumerate(node.inputs):
        # A left out roi or scales of Resize is often a constant without elements.
        if given(tensor) or tensor is None or node.op == "Resize":
            continue
        return f"its input {index} has no elements"
    return first(most_dimensions(node, 5), shaped(node))


@constraint(
    NN,
    " ".join(op for op in _FOR_ML.split() if op != "Cast"),
    citation=f"{CITED}, IsOpSupportedImpl, create_mlprogram",
    evidence="code",
)
def _only_ml(_: NodeFacts) -> Answer:
    return "only the MLProgram form has the operator"


@constraint(ML, _FOR_NN, citation=f"{CITED}, SupportsMLProgram", evidence="code", versions=READ)
def _only_nn(_: NodeFacts) -> Answer:
    return "only the NeuralNetwork form has the operator"


def _typed(runtime: str, ops: str, predicate: Predicate) -> None:
    """A condition on types, certain only for the releases whose code is read."""
    where = f"{CITED}, HasSupportedInputsImpl"
    constraint(runtime, ops, citation=where, evidence="code", versions=READ)(predicate)
    later = unsure(predicate, "so it was in 1.24")
    constraint(runtime, ops, citation=where, evidence="code", versions="1.32")(later)


_OWN_TYPES = frozenset(
    ["Cast", "Gather", "Slice", "Shape", "GroupNormalization", "InstanceNormalization", "LayerNormalization"]
)


def _plain(ops: str) -> str:
    return " ".join(op for op in ops.split() if op not in _OWN_TYPES)


_typed(ML, f"{_plain(_FOR_BOTH)} {_plain(_FOR_ML)}", lambda node: typed(node, 0, ("float", "float16", "int64")))
_typed(NN, f"{_plain(_FOR_BOTH)} {_FOR_NN}", lambda node: typed(node, 0, ("float",)))
_typed(ML, "Gather Slice", lambda node: typed(node, 0, ("float", "float16", "int64"), "data"))
_typed(NN, "Gather Slice", lambda node: typed(node, 0, ("float", "int64"), "data"))
_typed(ML, "Shape", lambda node: typed(node, 0, ("float", "float16", "int64", "int32")))
_typed(NN, "Shape", lambda node: typed(node, 0, ("float",)))


def _cast_types(node: NodeFacts) -> Answer:
    kinds = ("float", "float16", "int32", "int64")
    output = node.outputs[0] if node.outputs else None
    refused = output is not None and output.type is not None and output.type not in kinds
    return first(
        typed(node, 0, kinds),
        f"it casts to {output.type}; it takes {listed(kinds)}" if refused and output is not None else None,
    )


_typed(ML, "Cast", _cast_types)


@constraint(ML, "GroupNormalization InstanceNormalization LayerNormalization", citation=CITED, evidence="code")
def _norm(node: NodeFacts) -> Answer:
    return first(
        one_output(node),
        attribute(node, "stash_type", (1,), 1),
        constant(node, 1, "scale"),
        constant(node, 2, "bias"),
        typed(node, 0, ("float", "float16")),
        None if _same_types(node) else "its inputs are of different types",
    )


def _same_types(node: NodeFacts) -> bool:
    return len({item.type for item in node.inputs[:3] if item is not None and item.type is not None}) <= 1


@constraint(BOTH, "Pow", citation=f"{CITED}/binary_op_builder.cc", evidence="code")
def _pow(node: NodeFacts) -> Answer:
    return None if _same_types(node) else "its exponent is not of the type of its base"


@constraint(BOTH, "Conv", citation=f"{CITED}/conv_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _conv(node: NodeFacts) -> Answer:
    return first(rank(node, 1, (3, 4), "weight"), constant(node, 2, "bias"))


@constraint(NN, "Conv", citation=f"{CITED}/conv_op_builder.cc, IsOpSupportedImpl", evidence="code")
def _conv_weight(node: NodeFacts) -> Answer:
    return constant(node, 1, "weight")


@constraint(ML, "ConvTranspose", citation=f"{CITED}/convtranspose_op_builder.cc", evidence="code")
def _conv_transpose(node: NodeFacts) -> Answer:
    pads = node.attr("pads") or []
    return first(
        constant(node, 1, "weight"),
        constant(node, 2, "bias"),
        attribute(node, "auto_pad", ("NOTSET", "VALID"), "NOTSET"),
        "its pads differ from one side to another" if len(set(pads)) > 1 else None,
        "it gives output_shape" if node.attr("output_shape") else None,
        "it gives output_padding" if any(node.attr("output_padding") or ()) else None,
    )


@constraint(
    BOTH,
    "MaxPool AveragePool GlobalMaxPool GlobalAveragePool",
    citation=f"{CITED}/pool_op_builder.cc",
    evidence="code",
)
def _pool(node: NodeFacts) -> Answer:
    return first(
        rank(node, 0, (4,)), attribute(node, "storage_order", (0,), 0), ones(node, "dilations"), one_output(node)
    )


@constraint(NN, "MaxPool AveragePool", citation=f"{CITED}/pool_op_builder.cc", evidence="code")
def _pool_ceil(node: NodeFacts) -> Answer:
    return attribute(node, "ceil_mode", (0,), 0)


@constraint(BOTH, "BatchNormalization", citation=f"{CITED}/batch_norm_op_builder.cc", evidence="code")
def _batch_norm(node: NodeFacts) -> Answer:
    names = ("scale", "bias", "mean", "variance")
    return first(
        one_output(node),
        rank(node, 0, (4,)),
        attribute(node, "spatial", (1,), 1),
        *(constant(node, index, name) for index, name in enumerate(names, 1)),
    )


@constraint(ML, "MatMul", citation=f"{CITED}/gemm_op_builder.cc", evidence="code")
def _matmul_ml(node: NodeFacts) -> Answer:
    left, right = node.input(0), node.input(1)
    if left is None or right is None or left.rank is None or right.rank is None:
        return Unknown("the rank of its inputs is not known")
    return "one of its inputs is a vector and the other is not" if (left.rank == 1) != (right.rank == 1) else None


@constraint(NN, "MatMul", citation=f"{CITED}/gemm_op_builder.cc", evidence="code")
def _matmul_nn(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "B"), rank(node, 0, (2,), "A"), rank(node, 1, (2,), "B"))


@constraint(BOTH, "Gemm", citation=f"{CITED}/gemm_op_builder.cc", evidence="code")
def _gemm(node: NodeFacts) -> Answer:
    return first(
        constant(node, 1, "B"),
        constant(node, 2, "C"),
        attribute(node, "transA", (0,), 0),
        attribute(node, "alpha", (1.0,), 1.0),
        attribute(node, "beta", (1.0,), 1.0),
        _bias(node),
    )


def _bias(node: NodeFacts) -> Answer:
    weight, bias = node.input(1), node.input(2)
    if bias is None or weight is None or bias.shape in ((), (1,)):
        return None
    if bias.shape is None or weight.shape is None or len(weight.shape) != 2:
        return Unknown("the shape of its B or C is not known")
    width = weight.shape[0 if node.attr("transB") else 1]
    if bias.shape in ((width,), (1, width)):
        return None
    return f"its C is of shape {list(bias.shape)}; it must be one value for each of the {width} outputs"


@constraint(ML, "GridSample", citation=f"{CITED}/gridsample_op_builder.cc", evidence="code")
def _grid_sample(node: NodeFacts) -> Answer:
    mirrored = node.attr("padding_mode", "zeros") == "reflection" and not node.attr("align_corners", 0)
    return first(
        rank(node, 0, (4,)),
        attribute(node, "mode", ("bilinear", "linear"), "bilinear"),
        "its padding_mode is reflection without align_corners" if mirrored else None,
    )


@constraint(BOTH, "ArgMax", citation=f"{CITED}/argmax_op_builder.cc", evidence="code")
def _argmax(node: NodeFacts) -> Answer:
    return attribute(node, "select_last_index", (0,), 0)


@constraint(BOTH, "Clip", citation=f"{CITED}/clip_op_builder.cc", evidence="code")
def _clip(node: NodeFacts) -> Answer:
    low, high = numbers(node.input(1)), numbers(node.input(2))
    return first(
        typed(node, 0, ("float", "float16")),
        constant(node, 1, "min"),
        constant(node, 2, "max"),
        "its min is its max" if low and high and low == high else None,
    )


@constraint(BOTH, "Softmax", citation=f"{CITED}/softmax_op_builder.cc", evidence="code")
def _softmax(node: NodeFacts) -> Answer:
    return static(node.input(0)) if node.since < 13 else None


@constraint(BOTH, "PRelu", citation=f"{CITED}/activation_op_builder.cc, IsPReluOpSupported", evidence="code")
def _prelu(node: NodeFacts) -> Answer:
    slope = node.input(1)
    answer = first(constant(node, 1, "slope"), rank(node, 0, (3, 4)))
    if answer is not None or slope is None:
        return answer
    if not slope.static or slope.shape is None:
        return Unknown("the shape of its slope is not known")
    sizes = [size for size in slope.shape if isinstance(size, int)]
    channels = len(sizes) == 3 and sizes[1:] == [1, 1]
    return None if channels or prod(sizes) == 1 else f"its slope is of shape {sizes}; it must be one for each channel"


@constraint(NN, "LRN", citation=f"{CITED}/LRN_op_builder.cc", evidence="code")
def _lrn(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4))


@constraint(
    NN,
    "Cast",
    citation=f"{CITED}/cast_op_builder.cc",
    evidence="code",
)
def _cast_nn(node: NodeFacts) -> Answer:
    return first(typed(node, 0, ("int64",)), Unknown("it is only taken after an ArgMax, and only to int32"))


@constraint(ML, "Where", citation=f"{NEWER}, Where", evidence="doc", versions="1.32", whole=True)
def _where(node: NodeFacts) -> Answer:
    return first(typed(node, 1, ("float", "float16"), "X"), typed(node, 2, ("float", "float16"), "Y"))
