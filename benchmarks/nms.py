"""What non-maximum suppression inside the model costs, against the raw export without any.

    python -m benchmarks.nms yolov8n.onnx [--image photo.jpg] [--weights yolov8n.pt]

Everything runs in one process: onnxruntime on the CPU, two threads, its default optimisation. Each round runs every
variant once, in an order that changes from round to round, so that a drifting machine slows all of them; a ratio is of
one round, and the medians of the ratios are printed with a 95 % bootstrap interval.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import onnxruntime
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.tidy import tidy
from graphkit.verify import letterbox

VARIANTS: dict[str, dict[str, Any]] = {
    "onnx, late": {},
    "onnx, plain": {"late": False},
    "onnx, multi-label, late": {"semantics": "multi-label"},
    "onnx, multi-label, late, 3000": {"semantics": "multi-label", "candidates": 3000},
    "matrix, late": {"backend": "matrix"},
    "matrix, plain": {"backend": "matrix", "late": False},
}


def picture(path: Path) -> NDArray[np.float32]:
    """An image as float32 [1, 3, 640, 640], 0..1, scaled to fit and padded with grey."""
    from PIL import Image

    return letterbox(Image.open(path), 640, 640)[0][None]


def nodes(model: Model) -> int:
    """Nodes that are no constants."""
    return sum(node.op_type != "Constant" for node in model.proto().graph.node)


def embedded(path: Path, **options: Any) -> tuple[Model, float]:
    """The model with NMS inside, tidied, and the seconds the pass took."""
    model = Model.load(path)
    _ = model.graph  # reading the file is not the pass's time
    start = time.perf_counter()
    EmbedNms(**options).run(model)
    seconds = time.perf_counter() - start
    tidy(model.graph)
    return model, seconds


def session(model: bytes | str, threads: int) -> onnxruntime.InferenceSession:
    """A session with onnxruntime's default optimisation."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def interval(ratios: list[float], seed: int = 0) -> tuple[float, float]:
    """A 95 % bootstrap interval of the median."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(np.asarray(ratios), (2000, len(ratios)))
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return float(low), float(high)


def runners(
    path: Path, fed: NDArray[np.float32], confidence: float, threads: int, exported: Path | None
) -> dict[str, tuple[Callable[[], Any], str]]:
    """Name -> what to time, and the nodes it has over the raw export."""
    raw_model = Model.load(path)
    tidy(raw_model.graph)
    base = nodes(raw_model)
    raw = session(str(path), threads)
    name = raw.get_inputs()[0].name
    found: dict[str, tuple[Callable[[], Any], str]] = {
        "raw export": (lambda: raw.run(None, {name: fed}), "0"),
    }
    for label, options in VARIANTS.items():
        model, _ = embedded(path, confidence=confidence, **options)
        mine = session(model.proto().SerializeToString(), threads)
        found[label] = (lambda mine=mine: mine.run(None, {name: fed}), f"{nodes(model) - base:+d}")  # type: ignore[misc]
    if exported is not None:
        theirs = session(str(exported), threads)
        size = nodes(Model.load(exported))
        found["ultralytics, nms=True"] = (
            lambda: theirs.run(None, {theirs.get_inputs()[0].name: fed}),
            f"{size - base:+d}",
        )
    try:
        import torch
        from ultralytics.utils.nms import non_max_suppression
    except ImportError:
        return found

    def postprocessed() -> Any:
        joined = raw.run(None, {name: fed})[0]
        return non_max_suppression(torch.from_numpy(joined), confidence, 0.7)

    found["raw + ultralytics' NMS"] = (postprocessed, "0")
    return found


def export_with_nms(weights: Path, confidence: float, folder: Path) -> Path:
    """Ultralytics' own export with NMS inside."""
    import shutil

    from ultralytics import YOLO

    copy = folder / f"theirs_{confidence}.pt"
    shutil.copy(weights, copy)
    return Path(
        YOLO(str(copy)).export(format="onnx", nms=True, conf=confidence, iou=0.7, simplify=False, verbose=False)
    )


def main(
    model: Annotated[Path, typer.Argument(help="A YOLOv8n export, without NMS.")],
    image: Annotated[Path | None, typer.Option(help="A photo; bus.jpg of ultralytics where left out.")] = None,
    weights: Annotated[Path | None, typer.Option(help="The .pt, for the row of ultralytics' own export.")] = None,
    large: Annotated[Path | None, typer.Option(help="A YOLOv8x export: the time of the pass on it.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only the rows whose name holds this; may be repeated.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=5)] = 60,
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Print a table for confidence 0.25 and one for 0.001."""
    if image is None:
        from ultralytics.utils import ASSETS

        image = ASSETS / "bus.jpg"
    fed = picture(image)
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        for confidence in (0.25, 0.001):
            exported = export_with_nms(weights, confidence, Path(folder)) if weights is not None else None
            variants = runners(model, fed, confidence, threads, exported)
            if only:
                variants = {
                    name: variant
                    for name, variant in variants.items()
                    if name == "raw export" or any(part in name for part in only)
                }
            times: dict[str, list[float]] = {name: [] for name in variants}
            rng = np.random.default_rng(0)
            for index in range(rounds + 5):
                for name in rng.permutation(list(variants)):
                    start = time.perf_counter()
                    variants[name][0]()
                    if index >= 5:
                        times[name].append(time.perf_counter() - start)
            table = Table("variant", "median ms", "ratio to the raw export", "95 %", "nodes", title=f"{confidence}")
            for name, taken in times.items():
                ratios = [mine / base for mine, base in zip(taken, times["raw export"], strict=True)]
                low, high = interval(ratios)
                table.add_row(
                    name,
                    f"{statistics.median(taken) * 1e3:.2f}",
                    f"{statistics.median(ratios):.3f}",
                    f"{low:.3f}..{high:.3f}",
                    variants[name][1],
                )
            console.print(table)
    for path in (model, *([large] if large is not None else [])):
        spent = statistics.median(embedded(path)[1] for _ in range(3))
        console.print(f"the pass itself on {path.name}: {spent:.2f} s")


if __name__ == "__main__":
    typer.run(main)
