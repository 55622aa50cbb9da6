"""What follows a rewrite, before it is checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.passes import PassResult


def settle(model: Model, result: PassResult) -> None:
    """Sweep up behind a pass that rewrote `model`: dead nodes go, the graph is written back, metadata is added."""
    from graphkit.tidy import tidy

    if model.graph_is_open:
        tidy(model.graph)
    model.commit()
    if result.metadata:
        model.set_metadata(result.metadata)
