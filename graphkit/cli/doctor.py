"""`graphkit doctor`: whether what is installed fits, and whether a picture is given to a model as it wants it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named


def doctor(
    model: Annotated[
        Path | None, typer.Argument(help="A model: try on IMAGE what its preprocessing must be. .onnx or .pt.")
    ] = None,
    image: Annotated[Path | None, typer.Argument(help="A picture with objects on it that the model knows.")] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option("--provider", help="Must load, as CUDAExecutionProvider; may be repeated."),
    ] = None,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0, max=1, help="With a model: a detection's least score.")
    ] = 0.25,
    imgsz: Annotated[
        str | None, typer.Option("--imgsz", help="Where the model leaves it open: 640, or height and width, 384x640.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a .pt that may run code of its own: only if you know who made it.")
    ] = False,
    custom_ops: CustomOps = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Find what is wrong with this installation, and the command that mends it.

    With MODEL and IMAGE: give the picture to the model in every way that people do, and show what each looks like. Exit
    status 1 where something is broken, or where no way finds anything.
    """
    import sys

    from graphkit.errors import UsageError
    from graphkit.render.json_text import json_text

    if model is not None and image is None:
        raise UsageError(
            f"name a picture too, with objects on it that the model knows: graphkit doctor {model} bus.jpg"
        )
    if model is not None and provider:
        raise UsageError("--provider examines the installation; leave the model out, or the provider.")
    use_named(custom_ops)
    from graphkit.cli.activity import activity
    from graphkit.render.console import make_console
    from graphkit.render.doctor_text import print_checkup, print_preprocessing

    if model is None or image is None:
        from graphkit.doctor import collect, examine

        with activity(quiet=as_json) as tell:
            checkup = examine(collect(provider or (), tell))
        if as_json:
            sys.stdout.write(json_text(checkup.to_dict()))
        else:
            print_checkup(make_console(), checkup)
        raise typer.Exit(1 if checkup.broken else 0)
    from graphkit.cli.detecting import size_of
    from graphkit.detectors import open_detector
    from graphkit.doctor import try_preprocessing
    from graphkit.images import read_image

    size, picture = size_of(imgsz), read_image(image)
    with activity(quiet=as_json) as tell:
        detector = open_detector(model, optimise=True, trust=trust)
        report = try_preprocessing(detector, image, picture, confidence, size, tell)
    if as_json:
        sys.stdout.write(json_text(_finite(report.to_dict())))
    else:
        print_preprocessing(make_console(), report)
    raise typer.Exit(1 if report.nothing else 0)


def _finite(value: object) -> object:
    """JSON knows no NaN: it becomes text."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value
