"""`graphkit verify`: whether two models are the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named

if TYPE_CHECKING:
    from graphkit.bisect import Bisection
    from graphkit.verdict import Verdict


def verify(
    left: Annotated[Path, typer.Argument(metavar="A", help="The model that is right: .onnx, or ultralytics' .pt.")],
    right: Annotated[Path, typer.Argument(metavar="B", help="The model that is held against it: .onnx or .pt.")],
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Run both on these pictures: a file, a folder or a glob; may be repeated."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="An annotated data set, as coco.yaml: compare mAP as well.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option("--tolerance", min=0, help="Relative L2 of boxes and of scores; by default 1e-4 in float32."),
    ] = None,
    map_tolerance: Annotated[
        float, typer.Option("--map-tolerance", min=0, max=1, help="What mAP may differ by, 0..1.")
    ] = 0.002,
    batch: Annotated[
        list[int] | None, typer.Option("--batch", min=1, help="Where both are dynamic; may be repeated; 1 and 3.")
    ] = None,
    imgsz: Annotated[
        list[str] | None,
        typer.Option("--imgsz", help="Where both are dynamic: 640, or height and width, 384x640; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the random input.")] = 0,
    confidence: Annotated[
        float | None,
        typer.Option("--confidence", min=0, max=1, help="Where to begin; lowered until enough is compared."),
    ] = None,
    iou: Annotated[
        float | None, typer.Option("--iou", min=0, max=1, help="Overlap that suppresses, where a model leaves it open.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", help="Draw the image on which the two differ most, with both's boxes.")
    ] = None,
    bisect: Annotated[
        bool, typer.Option("--bisect", help="Where they differ, name the node at which it begins; two ONNX models.")
    ] = False,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of onnxruntime or torch.")] = 2,
    device: Annotated[str, typer.Option("--device", help="Of torch, for a .pt: cpu, cuda, cuda:1.")] = "cpu",
    trust: Annotated[
        bool, typer.Option("--trust", help="Load a .pt that may run code of its own: only if you know who made it.")
    ] = False,
    custom_ops: CustomOps = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Run A and B on the same input, and say whether they are the same, and what is wrong where they are not.

    Boxes and scores are compared apart, number by number and as detections. Exit status 1 where they differ, 2 where
    nothing of the two could be compared.
    """
    import sys

    from graphkit.render.json_text import json_text

    use_named(custom_ops)
    if picture is not None:
        from graphkit.verdict import check_target

        check_target(picture)
    report, found = _run(
        left, right, images or [], data, tolerance, map_tolerance, batch or [], imgsz or [], seed, confidence, iou,
        picture, bisect, threads, device, trust, as_json,
    )  # fmt: skip
    if as_json:
        told = report.to_dict() | ({} if found is None else {"bisection": found.to_dict()})
        sys.stdout.write(json_text(_finite(told)))
    else:
        from graphkit.render.bisect_text import print_bisection
        from graphkit.render.console import make_console
        from graphkit.render.verify_text import print_verdict

        console = make_console()
        print_verdict(console, report)
        if found is not None:
            print_bisection(console, found)
    if not report.equal:
        raise typer.Exit(2 if report.compared == 0 and not report.failed else 1)


def _run(
    left: Path,
    right: Path,
    images: list[Path],
    data: Path | None,
    tolerance: float | None,
    map_tolerance: float,
    batch: list[int],
    imgsz: list[str],
    seed: int,
    confidence: float | None,
    iou: float | None,
    picture: Path | None,
    bisect: bool,
    threads: int,
    device: str,
    trust: bool,
    quiet: bool,
) -> tuple[Verdict, Bisection | None]:
    from dataclasses import replace

    from graphkit.bisect import in_pieces
    from graphkit.cli.activity import activity
    from graphkit.cli.bisecting import bisect_files, common_input, no_graph
    from graphkit.cli.detecting import size_of
    from graphkit.images import find_images
    from graphkit.verdict import Settings, Wanted, compare_sides, draw_worst, mean_precision, open_side
    from graphkit.verify import opened

    sizes = []
    for text in imgsz:
        size = size_of(text)
        assert size is not None
        sizes.append((size, size) if isinstance(size, int) else size)
    refusal = no_graph(left, right) if bisect else ""
    bisect = bisect and not refusal
    wanted = Wanted(tuple(find_images(images)), tuple(batch), tuple(sizes), seed)
    with activity(quiet) as tell:
        tell(f"opening {left.name}")
        # Whoever asks for the node has no need of guesses, and may have models that are too large to be loaded twice.
        opener = in_pieces if bisect else opened
        one = open_side(left, threads=threads, device=device, trust=trust, opener=opener)
        tell(f"opening {right.name}")
        other = open_side(right, threads=threads, device=device, trust=trust, opener=opener)
        settings = Settings(wanted, tolerance, confidence, iou, thorough=not bisect or picture is not None)
        report, tally = compare_sides(one, other, settings, lambda name: tell(f"running on {name}"))
        if data is not None:
            found = mean_precision(
                left,
                right,
                data,
                tolerance=map_tolerance,
                size=sizes[0] if sizes else None,
                threads=threads,
                device=device,
                trust=trust,
                progress=lambda name, done, total: tell(f"mAP of {name}: {done} of {total}"),
            )
            report = replace(report, precision=found)
        bisection = None
        if bisect and not report.equal:
            chosen = common_input(one, other, wanted, report)
            del one, other
            bisection = bisect_files(left, right, chosen, report, threads, tell)
    if picture is not None:
        image = draw_worst(tally, picture, (left.name, right.name))
        report = replace(report, notes=(*report.notes, f"{picture} shows {image}"))
    if refusal and not report.equal:
        report = replace(report, notes=(*report.notes, refusal))
    return report, bisection


def _finite(value: object) -> object:
    """JSON knows no infinity and no NaN: they become text."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value
