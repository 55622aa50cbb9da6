"""`graphkit export` of every family, static and dynamic, at every opset: each held against PyTorch.

    python -m benchmarks.export --journal export.jsonl                     # everything; a second call goes on
    python -m benchmarks.export --model yolov8n --form static
    python -m benchmarks.export --weights yolov8n.pt --picture bus.jpg      # and what trained weights find

Untrained networks, 320 x 320, opset 11 to the newest that onnx knows. torch writes opsets up to its own limit; beyond,
the export goes on with pin-opset. A cell is the largest relative L2 of boxes, scores and the rest, over all inputs. The
exit status is 1 where an export is not proven.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from graphkit.detectors import find_objects, framed, open_detector
from graphkit.errors import GraphkitError
from graphkit.export import ExportOptions, Job, export
from graphkit.export.opsets import MODELS, exporter_limit
from graphkit.heads import NmsContract
from graphkit.images import read_image
from graphkit.passes.opset import newest

OLDEST = 11
SIZE = (320, 320)
FORMS = {"static": False, "dynamic": True}


def main(
    model: Annotated[list[str] | None, typer.Option(help="Only these.")] = None,
    form: Annotated[list[str] | None, typer.Option(help="Only static, or dynamic.")] = None,
    opset: Annotated[list[int] | None, typer.Option(help="Only these.")] = None,
    journal: Annotated[Path | None, typer.Option(help="A file to keep results in, and to go on from.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Trained weights to export too, at the size they name.")] = None,
    picture: Annotated[Path | None, typer.Option(help="What to look for objects on with them.")] = None,
) -> None:
    """Print the table."""
    console = Console(width=170)
    opsets = [value for value in range(OLDEST, newest() + 1) if not opset or value in opset]
    jobs = [
        (name, kind, value)
        for name in MODELS
        if not model or name in model
        for kind in FORMS
        if not form or kind in form
        for value in opsets
    ]
    known = _read(journal)
    with tempfile.TemporaryDirectory() as scratch:
        for name, kind, value in track(jobs, "exporting", console=Console(stderr=True)):
            if (name, kind, value) not in known:
                found = _export(name, kind, value, Path(scratch))
                known[name, kind, value] = found
                if journal is not None:
                    with journal.open("a") as file:
                        file.write(json.dumps(found) + "\n")
    results = [known[job] for job in jobs]
    _show(console, results, opsets)
    failed = any(result["status"] == "failed" for result in results)
    if weights is not None:
        failed |= not _trained(console, weights, picture)
    raise typer.Exit(1 if failed else 0)


def _read(journal: Path | None) -> dict[tuple[str, str, int], dict[str, Any]]:
    if journal is None or not journal.is_file():
        return {}
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    return {(line["model"], line["form"], line["opset"]): line for line in lines}


def _export(name: str, kind: str, opset: int, folder: Path) -> dict[str, Any]:
    options = ExportOptions(imgsz=SIZE, dynamic=FORMS[kind], opset=opset)
    told: dict[str, Any] = {"model": name, "form": kind, "opset": opset}
    start = time.perf_counter()
    try:
        report = export(f"{name}.yaml", options, folder / f"{name}.onnx", Job())
    except GraphkitError as error:
        status = "failed" if error.exit_status == 1 else "refused"
        return {**told, "status": status, "text": str(error), "seconds": time.perf_counter() - start}
    assert report.proof is not None
    return {
        **told,
        "status": "proven",
        "text": "",
        "relative_l2": report.proof.worst,
        "compared": {item.holds: item.relative_l2 for item in report.proof.compared},
        "detections": report.proof.detections,
        "feeds": len(report.proof.feeds),
        "nodes": report.nodes,
        "seconds": time.perf_counter() - start,
    }


def _show(console: Console, results: list[dict[str, Any]], opsets: list[int]) -> None:
    table = Table("model", "", *map(str, opsets), caption=f"torch writes up to {exporter_limit()}, pin-opset the rest")
    rows: dict[tuple[str, str], list[str]] = {}
    for result in results:
        cell = f"{result['relative_l2']:.0e}" if result["status"] == "proven" else result["status"]
        rows.setdefault((result["model"], result["form"]), []).append(cell)
    for key, cells in rows.items():
        table.add_row(*key, *cells)
    console.print(table)
    counts = Counter(result["status"] for result in results)
    worst = max((result["relative_l2"] for result in results if result["status"] == "proven"), default=0.0)
    detections = sum(result.get("detections", 0) for result in results)
    seconds = sum(result["seconds"] for result in results)
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    console.print(
        f"{told}; largest relative L2 {worst:.1e}; {detections} detections agree; {seconds:.0f} s, "
        f"{seconds / max(len(results), 1):.1f} s an export with its proof"
    )
    for text in sorted({result["text"] for result in results if result["text"]}):
        console.print(f"- {text}", markup=False)


def _trained(console: Console, weights: Path, picture: Path | None) -> bool:
    """Export trained weights with every default, and say what the file finds; whether that is what the weights find."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / f"{weights.stem}.onnx"
        report = export(str(weights), ExportOptions(), target, Job())
        assert report.proof is not None
        chosen = ", ".join(f"{item.option} {item.value}" for item in report.choices)
        console.print(
            f"{report.source}: {chosen}; largest relative L2 {report.proof.worst:.1e}, {report.proof.detections} "
            f"detections agree, {report.seconds:.1f} s"
        )
        if picture is None:
            return True
        found = [_found(path, picture) for path in (weights, target)]
    for path, counts in zip((weights, target), found, strict=True):
        console.print(
            f"{path.name} on {picture.name}: {', '.join(f'{count} {name}' for name, count in counts.items())}"
        )
    return found[0] == found[1]


def _found(path: Path, picture: Path) -> Counter[str]:
    detector = open_detector(path)
    frame = framed(read_image(picture), *detector.image_size())
    [found] = find_objects(detector, [frame], NmsContract("best-class", 0.25, 0.7, 300))
    return Counter(detector.name_of(int(label)) for label in found.classes)


if __name__ == "__main__":
    typer.run(main)
