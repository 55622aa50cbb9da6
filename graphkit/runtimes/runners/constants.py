"""Inputs of a model made into initializers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from graphkit.runtimes.runners.contract import NotMeasurable, Value

if TYPE_CHECKING:
    from onnx import ModelProto


def with_constants(model: ModelProto, values: Mapping[str, Value]) -> ModelProto:
    """A model in which some inputs are constants.

    Args:
        model: The model; not changed.
        values: Input name -> value.

    Raises:
        NotMeasurable: A value is no tensor, and only tensors can be initializers.
    """
    if not values:
        return model
    from onnx import ModelProto, numpy_helper

    made = ModelProto()
    made.CopyFrom(model)
    kept = [info for info in model.graph.input if info.name not in values]
    del made.graph.input[:]
    made.graph.input.extend(kept)
    for name, value in values.items():
        if value is None or isinstance(value, list):
            raise NotMeasurable(f'"{name}" is no tensor and cannot be a constant')
        made.graph.initializer.append(numpy_helper.from_array(value, name))
    return made
