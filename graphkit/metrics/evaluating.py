"""evaluate: mean average precision of a detector on annotated pictures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from graphkit.detectors import Detector, Found, find_objects, framed
from graphkit.errors import UsageError
from graphkit.heads import NmsContract
from graphkit.images import read_image
from graphkit.metrics.dataset import Dataset, Sample, read_dataset
from graphkit.metrics.precision import ClassScores, Scores, average_precision

VALIDATION = NmsContract("multi-label", 0.001, 0.7, 300, candidates=30_000)
"""What ultralytics validates with."""


def evaluate(
    detector: Detector,
    data: Path,
    *,
    images: Path | None = None,
    contract: NmsContract = VALIDATION,
    size: int | tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Scores:
    """Mean average precision (boxes) of a detector.

    Every picture is letterboxed to the detector's size, as ultralytics' validator does without `rect`, at confidence
    0.001, IoU 0.7, 300 detections and multi-label, unless `contract` says otherwise.

    Args:
        detector: The detector; open it with `optimise=True` to be fast.
        data: As `read_dataset` takes it.
        images: Where the pictures of a COCO JSON are.
        contract: Thresholds and limits.
        size: Of a detector with dynamic size.
        progress: Called with the number of pictures that are done, and of all.

    Raises:
        UsageError: The dataset, a label or a picture cannot be read, its classes are not the detector's, or the
            detector finds rotated boxes; or hotcoco is not installed.
        NotRunnable: The detector cannot be run.
    """
    start = time.perf_counter()
    if detector.task == "obb":
        raise UsageError(f"{detector.path} finds rotated boxes, which COCO's metric does not know.")
    dataset = read_dataset(data, images)
    columns = _columns(detector, dataset, data)
    height, width = detector.image_size(size)
    plain = replace(detector, prototypes=None)  # boxes are judged: no mask has to be scaled up
    truth: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": []}
    results: list[dict[str, Any]] = []
    for part in _batches(list(enumerate(dataset.samples, 1)), detector.batch):
        frames = []
        for number, sample in part:
            frames.append(framed(read_image(sample.path), height, width))
            _annotate(truth, number, sample, frames[-1].size)
        for (number, _), found in zip(part, find_objects(plain, frames, contract), strict=True):
            results += _results(number, found, columns)
        if progress is not None:
            progress(part[-1][0], len(dataset.samples))
    labels = sorted({item["category_id"] for item in (*truth["annotations"], *results)})
    truth["categories"] = [{"id": label, "name": dataset.names.get(label, str(label))} for label in labels]
    made = average_precision(truth, results, contract.max_detections)
    own = {label: dataset.names.get(label, detector.name_of(label)) for label in made.classes}
    return Scores(
        map50_95=_mean(made.interpolated),
        map50=_mean(made.interpolated[:, 0]),
        coco_map50_95=_mean(made.coco),
        coco_map50=_mean(made.coco[:, 0]),
        per_class={
            label: ClassScores(own[label], float(row.mean()), float(row[0]), objects)
            for label, row, objects in zip(made.classes, made.interpolated, made.objects, strict=True)
        },
        images=len(dataset.samples),
        objects=sum(made.objects),
        detections=len(results),
        seconds=time.perf_counter() - start,
        note=_note(detector),
    )


def _batches(items: list[Any], size: int) -> list[list[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _mean(values: Any) -> float:
    return float(np.mean(values)) if np.size(values) else 0.0


def _note(detector: Detector) -> str:
    if not detector.nms_inside or detector.head is not None:
        return ""
    return "NMS is inside the model: what its own thresholds leave out is missing, and lowers the figures"


def _columns(detector: Detector, dataset: Dataset, data: Path) -> dict[int, int]:
    """The detector's class index -> the dataset's: by name where both have the same names in another order."""
    if not dataset.names or not detector.names:
        return {}
    ours, theirs = dict(detector.names), dict(dataset.names)
    if sorted(ours.values()) == sorted(theirs.values()) and len(set(ours.values())) == len(ours):
        places = {name: index for index, name in theirs.items()}
        return {index: places[name] for index, name in ours.items()}
    if len(ours) != len(theirs):
        raise UsageError(
            f"{detector.path} knows {len(ours)} classes and {data} {len(theirs)}; give the dataset it was trained for."
        )
    return {}


def _annotate(truth: dict[str, list[dict[str, Any]]], number: int, sample: Sample, size: tuple[int, int]) -> None:
    height, width = size
    truth["images"].append({"id": number, "file_name": sample.path.name, "height": height, "width": width})
    scale = np.array([width, height, width, height], np.float64) if sample.normalised else np.ones(4)
    for box, label, crowd in zip(sample.boxes * scale, sample.classes, sample.crowd, strict=True):
        x1, y1, x2, y2 = box.tolist()
        truth["annotations"].append(
            {
                "id": len(truth["annotations"]) + 1,
                "image_id": number,
                "category_id": int(label),
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": int(crowd),
            }
        )


def _results(number: int, found: Found, columns: dict[int, int]) -> list[dict[str, Any]]:
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True)
    return [
        {
            "image_id": number,
            "category_id": columns.get(label, label),
            "score": score,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
        }
        for (x1, y1, x2, y2), score, label in rows
    ]
