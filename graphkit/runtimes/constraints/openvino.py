"""OpenVINO's ONNX frontend: what its translators refuse, and what they do not read and so compute otherwise."""

from __future__ import annotations

from graphkit.facts.node import Dimension, NodeFacts, TensorFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    listed,
    numbers,
)
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import resizing

_BOTH = "openvino onnxruntime-openvino"
_OPS = "src/frontends/onnx/frontend/src/op"
_TYPES = (
    *("bool", "string", "double", "float", "float16", "bfloat16", "float8e4m3fn", "float8e5m2"),
    *("int4", "int8", "int16", "int32", "int64", "uint4", "uint8", "uint16", "uint32", "uint64"),
)


@constraint(
    _BOTH,
    "*",
    citation="openvinotoolkit/openvino fba6fce7, src/frontends/onnx/frontend/src/utils/common.cpp, get_ov_element_type",
    evidence="code",
)
def _types(node: NodeFacts) -> Answer:
    tensors = [item for item in (*node.inputs, *node.outputs) if item is not None]
    strange = sorted(
        {item.type for item in tensors if item.type is not None and "(" not in item.type}.difference(_TYPES)
    )
    return f"it has values of {listed(strange)}, which cannot be read" if strange else None


@constraint(_BOTH, "Resize", citation=f"openvinotoolkit/openvino 019873bb, {_OPS}/resize.cpp", evidence="code")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    transforms = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn")
    if made.transform not in transforms:
        return f"its coordinate_transformation_mode is {made.transform}; it takes {', '.join(transforms)}"
    return None


@constraint(
    _BOTH,
    "Resize",
    citation=f"openvinotoolkit/openvino 019873bb, {_OPS}/resize.cpp, which does not read the attribute",
    evidence="code",
    wrong=True,
)
def _resize_ignored(node: NodeFacts) -> Answer:
    made = resizing(node)
    return first(
        "it sets exclude_outside, which is ignored" if made.exclude_outside and made.smooth else None,
        f"its keep_aspect_ratio_policy is {made.aspect}, which is ignored"
        if made.aspect != "stretch" and made.by_sizes
        else None,
    )


@constraint(
    _BOTH,
    "Resize",
    citation="pip openvino 2026.4.1, onnx's node tests resize_downsample_*_antialias",
    evidence="probe",
    wrong=True,
)
def _antialias(node: NodeFacts) -> Answer:
    made = resizing(node)
    return "it antialiases, which is computed otherwise" if made.antialias and made.smooth else None


@constraint(_BOTH, "Pad", citation=f"openvinotoolkit/openvino 0c0d9828, {_OPS}/pad.cpp", evidence="code")
def _pad(node: NodeFacts) -> Answer:
    computed = constant(node, 3, "axes")
    return first(
        attribute(node, "mode", ("constant", "reflect", "edge"), "constant"),
        Unknown(f"{computed}, though 2026.4 took it") if isinstance(computed, str) else None,
    )


@constraint(
    _BOTH,
    "GatherElements",
    citation="pip openvino 2026.4.1, gather_elements_shape_inference.hpp: data and indices must have equal dimensions",
    evidence="probe",
)
def _gather_elements(node: NodeFacts) -> Answer:
    """OpenVINO takes away a Slice before it that begins at 0, and then refuses what it has made."""
    data, indices, axis = node.input(0), node.input(1), node.attr("axis", 0)
    if data is None or data.shape is None:
        return None
    whole = _sliced(data)
    most = data.shape
    rank = len(most)
    shape = indices.shape if indices is not None and indices.shape is not None else (None,) * rank
    for place, (size, limit, given) in enumerate(zip(whole or most, most, shape, strict=False)):
        # Indices are never larger than what they are taken from.
        wanted = limit if whole is not None and not isinstance(given, int) else given
        if place in (axis, axis + rank) or not isinstance(size, int) or not isinstance(wanted, int) or size == wanted:
            continue
        where = "its data" if whole is None else "what its data is sliced from"
        return f"its indices have the size {wanted} where {where} has {size}; all but axis {axis} must be alike"
    return None


def _sliced(tensor: TensorFacts | None) -> tuple[Dimension, ...] | None:
    """The shape of what a tensor is the beginning of, by a Slice; None where it is not."""
    maker = None if tensor is None else tensor.maker
    if maker is None or maker.op != "Slice" or maker.domain:
        return None
    starts = numbers(maker.input(1)) or maker.attr("starts")
    steps = numbers(maker.input(4)) or [1]
    source = maker.input(0)
    plain = starts and not any(starts) and set(steps) == {1}
    return source.shape if plain and source is not None else None


@constraint(
    _BOTH,
    "STFT",
    citation="pip openvino 2026.4.1, its translator: Shape of signal input must be static",
    evidence="probe",
)
def _stft(node: NodeFacts) -> Answer:
    signal = node.input(0)
    return "the shape of its signal is not fixed" if signal is not None and not signal.static else None
