"""`graphkit export`: from ultralytics' weights to a proven ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def export(
    source: Annotated[str, typer.Argument(help="ultralytics' .pt, or a .yaml such as yolov8n.yaml (untrained).")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Options as yolo takes them: imgsz=640.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; SOURCE.onnx in this folder by default.")
    ] = None,
    imgsz: Annotated[
        str | None,
        typer.Option("--imgsz", help="One side, or height,width; what the weights were trained at by default."),
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Images at once; 1 by default.")] = None,
    dynamic: Annotated[
        bool | None, typer.Option("--dynamic/--no-dynamic", help="Leave batch, height and width open.")
    ] = None,
    half: Annotated[bool | None, typer.Option("--half/--no-half", help="float16.")] = None,
    opset: Annotated[
        int | None, typer.Option("--opset", min=1, help="By default the one that most runtimes take.")
    ] = None,
    simplify: Annotated[
        bool | None, typer.Option("--simplify/--no-simplify", help="Let ultralytics run onnxslim over it.")
    ] = None,
    nms: Annotated[
        bool | None,
        typer.Option(
            "--nms/--no-nms",
            help="ultralytics' own NMS inside; or the head's own choice, where it has one. Without: every candidate.",
        ),
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="cpu, 0, cuda:0, mps; cpu by default.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of untrained weights and of random input.")] = 0,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not hold it against PyTorch.")] = False,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Verify on these pictures: a file, a folder or a glob; may be repeated."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a .pt that may run code of its own: only if you know who made it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show what ultralytics says, and the Python traceback of an error.")
    ] = False,
) -> None:
    """Export SOURCE with ultralytics, hold the file against PyTorch, and write it if both compute the same.

    Nothing is downloaded, and nothing is written beside SOURCE. How it was made is recorded in the file.
    """
    import sys

    from graphkit.export import merged, parse_size, parse_words
    from graphkit.render.json_text import json_text

    given: dict[str, Any] = {
        "imgsz": None if imgsz is None else parse_size(imgsz),
        "batch": batch,
        "dynamic": dynamic,
        "half": half,
        "opset": opset,
        "simplify": simplify,
        "nms": nms,
        "device": device,
    }
    options = merged({key: value for key, value in given.items() if value is not None}, parse_words(words or []))
    target = _target(source, output)
    from graphkit.images import find_images
    from graphkit.pipeline.files import writable

    writable(target)
    from graphkit.cli.activity import activity
    from graphkit.export import Job
    from graphkit.export import export as run_export

    job = Job(not no_verify, tuple(find_images(images or [])), seed, trust, debug)
    with activity(quiet=as_json or debug) as told:
        report = run_export(source, options, target, job, told)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
        return
    from graphkit.render.console import make_console
    from graphkit.render.export_text import print_export

    print_export(make_console(), report)


def _target(source: str, output: Path | None) -> Path:
    """Where the file goes: never beside the weights unless that is this folder."""
    name = f"{Path(source).stem}.onnx"
    if output is None:
        return Path(name)
    return output / name if output.is_dir() else output
