"""What follows a rewrite, before it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

    from graphkit.model import Model
    from graphkit.passes import PassResult


def settle(model: Model, before: ModelProto, result: PassResult) -> None:
    """Sweep up behind a pass that rewrote `model`: dead nodes go, the graph is written back, metadata is added.

    Initializers that nothing reads any more go too; those that nothing read `before` stay.
    """
    from graphkit.tidy import is_tidy, tidy

    if model.graph_is_open or not is_tidy(model.proto().graph):
        tidy(model.graph)
    after = model.commit()
    unread = _unread(after.graph) - _unread(before.graph)
    if unread:
        kept = type(after)()
        kept.CopyFrom(after)
        tensors = [tensor for tensor in kept.graph.initializer if tensor.name not in unread]
        del kept.graph.initializer[:]
        kept.graph.initializer.extend(tensors)
        model.replace(kept)
    if result.metadata:
        model.set_metadata(result.metadata)


def _unread(graph: GraphProto) -> set[str]:
    """The initializers that nothing reads, and that nobody can override."""
    from graphkit.model import reads

    names = {tensor.name for tensor in graph.initializer} - {item.name for item in graph.input}
    names -= {item.name for item in graph.output}
    for node in graph.node:
        names -= reads(node)
    return names
