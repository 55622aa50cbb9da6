"""Average precision: hotcoco matches and computes COCO's figures, how ultralytics interpolates is here."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import UsageError

INSTALL = "pip install 'onnx-graphkit[metrics]'"


@dataclass(frozen=True)
class ClassScores:
    """One class.

    Attributes:
        name: Its name.
        ap50_95: Average precision, mean over IoU 0.50:0.05:0.95, as ultralytics interpolates.
        ap50: The same at IoU 0.5.
        objects: Annotated objects.
    """

    name: str
    ap50_95: float
    ap50: float
    objects: int


@dataclass(frozen=True)
class Scores:
    """How good a detector is, in plain data.

    Attributes:
        map50_95: Mean over the annotated classes, as ultralytics' validator computes it: precision is interpolated
            between the recalls that were reached. This is the figure that ultralytics prints and publishes.
        map50: The same at IoU 0.5.
        coco_map50_95: As COCO defines it: precision is that of the next recall reached, at 101 recalls. Up to
            `max_detections` of an image count, where COCO's own server takes 100.
        coco_map50: The same at IoU 0.5.
        per_class: By class index; classes without an annotated object are left out.
        images: Pictures.
        objects: Annotated objects.
        detections: Detections that were judged.
        seconds: All of it: reading, running, decoding, matching.
        note: What limits the figures; "" where nothing does.
    """

    map50_95: float
    map50: float
    coco_map50_95: float
    coco_map50: float
    per_class: Mapping[int, ClassScores]
    images: int
    objects: int
    detections: int
    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Precision:
    """Average precision of every annotated class: [classes, 10 IoU thresholds] each, and which classes."""

    classes: tuple[int, ...]
    objects: tuple[int, ...]
    interpolated: NDArray[np.float64]
    coco: NDArray[np.float64]


def average_precision(truth: Mapping[str, Any], results: Sequence[dict[str, Any]], max_detections: int) -> Precision:
    """Match detections with annotations as COCO does, and compute average precision both ways.

    Args:
        truth: A COCO dataset: images, annotations, categories (their number is the class index).
        results: COCO results.
        max_detections: Of an image and a class that count.

    Raises:
        UsageError: hotcoco is not installed.
    """
    try:
        from hotcoco import COCO, COCOeval
    except ImportError as error:
        raise UsageError(
            f"mean average precision is computed by hotcoco, which is not installed: {INSTALL}."
        ) from error
    counted = _objects(truth)
    classes = tuple(sorted(counted))
    if not classes or not results:
        nothing = np.zeros((len(classes), 10))
        return Precision(classes, tuple(counted[c] for c in classes), nothing, nothing)
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = COCO(dict(truth))
        judge = COCOeval(dataset, dataset.load_res(list(results)), "bbox")
        judge.params.maxDets = [1, 10, max_detections]
        judge.evaluate()
        judge.accumulate()
    columns = list(judge.params.catIds)
    made = judge.eval
    assert made is not None
    table = np.asarray(made["precision"])[:, :, :, 0, -1]  # [IoU, recall, class] of all sizes
    coco = np.stack([table[:, :, columns.index(label)].mean(axis=1) for label in classes])
    matches = _matches(judge)
    interpolated = np.stack([_interpolated(*matches[label], counted[label]) for label in classes])
    return Precision(classes, tuple(counted[label] for label in classes), interpolated, coco)


def _objects(truth: Mapping[str, Any]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for item in truth["annotations"]:
        if not item["iscrowd"]:
            counted[item["category_id"]] = counted.get(item["category_id"], 0) + 1
    return counted


def _matches(judge: Any) -> dict[int, tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """For each class, at each of ten IoU thresholds, scores of its detections and whether they are right: [10, D] each.

    What lies on a crowd counts for nothing, so its score there is -inf.
    """
    scores: dict[int, list[Any]] = {label: [] for label in judge.params.catIds}
    right: dict[int, list[Any]] = {label: [] for label in judge.params.catIds}
    for item in judge.evalImgs:
        if item is None or tuple(item["aRng"]) != tuple(judge.params.areaRng[0]):
            continue
        label = item["category_id"]
        matched, ignored = np.asarray(item["dtMatched"], bool), np.asarray(item["dtIgnore"], bool)
        values = np.where(ignored, -np.inf, np.asarray(item["dtScores"], np.float64))
        scores[label].append(values)
        right[label].append(matched & ~ignored)
    return {
        label: (
            np.concatenate(scores[label], axis=-1) if scores[label] else np.zeros((10, 0)),
            np.concatenate(right[label], axis=-1) if right[label] else np.zeros((10, 0), bool),
        )
        for label in scores
    }


def _interpolated(scores: NDArray[np.float64], right: NDArray[np.bool_], objects: int) -> NDArray[np.float64]:
    """Average precision [10] of a class, the area under the precision envelope over 101 recalls.

    Between two recalls that were reached precision is interpolated linearly, from precision 1 at recall 0, and it is 0
    beyond the last one; the area is a sum of trapezoids (ultralytics' `compute_ap`). COCO takes the step above.
    """
    points = np.linspace(0, 1, 101)
    found = []
    for values, hits in zip(scores, right, strict=True):
        order = np.argsort(-values, kind="stable")
        hits = hits[order][np.isfinite(values[order])]
        true = np.cumsum(hits)
        recall = true / objects
        precision = true / np.arange(1, len(true) + 1)
        last = recall[-1] if len(recall) else 1.0
        reached = np.concatenate([[0.0], recall, [last, 1.0]])
        envelope = np.maximum.accumulate(np.concatenate([[1.0], precision, [0.0, 0.0]])[::-1])[::-1]
        found.append(float(np.trapezoid(np.interp(points, reached, envelope), points)))
    return np.array(found)
