"""make-dynamic against ultralytics' own dynamic exports, and set-input-shape against onnxsim.

    python -m benchmarks.shapes                       # everything: a quarter of an hour
    python -m benchmarks.shapes --model yolo11n --side 320x320 --side 640x416

Each model is exported twice from ultralytics' YAML file with the same seeded weights: static, which make-dynamic then
makes dynamic, and dynamic. Both are run on the same random pictures; the largest relative L2 over outputs and channels
is printed, of all batches at each size. Below: nodes of the dynamic export after set-input-shape, beside those of the
static export after onnxsim. The exit status is 1 where one is above 1e-4, or more nodes are left than onnxsim leaves.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
import typer
from rich.console import Console
from rich.table import Table

from graphkit.model import Model
from graphkit.pipeline import Settings, parse_pipeline, run_pipeline
from graphkit.verify.comparing import compare
from tests.exports import export_untrained

MODELS = ("yolov8n", "yolo11n", "yolo26n", "yolov8n-seg", "yolo11n-seg", "yolo26n-seg", "yolov8n-pose", "yolov8n-obb")
SIDES = ("320x320", "640x640", "1280x1280", "320x640", "736x416", "960x1280")
BATCHES = (1, 2, 7)
LIMIT = 1e-4

_DYNAMIC = "version: 1\npasses:\n  - make-dynamic: {batch: true, height: true, width: true}\n"
_FIXED = "version: 1\npasses:\n  - set-input-shape: [1, 3, %d, %d]\n"
_SIMPLE = "version: 1\npasses: [simplify]\n"


@dataclass
class Row:
    """What one model gave.

    Attributes:
        model: ultralytics' name.
        nodes: Of the static export made dynamic, and of the dynamic export.
        distances: Size -> largest relative L2 over batches, outputs and channels.
        fixed: Nodes of the dynamic export after set-input-shape.
        simple: Nodes of the static export after onnxsim.
    """

    model: str
    nodes: tuple[int, int]
    distances: dict[str, float] = field(default_factory=dict)
    fixed: int = 0
    simple: int = 0

    @property
    def good(self) -> bool:
        """Whether everything is as it has to be."""
        return all(value <= LIMIT for value in self.distances.values()) and self.fixed <= self.simple


def main(
    model: Annotated[list[str] | None, typer.Option(help="Only these models.")] = None,
    side: Annotated[list[str] | None, typer.Option(help="Only these sizes, HEIGHTxWIDTH.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help="Only these batches.")] = None,
    imgsz: Annotated[int, typer.Option(help="Size that the static models are exported at.")] = 640,
    exports: Annotated[Path | None, typer.Option(help="Folder to keep the exports in.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the tables."""
    sides = tuple(side or SIDES)
    with tempfile.TemporaryDirectory() as scratch:
        folder = exports or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = [_row(name, folder, imgsz, sides, tuple(batch or BATCHES)) for name in model or MODELS]
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        _show(rows, sides, imgsz)
    raise typer.Exit(0 if all(row.good for row in rows) else 1)


def _export(folder: Path, name: str, **options: Any) -> Model:
    path = folder / f"{name}-{'dynamic' if options.get('dynamic') else 'static'}.onnx"
    if not path.exists():
        export_untrained(path, name, **options)
    return Model.load(path)


def _passed(model: Model, text: str, verify: bool = True) -> Model:
    return run_pipeline(parse_pipeline(text, "benchmark"), model, Settings(verify=verify)).model


def _row(name: str, folder: Path, imgsz: int, sides: tuple[str, ...], batches: tuple[int, ...]) -> Row:
    static, native = _export(folder, name, imgsz=imgsz), _export(folder, name, imgsz=imgsz, dynamic=True)
    mine = _passed(static, _DYNAMIC)
    row = Row(name, (mine.node_count, native.node_count))
    sessions = [_session(item) for item in (native, mine)]
    for side in sides:
        height, width = (int(part) for part in side.split("x"))
        row.distances[side] = max(_distances(sessions, height, width, batches))
    row.fixed = _passed(native, _FIXED % (imgsz, imgsz)).node_count
    row.simple = _passed(static, _SIMPLE, verify=False).node_count
    return row


def _session(model: Model) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 2
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(model.proto().SerializeToString(), options, ["CPUExecutionProvider"])


def _distances(sessions: list[Any], height: int, width: int, batches: tuple[int, ...]) -> Iterator[float]:
    for batch in batches:
        picture = np.random.default_rng([batch, height, width]).random((batch, 3, height, width), np.float32)
        native, mine = (session.run(None, {"images": picture}) for session in sessions)
        for index, (one, other) in enumerate(zip(native, mine, strict=True)):
            found = compare(str(index), "other", "random", one, other)
            yield np.inf if found.problem is not None else found.relative_l2


def _show(rows: list[Row], sides: tuple[str, ...], imgsz: int) -> None:
    console = Console(width=140)
    console.print(f"Exported at {imgsz} × {imgsz}, made dynamic: largest relative L2 to the native dynamic export")
    table = Table("model", "nodes", "native", *sides)
    for row in rows:
        table.add_row(row.model, *map(str, row.nodes), *(f"{row.distances[side]:.1e}" for side in sides))
    console.print(table)
    console.print(f"Exported dynamic, fixed to 1 × 3 × {imgsz} × {imgsz}: nodes")
    table = Table("model", "set-input-shape", "static, onnxsim", "")
    for row in rows:
        table.add_row(row.model, str(row.fixed), str(row.simple), "✓" if row.fixed <= row.simple else "✗ more")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
