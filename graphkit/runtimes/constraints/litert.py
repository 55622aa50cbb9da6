"""LiteRT through onnx2tf: what its default backend, flatbuffer_direct, validates.

What that backend refuses its legacy backend, tf_converter, may still take, so that none of it is certain.
"""

from __future__ import annotations

from collections.abc import Callable

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    given,
    listed,
    ones,
    rank,
    static,
    unsure,
)
from graphkit.runtimes.constraints.registry import Predicate, Unknown, constraint
from graphkit.runtimes.constraints.resizing import resizing

_CITED = "PINTO0309/onnx2tf 2c0cb019, onnx2tf/tflite_builder"
_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)


def _direct(ops: str, where: str) -> Callable[[Predicate], Predicate]:
    """Register what flatbuffer_direct asks."""

    def register(predicate: Predicate) -> Predicate:
        softened = unsure(predicate, "onnx2tf's default backend refuses that; tf_converter may take it")
        constraint("litert", ops, citation=f"{_CITED}/{where}", evidence="code")(softened)
        return predicate

    return register


@_direct("Resize Upsample", "op_registry.py, _validate_resize")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    if made.mode == "nearest":
        transforms: tuple[str, ...] = ("asymmetric", "half_pixel")
        more = ("round_prefer_ceil",) if made.transform == "half_pixel" else ()
        roundings: tuple[str, ...] = ("floor", "round_prefer_floor", *more)
    else:
        transforms = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
        roundings = (made.nearest,)
    parameter = made.parameter
    computed = parameter is not None and not parameter.folded and not made.by_sizes
    return first(
        rank(node, 0, (3, 4, 5)),
        f"its coordinate_transformation_mode is {made.transform}; mode {made.mode} takes {listed(transforms)}"
        if made.transform not in transforms
        else None,
        f"its nearest_mode is {made.nearest}; with {made.transform} it takes {listed(roundings)}"
        if made.nearest not in roundings
        else None,
        "it resizes three axes cubically" if made.mode == "cubic" and made.data and made.data.rank == 5 else None,
        "its scales are computed at run time and must be constant" if computed else None,
    )


@_direct("Conv", "op_registry.py, _validate_conv")
def _conv(node: NodeFacts) -> Answer:
    weight = node.input(1)
    deep = weight is not None and weight.rank == 5 and node.attr("group", 1) != 1
    return first(
        constant(node, 1, "weight"),
        rank(node, 1, (3, 4, 5), "weight"),
        "it is grouped over three axes" if deep and not _divides(node) else None,
    )


def _divides(node: NodeFacts) -> bool:
    """Whether the groups divide the channels that come in and go out."""
    data, weight, group = node.input(0), node.input(1), node.attr("group", 1)
    if data is None or weight is None or not data.shape or not weight.shape:
        return False
    sizes = (data.shape[1], weight.shape[0])
    return all(isinstance(size, int) and size % group == 0 for size in sizes)


@_direct("ConvTranspose", "op_registry.py, _validate_conv_transpose")
def _conv_transpose(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "weight"), rank(node, 1, (3, 4, 5), "weight"), ones(node, "dilations"))


@_direct("MaxPool AveragePool", "op_registry.py, DispatchEntry and _validate_pool")
def _pool(node: NodeFacts) -> Answer:
    return rank(node, 0, (3, 4, 5))


@_direct(f"{_REDUCTIONS} Squeeze Unsqueeze", "op_registry.py, _validate_reduce, _validate_squeeze")
def _axes(node: NodeFacts) -> Answer:
    return constant(node, 1, "axes")


@_direct("Split", "op_registry.py, _validate_split")
def _split(node: NodeFacts) -> Answer:
    if given(node.input(1)) or node.attr("split"):
        return constant(node, 1, "split")
    data, parts = node.input(0), len(node.outputs)
    axis = node.attr("axis", 0)
    size = data.shape[axis] if data is not None and data.shape and -len(data.shape) <= axis < len(data.shape) else None
    if not isinstance(size, int):
        return Unknown("the size that it splits is not known")
    return f"it splits {size} into {parts} parts, not all equal" if size % parts else None


@_direct("NonMaxSuppression", "op_families/selection.py, _validate_non_max_suppression")
def _nms(node: NodeFacts) -> Answer:
    boxes, scores = node.input(0), node.input(1)
    batches = [item.shape[0] for item in (boxes, scores) if item is not None and item.shape]
    several = [size for size in batches if size != 1]
    return first(
        rank(node, 0, (3,), "boxes"),
        rank(node, 1, (3,), "scores"),
        attribute(node, "center_point_box", (0,), 0),
        f"its batch is {several[0]}; it takes 1" if several else None,
        static(boxes, "boxes"),
        *(
            constant(node, index, name)
            for index, name in enumerate(("max_output_boxes_per_class", "iou_threshold", "score_threshold"), 2)
        ),
    )


@_direct("Pad", "../../README.md, flatbuffer_direct, Pad")
def _pad(node: NodeFacts) -> Answer:
    return first(
        attribute(node, "mode", ("constant", "reflect"), "constant"),
        "it gives axes" if given(node.input(3)) else None,
    )


@_direct("BatchNormalization", "../../README.md, flatbuffer_direct, BatchNormalization")
def _batch_norm(node: NodeFacts) -> Answer:
    names = ("scale", "bias", "mean", "variance")
    return first(*(constant(node, index, name) for index, name in enumerate(names, 1)))


@_direct("InstanceNormalization", "../../README.md, flatbuffer_direct, InstanceNormalization")
def _instance_norm(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "scale"), constant(node, 2, "bias"), rank(node, 0, range(3, 9)))


@_direct("GridSample", "../../README.md, flatbuffer_direct, GridSample")
def _grid_sample(node: NodeFacts) -> Answer:
    return first(
        rank(node, 0, (4, 5)),
        static(node.input(0)),
        attribute(node, "mode", ("bilinear", "linear"), "bilinear"),
        attribute(node, "padding_mode", ("zeros", "border"), "zeros"),
    )


@_direct("GatherND", "../../README.md, flatbuffer_direct, GatherND")
def _gather_nd(node: NodeFacts) -> Answer:
    return attribute(node, "batch_dims", (0,), 0)


@_direct("ScatterND ScatterElements", "../../README.md, flatbuffer_direct, ScatterND")
def _scatter(node: NodeFacts) -> Answer:
    return attribute(node, "reduction", ("none",), "none")


@_direct("Einsum", "../../README.md, flatbuffer_direct, Einsum")
def _einsum(node: NodeFacts) -> Answer:
    equation = str(node.attr("equation", "")).replace(" ", "")
    left, _, right = equation.partition("->")
    terms = left.split(",")
    product = (
        len(terms) == 2
        and all(len(term) == 2 for term in (*terms, right))
        and terms[0][1] == terms[1][0]
        and right == terms[0][0] + terms[1][1]
    )
    return constant(node, 1, "B") if product else f"its equation is {equation}; it takes ij,jk->ik"


@_direct("DepthToSpace", "op_registry.py, DispatchEntry, DepthToSpace")
def _depth(node: NodeFacts) -> Answer:
    return rank(node, 0, (4,))


@_direct("QuantizeLinear DequantizeLinear", "../../README.md, flatbuffer_direct, QuantizeLinear")
def _quantize(node: NodeFacts) -> Answer:
    return first(constant(node, 1, "scale"), constant(node, 2, "zero point"))
