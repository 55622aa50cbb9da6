"""mAP of a model with NMS inside, measured by ultralytics' own validator, beside the raw export's.

    python -m benchmarks.validate ../shared/data/yolov8n-coco-640.onnx --data ../shared/data/coco-val128 \
        --weights ../shared/data/yolov8n-coco.pt

The model with NMS inside is the file that graphkit writes with `layout: ultralytics`; ultralytics loads it as it is.
Confidence 0.001, IoU 0.7, 300 detections, as ultralytics validates. With --weights, ultralytics' own `nms=True` export
of the same weights is a row too. Times are those of the whole validation, loading and metrics included. Then the
detections of the EfficientNMS_TRT reference are held against those of the onnx backend, image by image, and every
disagreement is listed with its reason. Nothing is downloaded, and nothing is written outside a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from graphkit.heads import NmsContract
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.verify import Detections, Feed, letterbox, run_model

CONFIDENCE, IOU, ROWS = 0.001, 0.7, 300
SEMANTICS = ("multi-label", "best-class")
CANDIDATES = {"onnx": 3000, "matrix": 1536}
"""At confidence 0.001 more pairs pass than embed-nms's defaults let in, and mAP counts the worst of them too."""
_COCO = 80


@dataclass(frozen=True)
class Scores:
    """One validation."""

    name: str
    map50_95: float
    map50: float
    seconds: float


@dataclass(frozen=True)
class Disagreement:
    """A detection that one backend has and the other has not."""

    image: str
    backend: str
    score: float
    label: int
    reason: str


def validate(path: Path, data: Path, name: str = "") -> Scores:
    """ultralytics' validator on one file, with the settings its `val` command has, batch 1."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["YOLO_OFFLINE"] = "true"
    from ultralytics import YOLO
    from ultralytics.utils import LOGGER

    LOGGER.setLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        dataset = _dataset(data, Path(folder))
        start = time.perf_counter()
        metrics = YOLO(str(path), task="detect").val(
            data=str(dataset),
            imgsz=640,
            conf=CONFIDENCE,
            iou=IOU,
            max_det=ROWS,
            rect=False,
            plots=False,
            batch=1,
            workers=0,
            verbose=False,
            project=folder,
            name="val",
        )
        return Scores(name or path.name, metrics.box.map, metrics.box.map50, time.perf_counter() - start)


def embed(source: Path, target: Path, **options: Any) -> Path:
    """Write the model with NMS inside."""
    model = Model.load(source)
    given = {"confidence": CONFIDENCE, "iou": IOU, "max-detections": ROWS, **options}
    result = EmbedNms.model_validate(given).run(model)
    model.set_metadata(result.metadata)
    model.save(target)
    return target


def ultralytics_nms(weights: Path, folder: Path) -> Path:
    """ultralytics' own `nms=True` export of some weights."""
    os.environ["YOLO_AUTOINSTALL"] = "false"
    from ultralytics import YOLO
    from ultralytics.utils import LOGGER

    LOGGER.setLevel("ERROR")
    copy = folder / "own-nms.pt"  # the exporter writes beside the weights
    shutil.copyfile(weights, copy)
    return Path(YOLO(copy).export(format="onnx", imgsz=640, nms=True, simplify=False, verbose=False))


def disagreements(
    source: Path, images: list[Path], semantics: str = "multi-label"
) -> tuple[int, list[Disagreement], float]:
    """Detections of the EfficientNMS_TRT reference against those of the onnx backend.

    Returns:
        Detections that both have; the others; and the lowest IoU of a pair (1 where the boxes are the same).
    """
    from graphkit.verify.detections import agree

    with tempfile.TemporaryDirectory() as folder:
        models = {
            backend: Model.load(
                embed(source, Path(folder) / f"{backend}.onnx", backend=backend, semantics=semantics, late=False)
            )
            for backend in ("onnx", "efficientnms")
        }
        same, lowest, found = 0, 1.0, list[Disagreement]()
        for start in range(0, len(images), 16):
            part = images[start : start + 16]
            feeds = [Feed(path.name, {"images": _frame(path)}) for path in part]
            answers = {backend: run_model(model, feeds) for backend, model in models.items()}
            for path, one, two in zip(part, answers["onnx"], answers["efficientnms"], strict=True):
                left, right = _detections(one), _detections(two)
                contract = NmsContract(semantics, CONFIDENCE, IOU, ROWS)  # type: ignore[arg-type]
                result = agree(left, right, contract, path.name)
                same, lowest = same + result.compared, min(lowest, result.min_iou)
                found += _explained(path.name, left, right)
        return same, found, lowest


def _explained(image: str, onnx_side: Detections, plugin_side: Detections) -> list[Disagreement]:
    """What only one side has, and why."""
    found = []
    sides = {"onnx": (onnx_side, plugin_side), "efficientnms": (plugin_side, onnx_side)}
    for backend, (own, other) in sides.items():
        for index in range(len(own)):
            score, label = float(own.scores[index]), int(own.classes[index])
            near = (other.classes == label) & (np.abs(other.scores - score) <= 1e-6)
            if (np.abs(other.boxes[near] - own.boxes[index]).max(axis=-1, initial=0) <= 1e-2).any():
                continue
            if abs(score - CONFIDENCE) <= 1e-7:
                reason = "its score is the threshold: EfficientNMS_TRT keeps >=, the onnx backend >"
            elif len(other) == ROWS and score <= float(other.scores.min()):
                tied = score == float(other.scores.min())
                reason = "tied at the last of 300 rows" if tied else "behind the last of 300 rows"
            else:
                reason = _suppressor(own, other, index)
            found.append(Disagreement(image, backend, score, label, reason))
    return found


def _suppressor(own: Detections, other: Detections, index: int) -> str:
    from graphkit.verify.references.iou import iou

    rivals = other.classes == own.classes[index]
    overlap = iou(other.boxes[rivals], own.boxes[index])
    near = overlap[np.abs(overlap - IOU) <= 1e-6]
    if len(near):
        return f"an overlap of {float(near[0]):.8f} at IoU {IOU}: EfficientNMS_TRT suppresses >=, the onnx backend >"
    tied = np.abs(other.scores[rivals] - own.scores[index]) == 0
    if (overlap[tied] > IOU).any():
        return "tied with a box that overlaps it: either may be the better"
    return "UNEXPLAINED"


def _detections(values: dict[str, NDArray[Any]]) -> Detections:
    count = int(values["num_dets"][0, 0])
    return Detections(
        values["boxes"][0, :count], values["scores"][0, :count], values["classes"][0, :count].astype(np.int64)
    )


def _frame(path: Path) -> NDArray[np.float32]:
    from PIL import Image

    with Image.open(path) as image:
        return letterbox(image, 640, 640)[0][None]


def _dataset(data: Path, folder: Path) -> Path:
    """A dataset file in a folder of our own, because the validator writes its label cache beside the labels."""
    data = data.resolve()
    root = folder / "data"
    for part in ("images", "labels"):
        found = next(path for path in [data / part, *sorted((data / part).rglob("*"))] if path.is_dir())
        (root / part).mkdir(parents=True)
        for file in sorted(found.rglob("*")):
            if file.is_file() and file.suffix != ".cache":
                (root / part / file.name).symlink_to(file)
    names = "".join(f"  {index}: class{index}\n" for index in range(_COCO))
    dataset = folder / "data.yaml"
    dataset.write_text(f"path: {root}\ntrain: images\nval: images\nnames:\n{names}")
    return dataset


def main(
    model: Annotated[Path, typer.Argument(help="A COCO-80 YOLO export, 640 x 640, without NMS.")],
    data: Annotated[Path, typer.Option(help="Folder with images/ and labels/ in YOLO format.")],
    weights: Annotated[Path | None, typer.Option(help="The .pt, for ultralytics' own nms=True export.")] = None,
    candidates: Annotated[int | None, typer.Option(help="For both backends; 0 is embed-nms's default.")] = None,
    compare: Annotated[bool, typer.Option(help="Hold EfficientNMS_TRT against the onnx backend too.")] = True,
) -> None:
    """Print the tables."""
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files = {"raw export, ultralytics' NMS": model}
        for backend in ("onnx", "matrix"):
            for semantics in SEMANTICS:
                target = folder / f"{backend}-{semantics}.onnx"
                options: dict[str, Any] = {"backend": backend, "semantics": semantics, "layout": "ultralytics"}
                limit = CANDIDATES[backend] if candidates is None else candidates
                if limit:
                    options["candidates"] = limit
                name = f"NMS inside: {backend}, {semantics}, candidates {limit or 'by default'}"
                files[name] = embed(model, target, **options)
        if weights is not None:
            files["ultralytics' own nms=True"] = ultralytics_nms(weights, folder)
        rows = [validate(path, data, name) for name, path in files.items()]
    table = Table("model", "mAP50-95", "difference", "mAP50", "whole validation, s")
    for row in rows:
        difference = f"{row.map50_95 - rows[0].map50_95:+.5f}" if row is not rows[0] else ""
        table.add_row(row.name, f"{row.map50_95:.5f}", difference, f"{row.map50:.5f}", f"{row.seconds:.1f}")
    console.print(table)
    if compare:
        images = sorted(path for path in data.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
        for semantics in SEMANTICS:
            same, found, lowest = disagreements(model, images, semantics)
            console.print(
                f"EfficientNMS_TRT (reference) and the onnx backend, {semantics}, {len(images)} images: {same} "
                f"detections agree (IoU at least {lowest:.6f}), {len(found)} do not"
            )
            for item in found:
                console.print(f"  {item.image} {item.backend}: class {item.label} at {item.score:.7f}: {item.reason}")


if __name__ == "__main__":
    typer.run(main)
