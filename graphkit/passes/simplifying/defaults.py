"""Initializers that are inputs too: constants for onnxsim where nobody can replace them, and inputs elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

_LISTS_NO_MORE = 4
"""The first IR version in which an initializer need not be an input (onnx, docs/IR.md)."""


def settle_defaults(model: ModelProto) -> tuple[ModelProto, list[TensorProto]]:
    """Take away one of the two that such a tensor is.

    Args:
        model: Not changed.

    Returns:
        The model itself where it has none. Before IR version 4, the same in version 4, with its initializers off the
        list of inputs. From then on, a copy without the initializers, and these.
    """
    from onnx import ModelProto

    from graphkit.edit import overridable

    names = overridable(model)
    if not names:
        return model, []
    made = ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    if model.ir_version < _LISTS_NO_MORE:
        made.ir_version = _LISTS_NO_MORE
        kept = [info for info in graph.input if info.name not in names]
        del graph.input[:]
        graph.input.extend(kept)
        return made, []
    defaults = [tensor for tensor in model.graph.initializer if tensor.name in names]
    constants = [tensor for tensor in model.graph.initializer if tensor.name not in names]
    del graph.initializer[:]
    graph.initializer.extend(constants)
    return made, defaults
