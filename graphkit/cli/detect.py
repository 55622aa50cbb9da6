"""`graphkit detect`: what a detector finds on pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named


def detect(
    model: Annotated[Path, typer.Argument(help="An ONNX model, before or after any pass, or ultralytics' .pt.")],
    images: Annotated[list[Path], typer.Argument(help="Pictures: files, folders or globs.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for the drawn pictures and detections.json.")
    ] = None,
    confidence: Annotated[
        float | None, typer.Option("--confidence", min=0, max=1, help="Lowest score; 0.25 by default.")
    ] = None,
    iou: Annotated[
        float | None, typer.Option("--iou", min=0, max=1, help="Overlap that suppresses; 0.7 by default.")
    ] = None,
    max_detections: Annotated[int, typer.Option("--max-detections", min=1, help="Of one picture.")] = 300,
    semantics: Annotated[
        str | None, typer.Option("--semantics", help="best-class (the default), multi-label or class-agnostic.")
    ] = None,
    classes: Annotated[
        list[str] | None, typer.Option("--classes", help="Only these, by name or number; commas, or repeated.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Of the frame where the model leaves it open: 640, or 384x640.")
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", min=1, help="Pictures at once where the model leaves it open; 8 by default."),
    ] = None,
    coco: Annotated[Path | None, typer.Option("--coco", help="A file for the results in COCO's format.")] = None,
    annotations: Annotated[
        Path | None, typer.Option("--annotations", help="COCO annotations that say the ids of --coco.")
    ] = None,
    no_draw: Annotated[bool, typer.Option("--no-draw", help="Write detections.json and no pictures.")] = False,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of onnxruntime or torch.")] = 2,
    provider: Annotated[
        list[str] | None, typer.Option("--provider", help="Of onnxruntime, as CUDAExecutionProvider; may be repeated.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Of torch, for a .pt: cpu, cuda, cuda:1.")] = "cpu",
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a .pt that may run code of its own: only if you know who made it.")
    ] = False,
    custom_ops: CustomOps = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Find what is on pictures with MODEL, whatever head or NMS it has, and draw it.

    Letterboxed, run, decoded by the same references that proofs use. Exit status 1 where a picture could not be read.
    """
    import sys

    from graphkit.cli.detecting import contract_of, labels_of, report_of, size_of, targets_of
    from graphkit.errors import UsageError
    from graphkit.images import find_images
    from graphkit.render.json_text import json_text

    use_named(custom_ops)
    contract = contract_of(confidence, iou, semantics, max_detections)
    frame = size_of(size)
    if annotations is not None and coco is None:
        raise UsageError("--annotations says the ids of --coco; name a file with --coco too.")
    if no_draw and output is None and coco is None and not as_json:
        raise UsageError("--no-draw leaves out the pictures of --output DIR; name a DIR, or leave --no-draw out.")
    paths = find_images(images)
    targets = targets_of(paths, output)
    if coco is not None:
        from graphkit.model.atomic import resolve_target

        resolve_target(coco)  # what cannot be written is said before anything is run
    from graphkit.cli.counting import Counting
    from graphkit.detectors import coco_ids, open_detector
    from graphkit.render.console import make_console, print_message

    detector = open_detector(
        model,
        threads=threads,
        providers=provider or ("CPUExecutionProvider",),
        optimise=True,
        device=device,
        trust=trust,
    )
    errors = make_console(stderr=True)
    if detector.nms_inside and (iou is not None or semantics is not None):
        print_message(errors, f"{model.name} chooses its own detections: --iou and --semantics change nothing.")
    ids = coco_ids(annotations, detector) if annotations is not None else None
    wanted = labels_of(detector, classes)
    with Counting("detecting", quiet=as_json) as progress:
        report = report_of(
            detector,
            targets if not no_draw else dict.fromkeys(paths),
            contract,
            size=frame,
            batch=batch,
            classes=wanted,
            ids=ids,
            coco=coco,
            progress=progress,
        )
    text = json_text(report)
    if output is not None:
        from graphkit.model.atomic import write

        write(output / "detections.json", [text.encode()])
    for item in report["problems"]:
        print_message(errors, item["message"])
    if as_json:
        sys.stdout.write(text)
    else:
        from graphkit.render.detect_text import print_detections

        print_detections(make_console(), report)
    if report["problems"]:
        raise typer.Exit(1)
