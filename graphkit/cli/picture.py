"""`graphkit picture`: a graph as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def picture(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The SVG file to write.")],
    around: Annotated[
        str | None, typer.Option("--around", metavar="NAME", help="Only this node or tensor, and what is near.")
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern", metavar="OPS", help='Only where these operators follow each other: "Conv,Sigmoid,Mul".'
        ),
    ] = None,
    radius: Annotated[
        int | None, typer.Option("--radius", min=0, help="How many wires from there. 2 for --around, 0 for --pattern.")
    ] = None,
    collapse: Annotated[
        bool | None,
        typer.Option("--collapse/--whole", help="Blocks as one box each, or every node. The whole graph is collapsed."),
    ] = None,
    colour: Annotated[
        str,
        typer.Option(
            "--colour",
            "--color",
            metavar="BY",
            help="By operator, time (in onnxruntime), coverage:RUNTIME[@VERSION], or changed:OTHER.onnx.",
        ),
    ] = "operator",
    title: Annotated[
        str | None, typer.Option("--title", help="Above the picture; the model's name without it.")
    ] = None,
    shapes: Annotated[bool, typer.Option("--shapes", help="Shapes of tensors on the wires too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: for each box's id in the file the nodes it stands for.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Draw MODEL, or a part of it, into an SVG file; blocks such as C2f and SPPF are recognised by their structure."""
    import sys

    from graphkit.cli.activity import activity
    from graphkit.errors import UsageError
    from graphkit.model import Model
    from graphkit.model.atomic import resolve_target, write
    from graphkit.pictures import colours
    from graphkit.pictures import picture as draw
    from graphkit.render.json_text import json_text

    if output.suffix.lower() != ".svg":
        raise UsageError(f'{output}: pictures are SVG; give a name that ends in ".svg".')
    target = resolve_target(output)
    loaded = Model.load(model)
    with activity(quiet=colour != "time") as tell:
        tell("timing the nodes")
        paint, notes = colours(loaded, colour)
    made = draw(
        loaded,
        around=around,
        pattern=pattern,
        radius=radius,
        collapse=collapse,
        colour=paint,
        title=title,
        notes=notes,
        shapes=shapes,
    )
    write(target, [made.svg.encode()])
    if as_json:
        told = {"file": str(output), "boxes": made.boxes, "hidden": made.hidden, "nodes": made.nodes}
        sys.stdout.write(json_text(told))
        return
    from graphkit.render.console import make_console, plain

    nodes = sum(map(len, made.nodes.values()))
    make_console().print(plain(f"{output}   {made.boxes} boxes for {nodes} nodes, inputs and outputs"), soft_wrap=True)
