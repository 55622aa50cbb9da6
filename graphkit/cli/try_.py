"""`graphkit try`: a model really loaded and run in a runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def try_(
    model: Annotated[Path, typer.Argument(help="The ONNX model.")],
    runtime: Annotated[str, typer.Option("--runtime", help="An installed runtime, as openvino or onnxruntime-cpu.")],
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Run it on these pictures: a file, a folder or a glob; may be repeated."),
    ] = None,
    timeout: Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds for loading and one run.")] = 120.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Load and run MODEL in a runtime, compare its outputs with onnxruntime's, and say what was predicted.

    Exit status 1 where it does not load there, or computes something else.
    """
    import sys

    from graphkit.render.json_text import json_text
    from graphkit.runtimes.runners import find

    runner = find(runtime)
    runner.required()
    from graphkit.images import find_images
    from graphkit.model import Model
    from graphkit.trial import try_model

    report = try_model(Model.load(model), model, runner, find_images(images or ()), timeout)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
    else:
        from graphkit.render.console import make_console
        from graphkit.render.try_text import print_try

        print_try(make_console(), report)
    if not report.right:
        raise typer.Exit(1)
