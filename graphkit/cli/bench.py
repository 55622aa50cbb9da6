"""`graphkit bench`: how long models take in onnxruntime, against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named

_LEVELS = ("all", "basic", "off")


def bench(
    models: Annotated[list[Path], typer.Argument(metavar="A [B]...", help="ONNX models; all are held against A.")],
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=16, help="In each every model has a turn; instead of --seconds.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="Of timed runs; loading and warming up come on top.")
    ] = 20.0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Of one operator.")] = 2,
    provider: Annotated[
        list[str] | None, typer.Option("--provider", help="Of onnxruntime, as CUDAExecutionProvider; may be repeated.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Images a run where a model leaves it open; 1 by default.")
    ] = None,
    imgsz: Annotated[
        str | None, typer.Option("--imgsz", help="Where a model leaves it open: 640, or height and width, 384x640.")
    ] = None,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Run on these pictures in turn, not on noise; may be repeated."),
    ] = None,
    optimise: Annotated[str, typer.Option("--optimise", help="By onnxruntime: all, basic or off.")] = "all",
    spin: Annotated[
        bool, typer.Option("--spin", help="Let waiting threads spin: onnxruntime's default, for an idle machine.")
    ] = False,
    no_profile: Annotated[bool, typer.Option("--no-profile", help="Leave out the time by operators.")] = False,
    custom_ops: CustomOps = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the noise and of the order of turns.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Time A, or A against B and others, in onnxruntime.

    The models take turns in random order and are loaded anew every few rounds, so that neither a drifting machine nor
    where they happen to lie in memory decides. The ratio comes with its 99 % interval.
    """
    import sys
    from typing import cast

    from graphkit.cli.activity import activity
    from graphkit.cli.detecting import size_of
    from graphkit.errors import UsageError
    from graphkit.images import find_images
    from graphkit.render.json_text import json_text

    if optimise not in _LEVELS:
        raise UsageError(f'--optimise knows {", ".join(_LEVELS)}, not "{optimise}".')
    use_named(custom_ops)
    side = size_of(imgsz)
    pictures = tuple(find_images(images or ()))
    from graphkit.bench import Budget, Level, Serving, Wanted
    from graphkit.bench import bench as measure

    wanted = Wanted(
        Serving(threads, tuple(provider or ("CPUExecutionProvider",)), cast("Level", optimise), spin),
        Budget(seconds, rounds),
        batch,
        (side, side) if isinstance(side, int) else side,
        pictures,
        seed,
        not no_profile,
    )
    with activity(quiet=as_json) as tell:
        report = measure(models, wanted, tell)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
        return
    from graphkit.render.bench_text import print_bench
    from graphkit.render.console import make_console

    print_bench(make_console(), report)
