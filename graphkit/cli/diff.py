"""`graphkit diff`: what differs between two models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def diff(
    left: Annotated[Path, typer.Argument(metavar="A", help="The one ONNX model.")],
    right: Annotated[Path, typer.Argument(metavar="B", help="The other.")],
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw A and B beside each other into this SVG file."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Say what of B is not as in A: nodes added, removed, changed, rewired; constants and by how much; types, shapes.

    Matched by structure: names, order, and where constants are kept make no difference. Exit status 0 where nothing
    differs, 1 where something does.
    """
    import sys

    from graphkit.errors import UsageError
    from graphkit.model.atomic import resolve_target, write
    from graphkit.render.json_text import json_text

    if as_json and as_markdown:
        raise UsageError("--json and --markdown exclude each other; give one of them.")
    if picture is not None and picture.suffix.lower() != ".svg":
        raise UsageError(f'{picture}: pictures are SVG; give a name that ends in ".svg".')
    target = None if picture is None else resolve_target(picture)
    from graphkit.analysis.differences import compare
    from graphkit.model import Model

    one, other = Model.load(left), Model.load(right)
    found = compare(one, other)
    if target is not None:
        from graphkit.pictures.beside import beside

        write(target, [beside(one, other).encode()])
    if as_json:
        sys.stdout.write(json_text(found.to_dict()))
    elif as_markdown:
        from graphkit.render.diff_markdown import diff_markdown

        sys.stdout.write(diff_markdown(found))
    else:
        from graphkit.render.console import make_console
        from graphkit.render.diff_text import print_diff

        print_diff(make_console(), found)
    if not found.equal:
        raise typer.Exit(1)
