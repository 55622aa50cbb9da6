"""A detector with NMS inside, made to fit every runtime: what it takes, and whether it then runs there.

    python -m benchmarks.fit yolov8n.onnx --image bus.jpg
    python -m benchmarks.fit yolov8n.onnx --image bus.jpg --runtime ncnn --runtime opencv@4.10.0

`embed-nms` (backend onnx) puts NMS into the model as it was exported, and `fit` is asked for every runtime profile, of
each the newest version. Where nothing is found, the one output of layout ultralytics is tried too, which needs no
integers. What was found is run with its proofs, and in the runtimes that are installed here it is loaded and run:
its detections have to be those that onnxruntime finds with the model before `fit`, matched by class, IoU and score.
Exit status 1 where one differs.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid

from graphkit.errors import GraphkitError
from graphkit.fit import FitReport, fit
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.pipeline import Pipeline, Settings, parse_pipeline, run_pipeline
from graphkit.runtimes import Table, find_table, newest_tables
from graphkit.runtimes.runners import Runner, find
from graphkit.trial import try_model

LAYOUTS = ("four", "ultralytics")


@dataclass(frozen=True)
class Row:
    """One runtime.

    Attributes:
        runtime: Its name and version.
        layout: Of the detections.
        report: What the search found.
        used: Seconds of processor time that it took.
        proven: "" where nothing was found, "✓" where it was proven, else why not.
        ran: What came of running it; "" where the runtime is not installed.
        differs: Whether it ran and found other detections, or did not run.
    """

    runtime: str
    layout: str
    report: FitReport
    used: float
    proven: str = ""
    ran: str = ""
    differs: bool = False

    def cells(self) -> list[str]:
        """For the table that is printed."""
        report = self.report
        plan = report.found
        if report.whole_already:
            words, nodes = "as it is", report.before.nodes
        elif plan is not None:
            words, nodes = plan.text, plan.coverage.nodes
        else:
            words, nodes = f"nothing; open: {_open(report)}", report.before.nodes
        layout = "" if self.layout == LAYOUTS[0] else f" ({self.layout})"
        return [self.runtime + layout, words, str(nodes), f"{self.used:.1f}", self.proven, self.ran]


def _open(report: FitReport) -> str:
    """Gaps by operator; those that no pass closes, where there are such."""
    left = (report.nearest.coverage if report.nearest is not None else report.before).gaps
    counts = Counter(gap.op for gap in left if gap.status in ("none", "wrong", "unknown"))
    shown = {op: count for op, count in counts.items() if not report.stuck or op in report.stuck}
    return ", ".join(f"{count} {op}" for op, count in sorted(shown.items()))


def embedded(path: Path, layout: Any) -> Model:
    """The export with NMS inside."""
    steps = (EmbedNms(layout=layout),)
    return run_pipeline(Pipeline("embed", "", steps), Model.load(path), Settings(verify=False)).model


def installed(name: str) -> Runner | None:
    """The runtime, where it can be run here."""
    try:
        runner = find(name)
        runner.required()
    except GraphkitError:
        return None
    return runner


def measured(models: dict[str, Model], table: Table, image: Path, timeout: float) -> Row:
    """Fit, prove and run one runtime."""
    name = f"{table.runtime}@{table.version}"
    rows = []
    for layout, model in models.items():
        start = time.process_time()
        report = fit(model.copy(), table)
        used = time.process_time() - start
        rows.append(Row(name, layout, report, used))
        if report.found is not None or report.whole_already:
            break
    else:
        return rows[0]
    proven, fitted = "", model
    if report.found is not None:
        items = "".join(f"  - {item}\n" for item in report.found.text.split(", "))
        try:
            fitted = run_pipeline(parse_pipeline(f"version: 1\npasses:\n{items}", name), model.copy()).model
            proven = "✓"
        except GraphkitError as error:
            return Row(name, layout, report, used, str(error))
    runner = installed(table.runtime)
    if runner is None or find_table(table.runtime).version != table.version:
        return Row(name, layout, report, used, proven)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "fitted.onnx"
        fitted.save(file)
        # What is expected comes from the model before `fit`; what the runtime reads is the file.
        trial = try_model(model, file, runner, [image], timeout)
    how = "; ".join(output.how for output in trial.outputs) or trial.reason
    return Row(name, layout, report, used, proven, f"{trial.ending}: {how}", trial.ending != "right")


def main(
    model: Annotated[Path, typer.Argument(help="An export without NMS.")],
    image: Annotated[Path, typer.Option(help="A picture with objects in it.")],
    runtime: Annotated[list[str] | None, typer.Option(help="Only these; all, in their newest versions, else.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for loading and running in a runtime.")] = 600.0,
) -> None:
    """Print the table."""
    tables = [find_table(name) for name in runtime] if runtime else list(newest_tables())
    models = {layout: embedded(model, layout) for layout in LAYOUTS}
    console = Console(width=200)
    grid = Grid("runtime", "passes", "nodes", "s", "proven", "detections there")
    different = False
    for table in tables:
        row = measured(models, table, image, timeout)
        different |= row.differs
        grid.add_row(*row.cells())
        Console(stderr=True, soft_wrap=True).print("  ".join(row.cells()), highlight=False)
    console.print(grid)
    raise typer.Exit(int(different))


if __name__ == "__main__":
    typer.run(main)
