"""The converters that are compared: each takes a model to an opset, or raises Refused."""

from __future__ import annotations

import logging
from collections.abc import Callable

import onnx
from onnx import ModelProto

from graphkit.errors import PassRefused
from graphkit.model import Model, standard_domain
from graphkit.passes.pin_opset import PinOpset


class Refused(Exception):
    """The tool says that it cannot."""


def graphkit(model: ModelProto, target: int) -> ModelProto:
    """graphkit's pin-opset."""
    carrier = Model(model)
    try:
        PinOpset(opset=target).run(carrier)
    except PassRefused as error:
        raise Refused(str(error)) from error
    return carrier.proto()


def version_converter(model: ModelProto, target: int) -> ModelProto:
    """onnx.version_converter. Whatever it raises is taken for a refusal."""
    try:
        return onnx.version_converter.convert_version(model, target)
    except Exception as error:
        raise Refused(str(error)) from error


def onnxscript(model: ModelProto, target: int) -> ModelProto:
    """onnxscript's, allowed to fall back to onnx.version_converter. Whatever it raises is taken for a refusal."""
    from onnxscript import ir
    from onnxscript.version_converter import convert_version

    logging.disable(logging.WARNING)
    try:
        carrier = ir.from_proto(model)  # given a ModelProto, it converts the graph and leaves the opset import
        convert_version(carrier, target, fallback=True)
        made: ModelProto = ir.to_proto(carrier)
    except Exception as error:
        raise Refused(str(error)) from error
    if {int(item.version) for item in made.opset_import if standard_domain(item.domain)} != {target}:
        raise Refused("returned at another opset")
    return made


TOOLS: dict[str, Callable[[ModelProto, int], ModelProto]] = {
    "graphkit": graphkit,
    "onnx": version_converter,
    "onnxscript": onnxscript,
}
