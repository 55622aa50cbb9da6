"""`graphkit report`: a page about a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graphkit.cli.libraries import CustomOps, use_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphkit.model import Model
    from graphkit.pipeline import RunReport
    from graphkit.report import Report


def report(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The HTML file to write.")],
    before: Annotated[
        Path | None, typer.Option("--before", metavar="MODEL", help="The model it was made from, to show beside it.")
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option("--runtime", metavar="NAME[@VERSION]", help="Only this runtime; may be repeated. All without it."),
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Pictures to look at: a file, a folder or a glob; may be repeated."),
    ] = None,
    custom_ops: CustomOps = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: the file, its size, and what it shows.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Write one HTML page about MODEL: its graph to move around in, what it costs, where it runs, what it finds.

    The page holds everything it needs and loads nothing, so it can be mailed.
    """
    import sys

    from graphkit.cli.activity import activity
    from graphkit.images import find_images
    from graphkit.render.json_text import json_text
    from graphkit.report import assemble, check_installed
    from graphkit.runtimes import find_table, newest_tables

    check_installed()
    use_named(custom_ops)
    target = page_target(output)
    tables = [find_table(name) for name in dict.fromkeys(runtime)] if runtime else newest_tables()
    paths = find_images(images or ())
    from graphkit.model import Model

    loaded = Model.load(model)
    earlier = None if before is None else Model.load(before)
    with activity(quiet=as_json) as tell:
        made = assemble(loaded, tables, before=earlier, images=paths, tell=tell)
        tell("writing the page")
        size = write_page(made, target)
    if as_json:
        sys.stdout.write(json_text(_told(made, output, size)))
        return
    from graphkit.render.console import make_console, plain
    from graphkit.render.quantities import size as in_words

    side = made.model
    line = f"{output}   {in_words(size)}   {len(side.nodes)} nodes, {len(side.coverage.runtimes)} runtimes"
    make_console().print(plain(line), soft_wrap=True)


def page_target(output: Path) -> Path:
    """Where a page goes.

    Raises:
        UsageError: Its name is not that of a page, or it cannot be written there.
    """
    from graphkit.errors import UsageError
    from graphkit.model.atomic import resolve_target

    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f'{output}: a report is a page; give a name that ends in ".html".')
    return resolve_target(output)


def write_page(made: Report, target: Path) -> int:
    """Write the page of a report; returns its size in bytes."""
    from graphkit.model.atomic import write
    from graphkit.render.html import report_page

    page = report_page(made).encode()
    write(target, [page])
    return len(page)


def write_run_page(
    target: Path,
    source: Model,
    model: Model,
    title: str,
    run: RunReport,
    steps: Sequence[tuple[str, Model]],
    images: Sequence[Path],
    *,
    quiet: bool,
) -> None:
    """Write the page of a run: `source` beside `model`, which is called `title`, and what each pass did."""
    from graphkit.cli.activity import activity
    from graphkit.images import find_images
    from graphkit.report import Ran, assemble
    from graphkit.runtimes import newest_tables

    with activity(quiet=quiet) as tell:
        ran = Ran(run, steps)
        made = assemble(
            model, newest_tables(), before=source, ran=ran, images=find_images(images), title=title, tell=tell
        )
        tell("writing the page")
        write_page(made, target)


def _told(made: Report, output: Path, size: int) -> dict[str, Any]:
    """What a page shows, for --json."""
    return {
        "file": str(output),
        "bytes": size,
        "models": [side.name for side in made.sides],
        "nodes": [len(side.nodes) for side in made.sides],
        "boxes": [
            {sheet.name: None if sheet.picture is None else sheet.picture.boxes for sheet in side.sheets}
            for side in made.sides
        ],
        "runtimes": [item.id for item in made.model.coverage.runtimes],
        "pictures": [
            {"name": item.name, "detections": [sum(n for _, n in drawing.found) for drawing in item.drawings]}
            for item in made.sightings
        ],
    }
