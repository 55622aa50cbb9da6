"""`graphkit picture`: a graph as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from graphkit.model import Model
    from graphkit.pictures import Colour, Paint


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
    import json
    import sys

    from graphkit.errors import UsageError
    from graphkit.model import Model
    from graphkit.model.atomic import resolve_target, write
    from graphkit.pictures import picture as draw

    if output.suffix.lower() != ".svg":
        raise UsageError(f'{output}: pictures are SVG; give a name that ends in ".svg".')
    target = resolve_target(output)
    loaded = Model.load(model)
    colours, notes = _colours(loaded, colour)
    made = draw(
        loaded,
        around=around,
        pattern=pattern,
        radius=radius,
        collapse=collapse,
        colour=colours,
        title=title,
        notes=notes,
        shapes=shapes,
    )
    write(target, [made.svg.encode()])
    if as_json:
        told = {"file": str(output), "boxes": made.boxes, "hidden": made.hidden, "nodes": made.nodes}
        sys.stdout.write(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return
    from graphkit.render.console import make_console, plain

    nodes = sum(map(len, made.nodes.values()))
    make_console().print(plain(f"{output}   {made.boxes} boxes for {nodes} nodes, inputs and outputs"), soft_wrap=True)


def _colours(model: Model, colour: str) -> tuple[Mapping[str, Colour] | Paint | None, list[str]]:
    """The colours asked for, None for those of operators; and what has to be said about them."""
    from graphkit.errors import UsageError

    kind, _, name = colour.partition(":")
    if colour == "operator":
        return None, []
    if colour == "time":
        from graphkit.bench import time_nodes
        from graphkit.cli.activity import activity
        from graphkit.pictures import by_time, time_notes

        with activity(quiet=False) as tell:
            tell("timing the nodes")
            times = time_nodes(model)
        return by_time(times), time_notes(times)
    if kind == "coverage" and name:
        from graphkit.analysis.coverage import cover
        from graphkit.pictures import by_coverage
        from graphkit.runtimes import find_table

        return by_coverage(model, cover(model, [find_table(name)]).runtimes[0]), []
    if kind == "changed" and name:
        from graphkit.model import Model
        from graphkit.pictures import by_change

        return by_change(model, Model.load(name)), []
    raise UsageError(f'--colour does not know "{colour}"; give operator, time, coverage:RUNTIME or changed:OTHER.onnx.')
