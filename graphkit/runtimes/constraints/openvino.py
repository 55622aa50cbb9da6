"""OpenVINO's ONNX frontend: what its translators refuse, and what they do not read and so compute otherwise."""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import (
    Answer,
    attribute,
    constant,
    first,
    listed,
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
    shrinks = made.factors is None or any(factor is None or factor < 1 for factor in made.factors)
    if made.smooth and made.transform == "align_corners" and shrinks and not made.by_sizes:
        return Unknown("it shrinks by scales with align_corners, which gave other values in onnx's node tests")
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
