"""Make `graphkit/export/opsets.tsv`: at which opset most runtimes run ultralytics' detectors whole.

    python -m scripts.export_opsets                    # about a quarter of an hour
    python -m scripts.export_opsets --exports cache    # keeps the exports

Every family that `graphkit export` is accepted on is exported from its YAML file, static and dynamic, at each opset
that torch writes, and taken on from there by `pin-opset`; then every support table is asked about each.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from graphkit.analysis.coverage import cover
from graphkit.export.opsets import FILE, HEADER, MODELS, exporter_limit
from graphkit.model import Model
from graphkit.passes.opset import convert, newest
from graphkit.runtimes import all_tables, newest_tables
from tests.exports import export_untrained

OLDEST = 11
"""Below, torch says itself, Resize does not do what PyTorch does."""
SIZE = 64


def main(exports: Annotated[Path | None, typer.Option(help="Folder to keep the exports in.")] = None) -> None:
    """Write the file."""
    runtimes, versions = newest_tables(), all_tables()
    current = {table.name for table in runtimes}
    counts: Counter[tuple[int, str]] = Counter()
    opsets = range(OLDEST, newest() + 1)
    forms = [(name, dynamic) for name in MODELS for dynamic in (False, True)]
    with tempfile.TemporaryDirectory() as scratch:
        folder = exports or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        jobs = [(name, dynamic, opset) for name, dynamic in forms for opset in opsets]
        for name, dynamic, opset in track(jobs, "asking", console=Console(stderr=True)):
            whole = {
                item.id
                for item in cover(_exported(folder, name, dynamic, opset), versions).runtimes
                if item.verdict == "whole"
            }
            counts[opset, "versions"] += len(whole)
            counts[opset, "runtimes"] += len(whole & current)
    rows = [f"{opset}\t{counts[opset, 'runtimes']}\t{counts[opset, 'versions']}" for opset in opsets]
    head = [
        HEADER,
        f"models: {', '.join(MODELS)}; static and dynamic",
        f"exports: {len(forms)}",
        f"runtimes: {len(runtimes)}",
        f"versions: {len(versions)}",
        "---",
        "opset\truntimes\tversions",
    ]
    FILE.write_text("\n".join([*head, *rows]) + "\n")


def _exported(folder: Path, name: str, dynamic: bool, opset: int) -> Model:
    limit = exporter_limit()
    path = folder / f"{name}_{dynamic}_{min(opset, limit)}.onnx"
    if not path.exists():
        export_untrained(path, name, imgsz=SIZE, dynamic=dynamic, opset=min(opset, limit))
    model = Model.load(path)
    if opset > limit:
        model.replace(convert(model.proto(), opset, model.values).model)
    return model


if __name__ == "__main__":
    typer.run(main)
