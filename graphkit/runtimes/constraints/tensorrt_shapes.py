"""TensorRT's ONNX parser: operators that move, cut, pad, reduce and index."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    given,
    numbers,
    rank,
    static,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.tensorrt_parser import BOTH, NEW, OLD, TEN, keeps_type

_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)


@constraint(BOTH, "DepthToSpace SpaceToDepth", citation=f"{NEW}, onnxOpImporters.cpp, DepthToSpace", evidence="code")
def _depth(node: NodeFacts) -> Answer:
    return rank(node, 0, (4,))


@constraint(BOTH, "ScatterND", citation=f"{NEW}, onnxOpImporters.cpp, ScatterND", evidence="code", whole=keeps_type)
def _scatter_nd(node: NodeFacts) -> Answer:
    return attribute(node, "reduction", ("none",), "none")


@constraint(
    BOTH,
    _REDUCTIONS,
    citation=f"{OLD}, and {NEW}, importerUtils.cpp, reduceTensor",
    evidence="code",
    whole=keeps_type,
)
def _reduce(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes", folds=False)


@constraint(
    "tensorrt",
    "Squeeze",
    citation=f"{OLD}, and {NEW}, onnxOpImporters.cpp, Squeeze",
    evidence="code",
    versions="8 9 10.0 10.1",
)
def _squeeze_weights(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes", folds=False)


@constraint(BOTH, "Squeeze", citation=f"{NEW}, onnxOpImporters.cpp, Squeeze", evidence="code", whole=keeps_type)
def _squeeze(node: NodeFacts) -> Answer:
    if given(node.input(1)) or node.attr("axes"):
        return constant(node, 1, "axes")
    return static(node.input(0), "input, of which it drops every axis of size 1,")


@constraint(BOTH, "Unsqueeze", citation=f"{NEW}, onnxOpImporters.cpp, Unsqueeze", evidence="code", whole=keeps_type)
def _unsqueeze(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@constraint(
    "tensorrt",
    "Slice",
    citation=f"{OLD}, and {NEW}, onnxOpImporters.cpp, Slice",
    evidence="code",
    versions="8 9 10.0 10.1",
    whole=keeps_type,
)
def _slice_axes(node: NodeFacts) -> Answer:
    return constant(node, 3, "axes")


@constraint("tensorrt", "Pad", citation=f"{OLD}, Pad", evidence="code", versions="8.2 8.4 8.5 8.6", whole=keeps_type)
def _pad_8(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "mode", ("constant", "reflect", "edge"), "constant"),
        "it gives axes, which the parser does not know" if given(node.input(3)) else None,
    )


@constraint(
    "tensorrt",
    "Pad",
    citation="onnx/onnx-tensorrt 8.0-GA 3f211d67, builtin_op_importers.cpp, Pad",
    evidence="code",
    versions="8.0",
    whole=keeps_type,
)
def _pad_80(node: NodeFacts) -> Answer:
    fill = node.attr("value", 0.0) if node.since < 11 else _fill(node)
    return first(
        attribute(node, "mode", ("constant",), "constant"),
        constant(node, 1, "pads", folds=False),
        constant(node, 2, "constant_value", folds=False),
        fill if isinstance(fill, Unknown) else None if not fill else f"it pads with {fill:g}; only 0 is supported",
    )


def _fill(node: NodeFacts) -> float | Unknown:
    tensor = node.input(2)
    if not given(tensor):
        return 0.0
    values = numbers(tensor)
    return Unknown("its constant_value is not known; only 0 is supported") if not values else float(values[0])


@constraint(
    BOTH,
    "Pad",
    citation=f"{NEW}, onnxOpImporters.cpp, Pad",
    evidence="code",
    versions="10.0 10.1 1",
    whole=keeps_type,
)
def _pad_10(node: NodeFacts) -> Answer:
    return constant(node, 3, "axes", folds=False)


@constraint(BOTH, "CumSum", citation=f"{NEW}, onnxOpImporters.cpp, CumSum", evidence="code", whole=keeps_type)
def _cumsum(node: NodeFacts) -> Answer:
    return constant(node, 1, "axis", folds=False)


@constraint(
    BOTH, "OneHot", citation=f"{NEW}, docs/operators.md, OneHot", evidence="doc", versions=TEN, whole=keeps_type
)
def _one_hot(node: NodeFacts) -> Answer:
    return constant(node, 1, "depth")


@constraint(BOTH, "Transpose", citation=f"{NEW}, onnxOpImporters.cpp, Transpose", evidence="code")
def _transpose(node: NodeFacts) -> Answer:
    return rank(node, 0, range(9))


@constraint(
    BOTH,
    "Constant",
    citation=f"{NEW}, onnxOpCheckers.cpp, Constant",
    evidence="code",
    versions=TEN,
    whole=True,
)
def _constant(node: NodeFacts) -> Answer:
    unknown = [name for name in ("sparse_value", "value_string", "value_strings") if node.attr(name) is not None]
    return f"it gives {unknown[0]}, which the parser does not read" if unknown else None
