"""The outputs of a model with suppression inside: are they what they promise, and what do they say?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import DetectionOutputs, NmsContract, RawDetections
from graphkit.verify.references.detections import Detections

Values = Mapping[str, NDArray[Any]]


def broken_promise(
    values: Values, relation: DetectionOutputs, contract: NmsContract, raw: RawDetections, half: bool = False
) -> str | None:
    """Say in one sentence what is wrong with the form of the outputs, or None.

    Layout "four": num_dets int32 [B, 1], 0..K; boxes float32 [B, K, 4], or [B, K, 5] rotated where the angle is no
    output of its own; scores float32 [B, K], best first; classes int32 [B, K]; extras float32 [B, K, E]. Padding means
    nothing, but its scores must not be over the threshold: many programs look at nothing else. Layout "ultralytics":
    float32 [B, K, 6 + E], best first, padding rows all zero, classes whole numbers.

    Args:
        values: Output name -> value.
        relation: Names and layout.
        contract: For K and the threshold.
        raw: For the batch size and the widths of the extras.
        half: float16 will do for float32.
    """
    batch, rows = len(raw.boxes), contract.max_detections
    wanted = _shapes(relation, contract, raw, batch)
    for meaning, (name, shape) in wanted.items():
        value = values.get(name)
        if value is None:
            return f'the output "{name}" ({meaning}) is missing'
        integer = meaning in ("num_dets", "classes")
        types = ["int32"] if integer else ["float32", "float16"] if half else ["float32"]
        if value.dtype.name not in types:
            return f'the output "{name}" is {value.dtype.name} and must be {types[0]}'
        if value.shape != shape:
            return f'the output "{name}" has the shape {list(value.shape)} and must have {list(shape)}'
    if relation.layout == "ultralytics":
        return _broken_table(values[relation.outputs[0]], relation.outputs[0])
    num, scores = values[relation.outputs[0]], values[relation.outputs[2]]
    for image, count in enumerate(num[:, 0].tolist()):
        if not 0 <= count <= rows:
            return f'"{relation.outputs[0]}" is {count} for image {image} and must be in 0..{rows}'
        with np.errstate(invalid="ignore"):
            if (np.diff(scores[image, :count].astype(np.float64)) > 0).any():
                return f'"{relation.outputs[2]}" of image {image} is not in descending order'
        padding = scores[image, count:]
        if not (padding <= contract.confidence).all():
            wrong = float(padding[~(padding <= contract.confidence)][0])
            return (
                f'"{relation.outputs[2]}" of image {image} holds {wrong:.4g} in a padding row: readers take it for a '
                "detection"
            )
    return None


def read(values: Values, relation: DetectionOutputs, contract: NmsContract, raw: RawDetections) -> list[Detections]:
    """The detections of each image; the outputs must have kept their promise."""
    if relation.layout == "ultralytics":
        return [_read_table(rows, contract, raw) for rows in values[relation.outputs[0]]]
    num, boxes, scores, classes = (values[name] for name in relation.outputs)
    found = []
    for image, count in enumerate(num[:, 0].tolist()):
        extras = {kind: values[name][image, :count].astype(np.float32) for kind, name in relation.extras.items()}
        own = boxes[image, :count].astype(np.float32)
        if contract.rotated and own.shape[-1] == 4:
            own = np.concatenate([own, extras.pop("angle")], axis=-1)
        row = scores[image, :count].astype(np.float32)
        found.append(Detections(own, row, classes[image, :count].astype(np.int64), extras))
    return found


def _shapes(
    relation: DetectionOutputs, contract: NmsContract, raw: RawDetections, batch: int
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Meaning -> name and shape of each output."""
    rows = contract.max_detections
    widths = {kind: extra.shape[-1] for kind, extra in raw.extras.items()}
    if relation.layout == "ultralytics":
        width = 6 + sum(widths.values()) + contract.rotated
        return {"detections": (relation.outputs[0], (batch, rows, width))}
    num, boxes, scores, classes = relation.outputs
    coordinates = 5 if contract.rotated and "angle" not in relation.extras else 4
    shapes: dict[str, tuple[str, tuple[int, ...]]] = {
        "num_dets": (num, (batch, 1)),
        "boxes": (boxes, (batch, rows, coordinates)),
        "scores": (scores, (batch, rows)),
        "classes": (classes, (batch, rows)),
    }
    for kind, name in relation.extras.items():
        shapes[kind] = (name, (batch, rows, 1 if kind == "angle" else widths.get(kind, 0)))
    return shapes


def _broken_table(table: NDArray[Any], name: str) -> str | None:
    for image, rows in enumerate(table):
        count = _filled(rows)
        with np.errstate(invalid="ignore"):
            if (np.diff(rows[:count, 4].astype(np.float64)) > 0).any():
                return f'"{name}" of image {image} is not in descending order of scores'
        if rows[count:].any():
            return f'"{name}" of image {image} holds values in a padding row, which must be zero'
        if (rows[:count, 5] != np.floor(rows[:count, 5])).any():
            return f'"{name}" of image {image} holds a class that is no whole number'
    return None


def _filled(rows: NDArray[Any]) -> int:
    """How many rows come before the padding: a detection has a positive score."""
    empty = np.flatnonzero(~(rows[:, 4] > 0))
    return int(empty[0]) if len(empty) else len(rows)


def _read_table(rows: NDArray[Any], contract: NmsContract, raw: RawDetections) -> Detections:
    rows = rows[: _filled(rows)].astype(np.float32)
    boxes, scores, classes = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)
    extras, column = {}, 6
    for kind, extra in raw.extras.items():
        extras[kind] = rows[:, column : column + extra.shape[-1]]
        column += extra.shape[-1]
    if contract.rotated:
        boxes = np.concatenate([boxes, rows[:, column : column + 1]], axis=-1)
    return Detections(boxes, scores, classes, extras)
