"""onnxruntime's XNNPACK provider: which nodes it takes (IsOnnxNodeSupported of each kernel)."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    named,
    numbers,
    one_output,
    ones,
    rank,
    typed,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import constant_parameter, resizing
from graphkit.runtimes.constraints.shrinking import divides

_XNNPACK = "onnxruntime-xnnpack"
_CITED = "onnxruntime/onnxruntime-qnn cee6c0d9 (ORT 1.24), onnxruntime/core/providers/xnnpack"
_PADS = ("NOTSET", "VALID", "SAME_UPPER")


def _known_sides(node: NodeFacts) -> Answer:
    """Channels and sides must be known when the session is made; the batch need not be."""
    data = node.input(0)
    if data is None or data.shape is None:
        return Unknown("the shape of its input is not known")
    for size in data.shape[1:]:
        if named(size):
            return f"its input has the dynamic size {size}; only the batch may be dynamic"
    known = all(isinstance(size, int) for size in data.shape[1:])
    return None if known else Unknown("the size of its input is not known")


@constraint(_XNNPACK, "Conv ConvTranspose", citation=f"{_CITED}/nn/conv_base.cc", evidence="code", whole=True)
def _conv(node: NodeFacts) -> Answer:
    return first(
        rank(node, 0, (3, 4)),
        typed(node, 0, ("float", "float16")),
        Unknown("float16 runs only on processors with float16 arithmetic") if _half(node) else None,
        constant(node, 1, "weight"),
        constant(node, 2, "bias"),
        None if node.attr("pads") else attribute(node, "auto_pad", _PADS, "NOTSET"),
        _known_sides(node),
    )


def _half(node: NodeFacts) -> bool:
    data = node.input(0)
    return data is not None and data.type == "float16"


@constraint(_XNNPACK, "MaxPool AveragePool", citation=f"{_CITED}/nn, IsOnnxNodeSupported", evidence="code", whole=True)
def _pool(node: NodeFacts) -> Answer:
    kernel = node.attr("kernel_shape") or []
    counted = node.op == "AveragePool" and node.attr("count_include_pad", 0)
    return first(
        rank(node, 0, (4,)),
        typed(
            node, 0, ("float", "float16", "uint8", "int8") if node.op == "MaxPool" else ("float", "float16", "uint8")
        ),
        Unknown("float16 runs only on processors with float16 arithmetic") if _half(node) else None,
        one_output(node),
        attribute(node, "ceil_mode", (0,), 0),
        attribute(node, "auto_pad", _PADS, "NOTSET"),
        "its kernel is 1x1" if kernel == [1, 1] else None,
        "it counts its padding" if counted else None,
        ones(node, "dilations") if node.op == "AveragePool" else None,
        _known_sides(node),
    )


@constraint(_XNNPACK, "Softmax", citation=f"{_CITED}/math/softmax.cc", evidence="code", whole=True)
def _softmax(node: NodeFacts) -> Answer:
    data = node.input(0)
    if data is None or not data.rank or data.shape is None:
        return Unknown("the rank of its input is not known")
    axis = node.attr("axis", -1)
    inner = data.shape[axis:] if node.since < 13 else data.shape[-1:]
    away = node.since >= 13 and axis not in (-1, data.rank - 1)
    return first(
        f"its axis is {axis} of {data.rank}; it takes only the last" if away else None,
        typed(node, 0, ("float", "float16", "uint8")),
        "the size that it goes over is dynamic" if any(map(named, inner)) else None,
        None if all(isinstance(size, int) for size in inner) else Unknown("the size that it goes over is not known"),
    )


@constraint(_XNNPACK, "MatMul", citation=f"{_CITED}/math/matmul.cc", evidence="code", whole=True)
def _matmul(node: NodeFacts) -> Answer:
    data = node.input(0)
    return first(
        typed(node, 0, ("float", "float16")),
        constant(node, 1, "B"),
        rank(node, 1, (1, 2), "B"),
        "its A is a scalar" if data is not None and data.rank == 0 else None,
    )


@constraint(_XNNPACK, "Gemm", citation=f"{_CITED}/math/gemm.cc", evidence="code", whole=True)
def _gemm(node: NodeFacts) -> Answer:
    # Without C the check reads a shape that is not there.
    return first(
        typed(node, 0, ("float", "float16")),
        attribute(node, "alpha", (1.0,), 1.0),
        attribute(node, "beta", (1.0,), 1.0),
        constant(node, 1, "B"),
        constant(node, 2, "C"),
        Unknown("it has no C") if node.input(2) is None else None,
        _bias(node),
    )


def _bias(node: NodeFacts) -> Answer:
    weight, bias = node.input(1), node.input(2)
    if weight is None or bias is None:
        return None
    if weight.shape is None or not bias.shape:
        return Unknown("the shape of its B or C is not known")
    if bias.shape[0] in weight.shape:
        return None
    return f"its C is of shape {list(bias.shape)}; it must be one value for each output"


@constraint(_XNNPACK, "Resize", citation=f"{_CITED}/tensor/resize.cc", evidence="code", whole=True)
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    channels = made.data.shape[1] if made.data is not None and made.data.shape and len(made.data.shape) == 4 else None
    scaled = made.factors is not None and len(made.factors) == 4 and made.factors[1] not in (1.0, None)
    return first(
        f"its mode is {made.mode}; it takes only linear" if made.mode != "linear" else None,
        rank(node, 0, (4,)),
        typed(node, 0, ("float", "uint8", "int8", "float16")),
        Unknown("float16 runs only on processors with float16 arithmetic") if _half(node) else None,
        "the number of channels is dynamic" if named(channels) else None,
        constant_parameter(node),
        "it resizes the channels" if scaled else None,
        "it antialiases" if made.antialias else None,
        "it gives axes" if made.axes else None,
        f"its keep_aspect_ratio_policy is {made.aspect}; it takes stretch" if made.aspect != "stretch" else None,
        "it sets exclude_outside" if made.exclude_outside else None,
        "it sets extrapolation_value" if node.attr("extrapolation_value", 0.0) else None,
        _transform(node),
        None if made.by_sizes or numbers(made.parameter) is None else divides(node),
    )


def _transform(node: NodeFacts) -> Answer:
    made = resizing(node)
    if made.transform in ("asymmetric", "half_pixel", "align_corners"):
        return None
    if made.transform != "pytorch_half_pixel":
        return f"its coordinate_transformation_mode is {made.transform}; it takes half_pixel, asymmetric, align_corners"
    alike = made.half_pixel_alike()
    if alike is None:
        return Unknown("it is not known whether a side becomes 1")
    return None if alike else "a side becomes 1 with pytorch_half_pixel"
