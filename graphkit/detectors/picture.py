"""From pictures to what is on them: framed, run, decoded, and moved back into the picture."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from graphkit.detectors.detector import Detector
from graphkit.heads import NmsContract
from graphkit.images import boxes_to_picture, letterbox, masks_to_picture, points_to_picture
from graphkit.verify import Detections

_NO_LIMIT = 1_000_000


@dataclass(frozen=True)
class Frame:
    """A letterboxed picture.

    Attributes:
        values: float32 [3, H, W], RGB, 0..1.
        ratio: Pixels of the frame a pixel of the picture.
        padding: Left and top, pixels of the frame.
        size: Height and width of the picture, pixels.
    """

    values: NDArray[np.float32]
    ratio: float
    padding: tuple[int, int]
    size: tuple[int, int]


@dataclass(frozen=True)
class Found:
    """What is on one picture, best first, in pixels of the picture.

    Attributes:
        boxes: float32 [n, 4], corners, clipped to the picture; or [n, 5], cx cy w h and the angle in radians.
        scores: float32 [n].
        classes: int64 [n].
        masks: bool [n, height, width], or None where the task has none.
        keypoints: float32 [n, K, 2 or 3], or None.
        seconds: Spent on running the model and decoding, its part of the batch.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]
    masks: NDArray[np.bool_] | None
    keypoints: NDArray[np.float32] | None
    seconds: float


def framed(image: Image.Image, height: int, width: int) -> Frame:
    """Letterbox a picture and remember how to come back."""
    values, ratio, padding = letterbox(image, height, width)
    return Frame(values, ratio, padding, (image.height, image.width))


def find_objects(
    detector: Detector, frames: Sequence[Frame], contract: NmsContract, classes: Collection[int] | None = None
) -> list[Found]:
    """What a detector finds in some frames of one size, run as one batch.

    Args:
        detector: The detector.
        frames: As many as its batch takes; of a fixed batch, or fewer.
        contract: Thresholds and limits.
        classes: Only these are kept; they alone count for `contract.max_detections`. What a detection of another class
            suppresses stays suppressed.

    Raises:
        NotRunnable: The model cannot be run on them.
    """
    start = time.perf_counter()
    outputs = detector.run(detector.feed([frame.values for frame in frames]))
    found = _detections(detector, outputs, contract, classes)[: len(frames)]
    seconds = (time.perf_counter() - start) / len(frames)
    prototypes = outputs[detector.prototypes] if detector.prototypes is not None else None
    return [
        _back(detector, one, frame, None if prototypes is None else prototypes[image], seconds)
        for image, (one, frame) in enumerate(zip(found, frames, strict=True))
    ]


def _detections(
    detector: Detector, outputs: dict[str, NDArray[Any]], contract: NmsContract, classes: Collection[int] | None
) -> list[Detections]:
    if classes is None:
        return detector.detections(outputs, contract)
    whole = detector.detections(outputs, replace(contract, max_detections=_NO_LIMIT))
    kept = []
    for one in whole:
        rows = np.flatnonzero(np.isin(one.classes, list(classes)))[: contract.max_detections]
        extras = {kind: extra[rows] for kind, extra in one.extras.items()}
        kept.append(Detections(one.boxes[rows], one.scores[rows], one.classes[rows], extras))
    return kept


def _back(
    detector: Detector, found: Detections, frame: Frame, prototypes: NDArray[np.float32] | None, seconds: float
) -> Found:
    boxes = boxes_to_picture(found.boxes, frame.ratio, frame.padding, frame.size)
    points = found.extras.get("keypoints")
    keypoints = None
    if points is not None:
        values = detector.keypoint_values
        folded = points.reshape(len(points), points.shape[1] // values, values)
        keypoints = points_to_picture(folded, frame.ratio, frame.padding)
    masks = None
    if "masks" in found.extras and prototypes is not None:
        logits = np.einsum("ne,ehw->nhw", found.extras["masks"], prototypes.astype(np.float32))
        height, width = frame.values.shape[1:]
        masks = masks_to_picture(logits, boxes, (height, width), frame.ratio, frame.padding, frame.size)
    return Found(boxes, found.scores, found.classes, masks, keypoints, seconds)
