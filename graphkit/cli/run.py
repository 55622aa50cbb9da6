"""`graphkit run`: a pipeline over a model, or over many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named

if TYPE_CHECKING:
    from graphkit.passes import Registry
    from graphkit.pipeline.suspect import Suspect


def run(
    pipeline: Annotated[str, typer.Argument(help="A pipeline file, or the bare name of a shipped one.")],
    models: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL...",
            help="The ONNX model, or several, or folders of them. None is overwritten, unless --in-place says so.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Where to write; a folder for several models. MODEL.graphkit.onnx by default."
        ),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Overwrite MODEL with the result.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, help="How many of several models at once.")] = 1,
    skip_done: Annotated[
        bool, typer.Option("--skip-done", help="Leave out models of which the folder of -o has the result already.")
    ] = False,
    time_limit: Annotated[
        float | None,
        typer.Option(
            "--time-limit", metavar="SECONDS", min=0.001, help="Give up on each of several models that takes longer."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything but write.")] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Skip the proofs; rewritten graphs are still checked.")
    ] = False,
    best_effort: Annotated[
        bool,
        typer.Option("--best-effort", help="Where pin-opset cannot reach its opset, go to the nearest it can reach."),
    ] = False,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Prove on these pictures: a file, a folder or a glob; may be repeated."),
    ] = None,
    keep_failing: Annotated[
        Path | None, typer.Option("--keep-failing", help="Where to save the graph that a failing pass was given.")
    ] = None,
    bisect: Annotated[
        bool, typer.Option("--bisect", help="Where a proof fails, name the rewrite in that pass that is wrong.")
    ] = False,
    plugin: Annotated[
        list[str] | None,
        typer.Option("--plugin", help="A module, or a .py file, with passes of your own; may be repeated."),
    ] = None,
    custom_ops: CustomOps = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Also write an HTML page: both graphs, each pass, where it runs."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,
) -> None:
    """Run PIPELINE on MODEL: rewrite it pass by pass, prove each rewrite, and write the result.

    Nothing is written unless every pass, every check and every proof held. Of several models, each runs in a process
    of its own, and one that fails does not stop the others.
    """
    import sys
    import time

    from graphkit.passes.simplifying.process import start_ahead
    from graphkit.pipeline.files import find_pipeline, read_text, writable
    from graphkit.render.json_text import json_text

    if bisect and no_verify:
        from graphkit.errors import UsageError

        raise UsageError("--bisect looks into a pass whose proof failed, and --no-verify skips the proofs; drop one.")
    use_named(custom_ops)
    started = time.perf_counter()
    path = find_pipeline(pipeline)
    text = read_text(path)
    called = pipeline if path == Path(pipeline) else str(path)
    if len(models) > 1 or models[0].is_dir() or skip_done:
        from graphkit.batch import Work
        from graphkit.cli.many import run_many

        work = Work(
            called,
            text,
            plugins=tuple(plugin or ()),
            best_effort=best_effort,
            verify=not no_verify,
            images=tuple(images or ()),
            write=not dry_run,
            debug=debug,
            libraries=tuple(custom_ops or ()),
            time_limit=time_limit,
        )
        alone = {"--bisect": bisect, "--report": page, "--keep-failing": keep_failing}
        run_many(models, work, output, alone, in_place=in_place, jobs=jobs, skip_done=skip_done, as_json=as_json)
        return
    if time_limit is not None:
        from graphkit.errors import UsageError

        raise UsageError(
            "--time-limit is for several models, each in a process of its own; a single one ends with Ctrl-C."
        )
    model = models[0]
    if "simplify" in text:  # importing onnxsim takes longer than all that comes before it is needed
        start_ahead()
    from graphkit.pipeline import parse_pipeline

    parsed = parse_pipeline(text, called, _known(plugin))
    if best_effort:
        parsed = parsed.with_best_effort()
    target = _target(model, output, in_place)
    if not dry_run:
        writable(target)
    if page is not None:
        from graphkit.cli.report import page_target
        from graphkit.report import check_installed

        check_installed()
        page = page_target(page)

    from graphkit.cli.progress import Progress
    from graphkit.model import Model
    from graphkit.pipeline.run import Settings, run_pipeline, with_output

    suspects: list[Suspect] = []
    steps: list[tuple[str, Model]] = []
    settings = Settings(
        verify=not no_verify,
        images=tuple(images or ()),
        keep_failing=keep_failing,
        suspected=suspects.append if bisect else None,
        kept=None if page is None else lambda name, left: steps.append((name, left)),
    )
    with _looked_into(suspects, as_json), Progress([step.name for step in parsed.steps], quiet=as_json) as progress:
        source = Model.load(model)
        outcome = run_pipeline(parsed, source, settings, progress)
        if not dry_run:
            progress.writing(target)
            outcome.model.save(target)
    report = with_output(outcome.report, None if dry_run else str(target), time.perf_counter() - started)
    if page is not None:
        from graphkit.cli.report import write_run_page

        write_run_page(page, source, outcome.model, target.name, report, steps, images or (), quiet=as_json)
    if as_json:
        sys.stdout.write(json_text(report.to_dict()))
        return
    from graphkit.render.console import make_console
    from graphkit.render.run_text import print_run

    print_run(make_console(), report)


@contextmanager
def _looked_into(suspects: list[Suspect], as_json: bool) -> Iterator[None]:
    """Where a proof fails and there is a suspect, say which rewrite it is before the failure goes on."""
    from graphkit.errors import ProofFailed

    try:
        yield
    except ProofFailed as error:
        if suspects:
            from graphkit.cli.bisecting import print_suspect

            print_suspect(suspects[0], error, as_json)
        raise


def _known(plugins: list[str] | None) -> Registry:
    from graphkit.passes import registry

    return registry().with_modules(plugins or [])


def _target(model: Path, output: Path | None, in_place: bool) -> Path:
    """Where the result goes; refuses to overwrite the model by accident."""
    from graphkit.errors import UsageError

    if in_place and output is not None:
        raise UsageError("--in-place and --output say two different things; give one of them.")
    if in_place:
        return model
    if output is None:
        return model.with_name(f"{model.stem}.graphkit.onnx")
    if output.is_dir():
        return output / model.name if not _same(output / model.name, model) else output / f"{model.stem}.graphkit.onnx"
    if _same(output, model):
        raise UsageError(f"{output} is the model itself; --in-place overwrites it.")
    return output


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
