"""OpenCV's ONNX importer: what must be constant, and what it does not read.

OpenCV 4 folds constants as it reads, the shapes of static tensors among them.
"""

from __future__ import annotations

from graphkit.facts.node import NodeFacts
from graphkit.runtimes.constraints.checks import Answer, attribute, constant, first, given, listed, named, numbers
from graphkit.runtimes.constraints.registry import Unknown, constraint
from graphkit.runtimes.constraints.resizing import constant_parameter, only_sides, resizing

_OPENCV = "opencv"
_FILE = "opencv/opencv 4771da51, modules/dnn/src/onnx/onnx_importer.cpp"
_REDUCTIONS = (
    "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare"
)
_PARAMETERS = {
    **{op: {1: "axes"} for op in _REDUCTIONS.split()},
    "ConstantOfShape": {0: "shape"},
    "ConvTranspose": {1: "weight", 2: "bias"},
    "Expand": {1: "shape"},
    "Pad": {1: "pads", 2: "constant_value"},
    "Range": {0: "start", 1: "limit", 2: "delta"},
    "Reshape": {1: "shape"},
    "Slice": {1: "starts", 2: "ends", 3: "axes", 4: "steps"},
    "Split": {1: "split"},
    "Squeeze": {1: "axes"},
    "Tile": {1: "repeats"},
    "TopK": {1: "K"},
    "Unsqueeze": {1: "axes"},
}


@constraint(
    _OPENCV, " ".join(_PARAMETERS), citation=f"{_FILE}, the operator's parse function", evidence="code", versions="4"
)
def _parameters(node: NodeFacts) -> Answer:
    return first(*(constant(node, index, name) for index, name in _PARAMETERS[node.op].items()))


@constraint(_OPENCV, "Unsqueeze", citation=f"{_FILE}, parseUnsqueeze", evidence="code", versions="4")
def _unsqueeze(node: NodeFacts) -> Answer:
    data = node.input(0)
    axes = numbers(node.input(1)) if given(node.input(1)) else node.attr("axes")
    if data is not None and data.folded:
        return None
    return f"it adds {len(axes)} axes; it adds one at a time" if axes and len(axes) != 1 else None


@constraint(_OPENCV, "Pad", citation=f"{_FILE}, parsePad", evidence="code", versions="4")
def _pad(node: NodeFacts) -> Answer:
    plain = node.attr("mode", "constant") in ("constant", "reflect")
    return first(
        "it gives axes, which the importer does not read" if given(node.input(3)) else None,
        None if plain else Unknown(f"whether it pads with mode {node.attr('mode')} is not known"),
    )


_CAST = {1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 10: "float16"}


@constraint(_OPENCV, "Cast", citation=f"{_FILE}, parseCast", evidence="code", versions="4")
def _cast(node: NodeFacts) -> Answer:
    if node.attr("to") in _CAST:
        return None
    return f"it casts to a type that it does not have; it has {', '.join(_CAST.values())}"


@constraint(_OPENCV, "ConvTranspose", citation=f"{_FILE}, parseConvTranspose", evidence="code", versions="4")
def _conv_transpose(node: NodeFacts) -> Answer:
    return None if node.attr("kernel_shape") else "it leaves out kernel_shape"


@constraint(_OPENCV, "Resize", citation=f"{_FILE}, parseResize", evidence="code", versions="4")
def _resize(node: NodeFacts) -> Answer:
    made = resizing(node)
    size = made.parameter.shape[0] if made.parameter is not None and made.parameter.shape else None
    return first(
        constant_parameter(node),
        "its coordinate_transformation_mode is tf_crop_and_resize" if made.transform == "tf_crop_and_resize" else None,
        f"its scales or sizes have {size} values; they must have 4" if isinstance(size, int) and size != 4 else None,
        attribute(node, "mode", ("nearest", "linear"), "nearest")
        and Unknown("whether it resizes cubically is not known"),
        Unknown(f"whether it rounds by {made.nearest} is not known; the importer does not read nearest_mode")
        if made.mode == "nearest" and (made.transform, made.nearest) != ("asymmetric", "floor")
        else None,
    )


@constraint(
    _OPENCV,
    "Resize",
    citation=f"{_FILE}, parseResize, which does not read it",
    evidence="code",
    versions="4",
    wrong=True,
)
def _resize_ignored(node: NodeFacts) -> Answer:
    made = resizing(node)
    return first(
        "it antialiases, which is ignored" if made.antialias else None,
        f"its keep_aspect_ratio_policy is {made.aspect}, which is ignored" if made.aspect != "stretch" else None,
        only_sides(node),
    )


@constraint(
    _OPENCV,
    "ConstantOfShape",
    citation="pip opencv-python-headless 5.0.0.93, forward: blobs.size() == 1",
    evidence="probe",
    versions="5",
)
def _fill(node: NodeFacts) -> Answer:
    return None if node.attr("value") is not None else "it leaves out value, which must be said"


_UNREAD = (
    *("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0", "float4e2m1"),
    *("int2", "uint2", "int4", "uint4", "string"),
)


@constraint(
    _OPENCV,
    "*",
    citation="pip opencv-python-headless 5.0.0.93, onnx_importer2.cpp, parseValueInfo: unsupported datatype",
    evidence="probe",
    versions="5",
)
def _types(node: NodeFacts) -> Answer:
    tensors = [item for item in (*node.inputs, *node.outputs) if item is not None]
    strange = sorted({item.type for item in tensors if item.type in _UNREAD})
    return f"it has values of {listed(strange)}, which it does not read" if strange else None


@constraint(
    _OPENCV,
    "GatherND",
    citation="pip opencv-python-headless 5.0.0.93, SIGFPE in the layer where indices are empty",
    evidence="probe",
    versions="5",
)
def _none_gathered(node: NodeFacts) -> Answer:
    indices = node.input(1)
    if indices is None or indices.shape is None:
        return None
    if 0 in indices.shape:
        return "it gathers nothing, on which the process crashes"
    invented = any(not isinstance(size, int) and not named(size) for size in indices.shape[:-1])
    return "it depends on the input how many it gathers, and on none the process crashes" if invented else None
