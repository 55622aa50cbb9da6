"""`graphkit fit`: the least that makes a model run whole in a runtime."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graphkit.cli.libraries import CustomOps, use_named

if TYPE_CHECKING:
    from graphkit.fit import FitReport, Plan
    from graphkit.model import Model
    from graphkit.pipeline import Outcome, RunReport


def fit(
    model: Annotated[Path, typer.Argument(help="The ONNX model. It is never overwritten.")],
    runtime: Annotated[
        str, typer.Option("--runtime", metavar="NAME[@VERSION]", help="The runtime, as graphkit coverage names it.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; MODEL.RUNTIME.onnx by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Search and prove, and write nothing.")] = False,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Skip the proof; the rewritten graph is still checked.")
    ] = False,
    images: Annotated[
        list[Path] | None,
        typer.Option("--images", help="Prove on these pictures: a file, a folder or a glob; may be repeated."),
    ] = None,
    seconds: Annotated[
        float, typer.Option("--seconds", min=0.1, help="Processor time after which the search ends.")
    ] = 600.0,
    custom_ops: CustomOps = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")] = False,  # noqa: ARG001  (read where errors end up)
) -> None:
    """Rewrite MODEL as little as makes it run whole in a runtime, prove that it returns the same, and write it.

    Whether it runs there is what the runtime's support table says. Exit status 1, and nothing is written, where no
    pipeline of graphkit's passes makes it run whole; a model that does already is left as it is.
    """
    from graphkit.runtimes import find_table

    use_named(custom_ops)
    table = find_table(runtime)
    target = _target(model, output, table.runtime)
    if not dry_run:
        from graphkit.pipeline.files import writable

        writable(target)
    from graphkit.fit import Bounds
    from graphkit.fit import fit as search
    from graphkit.model import Model

    loaded = Model.load(model)
    report = search(loaded, table, Bounds(seconds=seconds))
    ran = None
    if report.found is not None:
        outcome = _run(loaded, report.found, table.runtime, not no_verify, images or [], as_json)
        ran = _written(outcome, None if dry_run else target)
    _print(model, report, ran, as_json)
    if not report.whole_already and report.found is None:
        raise typer.Exit(1)


def _run(model: Model, plan: Plan, runtime: str, verify: bool, images: list[Path], quiet: bool) -> Outcome:
    """Run the plan as any pipeline: every pass checked and proven."""
    import json

    from graphkit.cli.progress import Progress
    from graphkit.errors import NotProven, ProofFailed
    from graphkit.pipeline import Settings, parse_pipeline, run_pipeline
    from graphkit.verify import NotRunnable

    # What JSON can say, YAML reads.
    text = "version: 1\npasses:\n" + "".join(f"  - {json.dumps(item)}\n" for item in plan.passes)
    pipeline = parse_pipeline(text, f"graphkit fit --runtime {runtime}")
    settings = Settings(verify=verify, images=tuple(images))
    try:
        with Progress([step.name for step in pipeline.steps], quiet=quiet) as progress:
            return run_pipeline(pipeline, model, settings, progress)
    except (NotRunnable, NotProven) as error:
        why = str(error).removesuffix(" Nothing was written.").rstrip(".")
        raise ProofFailed(
            f"{model.name}: with {plan.text} it runs whole in {runtime}, as the table has it, but that cannot be "
            f"proven: {why}. Nothing was written; --no-verify writes it unproven."
        ) from error


def _written(outcome: Outcome, target: Path | None) -> RunReport:
    from graphkit.pipeline.run import with_output

    if target is not None:
        outcome.model.save(target)
    return with_output(outcome.report, None if target is None else str(target), outcome.report.seconds)


def _print(model: Path, report: FitReport, ran: RunReport | None, as_json: bool) -> None:
    import sys

    from graphkit.render.json_text import json_text

    if as_json:
        run = ran.to_dict() if ran is not None else None
        data = {"model": str(model), **report.to_dict(), "output": ran.output if ran is not None else None, "run": run}
        sys.stdout.write(json_text(data))
        return
    from graphkit.render.console import make_console
    from graphkit.render.fit_text import print_fit

    print_fit(make_console(), model.name, report, ran)


def _target(model: Path, output: Path | None, runtime: str) -> Path:
    """Where the result goes: never the model itself."""
    from graphkit.errors import UsageError

    name = f"{model.stem}.{runtime}.onnx"
    target = model.with_name(name) if output is None else output / name if output.is_dir() else output
    if target.exists() and model.exists() and target.samefile(model):
        raise UsageError(f"{target} is the model itself, which is never overwritten; name another file.")
    return target
