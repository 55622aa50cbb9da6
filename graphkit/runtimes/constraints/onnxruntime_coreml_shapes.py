"""onnxruntime's CoreML provider: operators that move, cut, pad, reduce and index."""

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
from graphkit.runtimes.constraints.coreml_tree import BOTH, CITED, ML, NEWER, NN
from graphkit.runtimes.constraints.registry import Unknown, constraint


@constraint(NN, "Concat", citation=f"{CITED}/concat_op_builder.cc", evidence="code")
def _concat(node: NodeFacts) -> Answer:
    shape_answer = rank(node, 0, (4,))
    if shape_answer is not None:
        return shape_answer
    axis = node.attr("axis", 1)
    return None if axis % 4 == 1 else f"its axis is {axis}; it takes only the channels, 1"


@constraint(BOTH, "Concat", citation=f"{CITED}/concat_op_builder.cc", evidence="code")
def _concat_several(node: NodeFacts) -> Answer:
    return "it has only one input" if len(node.inputs) < 2 else None


@constraint(ML, "DepthToSpace", citation=f"{CITED}/depthtospace_op_builder.cc", evidence="code")
def _depth_ml(node: NodeFacts) -> Answer:
    return static(node.input(0)) if node.attr("mode") == "CRD" else None


@constraint(NN, "DepthToSpace", citation=f"{CITED}/depthtospace_op_builder.cc", evidence="code")
def _depth_nn(node: NodeFacts) -> Answer:
    return attribute(node, "mode", ("DCR",), "DCR")


@constraint(BOTH, "Gather", citation=f"{CITED}/gather_op_builder.cc", evidence="code")
def _gather(node: NodeFacts) -> Answer:
    data, indices = node.input(0), node.input(1)
    if data is None or indices is None or data.rank is None or indices.rank is None:
        return Unknown("the rank of its data or indices is not known")
    if not indices.rank:
        return "its indices are a scalar"
    result = data.rank + indices.rank - 1
    return f"its result has {result} dimensions; it has at most 5" if result > 5 else None


@constraint(NN, "Pad", citation=f"{CITED}/pad_op_builder.cc", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    answer = first(
        attribute(node, "mode", ("constant",), "constant"),
        constant(node, 1, "pads"),
        None if given(node.input(2)) else "it leaves out constant_value, which must be given",
        constant(node, 2, "constant_value"),
        constant(node, 3, "axes"),
        rank(node, 0, range(2, 6)),
    )
    pads, data = numbers(node.input(1)), node.input(0)
    if answer is not None or data is None or data.rank is None:
        return answer
    axes = numbers(node.input(3)) if given(node.input(3)) else list(range(data.rank))
    if pads is None or axes is None:
        return Unknown("its pads are not known")
    if any(pad < 0 for pad in pads):
        return "it has negative pads"
    outer = [place for place, axis in enumerate(axes) if axis % data.rank < data.rank - 2]
    return "it pads more than the last two axes" if any(pads[i] or pads[i + len(axes)] for i in outer) else None


@constraint(
    BOTH,
    "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd",
    citation=f"{CITED}/reduction_op_builder.cc",
    evidence="code",
)
def _reduce(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@constraint(BOTH, "Reshape", citation=f"{CITED}/reshape_op_builder.cc", evidence="code")
def _reshape(node: NodeFacts) -> Answer:
    shape = node.input(1)
    size = shape.shape[0] if shape is not None and shape.shape else None
    values = numbers(shape)
    return first(
        constant(node, 1, "shape"),
        static(node.input(0)),
        "its input is a scalar" if (data := node.input(0)) is not None and data.shape == () else None,
        f"its result has {size} dimensions; it has at most 5" if isinstance(size, int) and size > 5 else None,
        "its shape has a 0 that allowzero keeps" if node.attr("allowzero", 0) and 0 in (values or ()) else None,
    )


@constraint(BOTH, "Slice", citation=f"{CITED}/slice_op_builder.cc", evidence="code")
def _slice(node: NodeFacts) -> Answer:
    names = ("starts", "ends", "axes", "steps")
    output = node.outputs[0] if node.outputs else None
    empty = output is not None and output.shape is not None and 0 in output.shape
    return first(
        *(constant(node, index, name) for index, name in enumerate(names, 1)),
        static(node.input(0)),
        "its result has no elements" if empty else None,
    )


@constraint(BOTH, "Split", citation=f"{CITED}/split_op_builder.cc", evidence="code")
def _split(node: NodeFacts) -> Answer:
    sizes = numbers(node.input(1)) if given(node.input(1)) else None
    return first(
        constant(node, 1, "split"),
        "it makes only one part" if len(node.outputs) < 2 else None,
        "one of its parts has no elements" if sizes and 0 in sizes else None,
        static(node.input(0)) if given(node.input(1)) else None,
    )


@constraint(BOTH, "Squeeze", citation=f"{CITED}/squeeze_op_builder.cc", evidence="code")
@constraint(ML, "Unsqueeze", citation=f"{CITED}/squeeze_op_builder.cc", evidence="code")
def _squeeze(node: NodeFacts) -> Answer:
    output = node.outputs[0] if node.op == "Unsqueeze" and node.outputs else None
    result = None if output is None or output.rank is None or output.rank <= 5 else output.rank
    return first(constant(node, 1, "axes"), f"its result has {result} dimensions; it has at most 5" if result else None)


@constraint(NN, "Shape", citation=f"{CITED}/shape_op_builder.cc", evidence="code")
def _shape(node: NodeFacts) -> Answer:
    return first(attribute(node, "start", (0,), 0), "it gives end" if node.attr("end") is not None else None)


@constraint(ML, "GatherND", citation=f"{NEWER}, GatherND", evidence="doc", versions="1.32", whole=True)
def _gather_nd(node: NodeFacts) -> Answer:
    return attribute(node, "batch_dims", (0,), 0)


@constraint(ML, "Tile", citation=f"{NEWER}, Tile", evidence="doc", versions="1.32", whole=True)
def _tile(node: NodeFacts) -> Answer:
    return rank(node, 0, range(6))
