"""Which IR version goes with an operator set."""

from __future__ import annotations

from typing import Literal

import onnx
from onnx import TensorProto, helper

from graphkit.errors import PassRefused
from graphkit.model import tensors

# The IR version that brought each, see onnx/onnx.proto, enum Version.
_INITIALIZERS_ALONE = 4
_FUNCTIONS = 8
_FUNCTION_DEFAULTS = 9
_OVERLOADS = 10
_TYPES = {
    9: ("FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ"),
    10: ("UINT4", "INT4"),
    11: ("FLOAT4E2M1",),
    12: ("FLOAT8E8M0",),
    13: ("UINT2", "INT2"),
}


def fitting_ir(model: onnx.ModelProto, now: int, target: int, wish: Literal["follow", "keep"] | int) -> int:
    """The IR version for `model` at opset `target`: as wished, but never one that cannot hold the model.

    "keep" changes it only where it must. "follow": upwards at least what that opset came with. Downwards at most what
    the last onnx release with that opset knew, because a runtime of that age rejects more, but not less than what the
    model itself needs. Otherwise unchanged.

    Raises:
        PassRefused: It is a number that cannot hold the model, or that the installed onnx does not know.
    """
    if isinstance(wish, int):
        if wish < (needed := _needed(model)):
            raise PassRefused(f"ir-version {wish} cannot hold what is in the model; choose {needed} or more")
        if wish > onnx.IR_VERSION:
            raise PassRefused(f"ir-version {wish} is newer than {onnx.IR_VERSION}, which onnx {onnx.__version__} knows")
        return wish
    if wish == "keep":
        return max(int(model.ir_version), _needed(model))
    releases = [int(row[1]) for row in helper.VERSION_TABLE if int(row[2]) == target]
    if not releases:
        return max(int(model.ir_version), _needed(model))
    if target > now:
        return max(int(model.ir_version), min(releases), _needed(model))
    return max(min(int(model.ir_version), max(releases)), _needed(model))


def _needed(model: onnx.ModelProto) -> int:
    """The oldest IR version that can hold the model."""
    inputs = {item.name for item in model.graph.input}
    needed = _FUNCTIONS if model.functions else 3
    if any(item.name not in inputs for item in model.graph.initializer):
        needed = max(needed, _INITIALIZERS_ALONE)
    if any(function.attribute_proto for function in model.functions):
        needed = max(needed, _FUNCTION_DEFAULTS)
    if any(function.overload for function in model.functions):
        needed = max(needed, _OVERLOADS)
    used = {tensor.data_type for tensor in tensors(model)}
    for item in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        used.add(item.type.tensor_type.elem_type)
    for version, names in _TYPES.items():
        if any(getattr(TensorProto, name, -1) in used for name in names):
            needed = max(needed, version)
    return needed
