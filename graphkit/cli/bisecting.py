"""What `verify --bisect` and `run --bisect` look at: two graphs, and an input that shows a difference."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from graphkit.bisect import Bisection
    from graphkit.errors import ProofFailed
    from graphkit.pipeline.suspect import Suspect
    from graphkit.verdict import Side, Verdict, Wanted


class Chosen(NamedTuple):
    """An input, as each of the two models takes it, and whether each computes in float16."""

    name: str
    left: dict[str, Any]
    right: dict[str, Any]
    half: tuple[bool, bool]


def no_graph(left: Path, right: Path) -> str:
    """Why nothing can be named inside a `.pt`, and what to do; "" where both are ONNX."""
    for path in (left, right):
        if path.suffix.lower() in (".pt", ".pth"):
            return (
                f"{path} holds layers and no graph whose nodes could be matched, so --bisect names none: export it "
                f"with `graphkit export {path}`, which holds the export against it, and bisect the export against the "
                "other"
            )
    return ""


def common_input(left: Side, right: Side, wanted: Wanted, report: Verdict) -> Chosen:
    """The first input on which something differs; else the last one, which is a picture where there are any."""
    from graphkit.verdict import plan_frames

    frames = plan_frames(left, right, wanted)
    failing = [part.feed for part in report.parts if not part.ok]
    chosen = next((item for item in frames if item.name in failing), None)
    if chosen is None:
        pictures = [item for item in frames if item.kind == "base" and not item.random]
        chosen = (pictures or frames)[0]
    return Chosen(chosen.name, chosen.feed(left), chosen.feed(right), (left.half, right.half))


def bisect_files(
    left: Path, right: Path, chosen: Chosen, report: Verdict, threads: int, told: Callable[[str], None]
) -> Bisection:
    """Find where the two part. The models are opened anew: what compared them is let go first."""
    from graphkit.bisect import Inputs, bisect
    from graphkit.model import Model
    from graphkit.verdict import strictly_half

    gc.collect()
    models = Model.load(left), Model.load(right)
    one, other = (strictly_half(item) if half else item for item, half in zip(models, chosen.half, strict=True))
    inputs = Inputs(chosen.name, chosen.left, chosen.right, (one, other))
    failing = [part.tolerance for part in report.parts if not part.ok]
    tolerance = min(failing or [part.tolerance for part in report.parts], default=None)
    return bisect(*models, inputs, tolerance, threads=threads, told=told)


def print_suspect(suspect: Suspect, error: ProofFailed, as_json: bool) -> None:
    """Print which rewrite of a pass is wrong; as JSON together with the failure, which then is not printed again.

    Raises:
        typer.Exit: After JSON.
    """
    import sys

    import typer

    from graphkit.cli.activity import activity
    from graphkit.render.json_text import json_text

    with activity(as_json) as told:
        found = _bisect_pass(suspect, told)
    if as_json:
        from graphkit.pipeline.report import jsonable

        failure = {"kind": type(error).__name__, "message": str(error)}
        told_ = {"error": failure, "pass": suspect.step, "bisection": None if found is None else found.to_dict()}
        sys.stdout.write(json_text(jsonable(told_)))
        raise typer.Exit(error.exit_status)
    if found is not None:
        from graphkit.render.bisect_text import print_bisection
        from graphkit.render.console import make_console

        print_bisection(make_console(), found, f"Where {suspect.step} goes wrong", ("before", "after"))


def _bisect_pass(suspect: Suspect, told: Callable[[str], None]) -> Bisection | None:
    """On the first input that shows where; else what the last one shows."""
    from graphkit.bisect import Inputs, bisect

    found = None
    for name, left, right in suspect.inputs:
        found = bisect(suspect.before, suspect.after, Inputs(name, left, right), suspect.tolerance, told=told)
        if found.culprits and found.culprits[0].reaches:
            break
    return found
