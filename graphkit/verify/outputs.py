"""The four outputs of a model with suppression inside: are they what they promise, and what do they say?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import NmsContract
from graphkit.verify.references.detections import Detections


def broken_promise(
    values: Mapping[str, NDArray[Any]], names: Sequence[str], batch: int, contract: NmsContract, half: bool = False
) -> str | None:
    """Say in one sentence what is wrong with the form of the outputs, or None.

    num_dets int32 [B, 1], 0..K; boxes float32 [B, K, 4]; scores float32 [B, K], best first; classes int32 [B, K].
    Padding means nothing, but its scores must not be over the threshold: many programs look at nothing else.

    Args:
        values: Output name -> value.
        names: Of num_dets, boxes, scores, classes.
        batch: B.
        contract: For K and the threshold.
        half: Boxes and scores may be float16.
    """
    rows = contract.max_detections
    shapes = {"num_dets": (batch, 1), "boxes": (batch, rows, 4), "scores": (batch, rows), "classes": (batch, rows)}
    for (meaning, shape), name in zip(shapes.items(), names, strict=True):
        value = values.get(name)
        if value is None:
            return f'the output "{name}" ({meaning}) is missing'
        integer = meaning in ("num_dets", "classes")
        types = ["int32"] if integer else ["float32", "float16"] if half else ["float32"]
        if value.dtype.name not in types:
            return f'the output "{name}" is {value.dtype.name} and must be {types[0]}'
        if value.shape != shape:
            return f'the output "{name}" has the shape {list(value.shape)} and must have {list(shape)}'
    num, _, scores, _ = (values[name] for name in names)
    for image, count in enumerate(num[:, 0].tolist()):
        if not 0 <= count <= rows:
            return f'"{names[0]}" is {count} for image {image} and must be in 0..{rows}'
        with np.errstate(invalid="ignore"):
            if (np.diff(scores[image, :count].astype(np.float64)) > 0).any():
                return f'"{names[2]}" of image {image} is not in descending order'
        padding = scores[image, count:]
        if not (padding <= contract.confidence).all():
            wrong = float(padding[~(padding <= contract.confidence)][0])
            return f'"{names[2]}" of image {image} holds {wrong:.4g} in a padding row: readers take it for a detection'
    return None


def read(values: Mapping[str, NDArray[Any]], names: Sequence[str]) -> list[Detections]:
    """The detections of each image; the outputs must have kept their promise."""
    num, boxes, scores, classes = (values[name] for name in names)
    return [
        Detections(
            boxes[image, :count].astype(np.float32),
            scores[image, :count].astype(np.float32),
            classes[image, :count].astype(np.int64),
        )
        for image, count in enumerate(num[:, 0].tolist())
    ]
