"""`graphkit verify` on models broken on purpose, and on models that differ by rewriting only.

    python -m benchmarks.broken_pairs [--weights ../shared/data/yolov8n-coco.pt] [--only WORD]

Every broken pair must be called broken, and a finding must point at what was broken: boxes or scores, the level, the
class. Every rewritten pair must be called equal. Beside each verdict stands what a plain relative L2 over whole outputs
(1e-4) says, and what Polygraphy's defaults (absolute and relative 1e-5) say; both need outputs of one name and shape.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.pair_equal import equal_pairs
from benchmarks.pair_list import EQUAL, Pair, broken_pairs
from benchmarks.pair_models import Workshop
from graphkit.verdict import Settings, Verdict, Wanted, compare_sides, open_side

WEIGHTS = Path(__file__).parents[2] / "shared" / "data" / "yolov8n-coco.pt"


@dataclass(frozen=True)
class Outcome:
    """A pair and what came of it."""

    pair: Pair
    verdict: Verdict
    seconds: float

    @property
    def right(self) -> bool:
        """Whether it was called what it is."""
        return self.verdict.equal == (self.pair.expected is EQUAL)

    @property
    def pointed(self) -> bool:
        """Whether a finding points at what was broken."""
        return (
            self.pair.expected is EQUAL
            or any(map(self.pair.expected.fits, self.verdict.findings))
            or (self.pair.expected.fails_to_run and bool(self.verdict.failed))
        )

    @property
    def plain(self) -> str:
        """What a plain L2 says: "equal", "differs", or "–" where it cannot be taken."""
        said = self.verdict.plain_equal
        return "–" if said is None else "equal" if said else "differs"

    @property
    def close(self) -> str:
        """What absolute and relative 1e-5 say."""
        items = self.verdict.plain
        return "–" if not items else "equal" if all(item.close_1e5 for item in items) else "differs"


def judge(pair: Pair, images: Sequence[Path]) -> Outcome:
    """Run one pair."""
    start = time.perf_counter()
    wanted = Wanted(images=tuple(images), sizes=pair.sizes)
    verdict, _ = compare_sides(open_side(pair.left), open_side(pair.right), Settings(wanted))
    return Outcome(pair, verdict, time.perf_counter() - start)


def _table(title: str, outcomes: Sequence[Outcome]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("pair", "verdict", "plain L2", "1e-5", "s", "what it says"):
        table.add_column(heading, overflow="fold")
    for item in outcomes:
        called = "equal" if item.verdict.equal else "different"
        mark = "" if item.right and item.pointed else " WRONG" if not item.right else " POINTS ELSEWHERE"
        said = [finding.text for finding in item.verdict.findings] or list(item.verdict.failed)
        if item.verdict.equal:
            worst = max((part.worst_l2 for part in item.verdict.parts), default=0.0)
            pairs = item.verdict.detections.pairs if item.verdict.detections is not None else 0
            said = [f"relative L2 {worst:.1e} at most, {pairs} detections"]
        table.add_row(item.pair.name, called + mark, item.plain, item.close, f"{item.seconds:.1f}", "; ".join(said[:3]))
    return table


def main(
    weights: Annotated[Path, typer.Option(help="Trained YOLOv8 weights.")] = WEIGHTS,
    only: Annotated[str, typer.Option(help="Only pairs whose name holds this.")] = "",
    keep: Annotated[Path | None, typer.Option(help="Where to make the models; a temporary folder by default.")] = None,
) -> None:
    """Print both tables."""
    import ultralytics

    images = [Path(ultralytics.__file__).parent / "assets" / name for name in ("bus.jpg", "zidane.jpg")]
    console = Console(width=None if sys.stdout.isatty() else 200)
    with tempfile.TemporaryDirectory() as folder:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
        workshop = Workshop(keep or Path(folder), weights)
        results = []
        for title, pairs in (("Broken on purpose", broken_pairs), ("Rewritten only", equal_pairs)):
            chosen = [make for name, make in pairs(workshop) if only in name]
            results.append((title, [_judged(make, images) for make in chosen]))
    for title, outcomes in results:
        console.print(_table(title, outcomes))
    broken, equal = (outcomes for _, outcomes in results)
    right = sum(item.right for item in broken)
    pointed = sum(item.right and item.pointed for item in broken)
    missed = sum(item.plain == "equal" for item in broken)
    silent = sum(item.plain == "–" for item in broken)
    console.print(f"broken: {right} of {len(broken)} called different, {pointed} of them for the right reason")
    console.print(f"a plain L2 calls {missed} of the {len(broken)} equal, and cannot be taken of {silent}")
    console.print(f"1e-5 calls {sum(item.close == 'equal' for item in broken)} of the {len(broken)} equal")
    console.print(f"rewritten: {sum(item.right for item in equal)} of {len(equal)} called equal")
    alarms = sum(item.close == "differs" for item in equal)
    console.print(f"1e-5 calls {alarms} of those {len(equal)} different, and cannot be taken of "
                  f"{sum(item.close == '–' for item in equal)}")  # fmt: skip
    if not all(item.right and item.pointed for _, outcomes in results for item in outcomes):
        raise typer.Exit(1)


def _judged(make: Callable[[], Pair], images: Sequence[Path]) -> Outcome:
    pair = make()
    outcome = judge(pair, images)
    print(
        f"{'ok' if outcome.right and outcome.pointed else 'NO'}  {pair.name}  {outcome.seconds:.1f} s", file=sys.stderr
    )
    return outcome


if __name__ == "__main__":
    typer.run(main)
