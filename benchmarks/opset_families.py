"""Every ultralytics family to every opset that devices ask for, and back up: proven, or not.

    python -m benchmarks.opset_families                        # everything: some minutes
    python -m benchmarks.opset_families --family v8 --form half

Each model is exported at opset 18 from ultralytics' YAML file (untrained, but with outputs spread as a trained model's,
96 x 96), pinned to each of 17 … 11, and from there to 21. Every step is proven by onnxruntime with optimisation off,
against the model before it. The exit status is 1 where one is not.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from graphkit.errors import GraphkitError
from graphkit.model import Model
from graphkit.pipeline import parse_pipeline, run_pipeline
from tests.families.cells import HEADS, IMGSZ, MODELS, exported_as

TARGETS = (17, 16, 15, 14, 13, 12, 11)
BACK = 21
FORMS: dict[str, dict[str, Any]] = {
    "static": {},
    "dynamic": {"dynamic": True},
    "half": {"half": True},
    "nms=True": {"nms": True},
    "dynamic, nms=True": {"dynamic": True, "nms": True},
}
EMBEDDED = {
    "static, embed-nms onnx": ("static", "onnx"),
    "dynamic, embed-nms onnx": ("dynamic", "onnx"),
    "half, embed-nms onnx": ("half", "onnx"),
    "static, embed-nms matrix": ("static", "matrix"),
    "static, embed-nms efficientnms": ("static", "efficientnms"),
}


@dataclass(frozen=True)
class Row:
    """One model: a family's export, and what was done to it first."""

    family: str
    task: str
    head: str
    form: str


@dataclass(frozen=True)
class Cell:
    """What came of one model at one opset: the proofs of the way down and of the way back up."""

    status: str
    text: str


def main(
    family: Annotated[list[str] | None, typer.Option(help="Only these families.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Only these tasks.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Only these exports.")] = None,
    exports: Annotated[Path | None, typer.Option(help="Folder to keep the exports in.")] = None,
) -> None:
    """Print the table."""
    wanted = [
        row
        for row in _rows()
        if (not family or row.family in family) and (not task or row.task in task) and (not form or row.form in form)
    ]
    console, errors = Console(width=140), Console(stderr=True)
    table = Table("family", "task", "head", "export", *map(str, TARGETS))
    counts: dict[str, int] = {}
    complaints: list[str] = []
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = exports or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for row in track(wanted, "proving", console=errors, disable=not errors.is_terminal):
            cells = _run(row, folder)
            errors.print(f"{row}: {', '.join(sorted({cell.status for cell in cells.values()}))}", markup=False)
            table.add_row(row.family, row.task, row.head, row.form, *(cell.text[:12] for cell in cells.values()))
            for target, cell in cells.items():
                counts[cell.status] = counts.get(cell.status, 0) + 1
                if cell.status not in ("exact", "close"):
                    complaints.append(f"{row} → {target}: {cell.status}: {cell.text}")
    console.print(table)
    for line in complaints:
        console.print(line, markup=False)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    total, seconds = sum(counts.values()), time.perf_counter() - started
    console.print(f"{total} conversions down and back up to {BACK}: {told}; {seconds:.0f} s")
    raise typer.Exit(1 if complaints else 0)


def _rows() -> Iterator[Row]:
    for family, task in MODELS:
        for head in HEADS if family in ("v10", "26") else HEADS[:1]:
            for form in (*FORMS, *EMBEDDED):
                if "nms=True" in form and head == "one-to-one":
                    continue  # the option that chooses the head is the same
                yield Row(family, task, head, form)


def _run(row: Row, folder: Path) -> dict[int, Cell]:
    """All targets of one model."""
    export, backend = EMBEDDED.get(row.form, (row.form, None))
    options: dict[str, Any] = {"imgsz": IMGSZ, "opset": 18, **FORMS[export]}
    if row.head == "one-to-one":
        options["nms"] = False
    try:
        model = Model.load(exported_as(MODELS[row.family, row.task], options, folder))
        if backend is not None:
            text = f"version: 1\npasses: [sort, {{embed-nms: {{backend: {backend}}}}}]\n"
            model = run_pipeline(parse_pipeline(text, "embed.yaml"), model).model
    except GraphkitError as error:
        # embed-nms refuses some (rotated boxes without a rotated NMS …): there is no such model to convert.
        return dict.fromkeys(TARGETS, Cell("no model", str(error)))
    return {target: _pin(model, target) for target in TARGETS}


def _pin(model: Model, target: int) -> Cell:
    text = f"version: 1\npasses: [sort, pin-opset: {target}, pin-opset: {BACK}]\n"
    try:
        report = run_pipeline(parse_pipeline(text, "pin.yaml"), model).report
    except GraphkitError as error:
        return Cell("failed", " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - a crash is a line of the table, not the end of it
        return Cell("crashed", f"{type(error).__name__}: {error}")
    proofs = [record.proof for record in report.passes if record.name == "pin-opset"]
    if len(proofs) != 2 or any(proof is None or not proof.passed for proof in proofs):
        return Cell("failed", "a step was not proven")
    if all(proof is not None and proof.identical for proof in proofs):
        return Cell("exact", "identical")
    return Cell("close", max((proof.sentence for proof in proofs if proof is not None), key=len))


if __name__ == "__main__":
    typer.run(main)
