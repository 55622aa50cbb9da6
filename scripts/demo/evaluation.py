"""Run the exported detector and measure it: the plainest decoding there is, scored by Ultralytics' own metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import torch
import torchvision
from numpy.typing import NDArray
from PIL import Image

from scripts.demo.pictures import Label

SIZE = 320
GREY = (114, 114, 114)  # what Ultralytics fills the rest of the square with, in training too


@dataclass(frozen=True)
class Detections:
    """What was found on one picture, best first.

    Attributes:
        boxes: float32 [K,4], x1, y1, x2, y2 in pixels of the picture as it was given.
        scores: float32 [K], 0 to 1.
        classes: int64 [K].
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]


def to_tensor(boxes: Any) -> torch.Tensor:
    """Boxes as a float32 tensor [K,4], also when there are none."""
    return torch.as_tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def session(model: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX file's content on the CPU."""
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def letterbox(image: Image.Image) -> tuple[NDArray[np.float32], float, int, int]:
    """Fit an RGB picture into the square: float32 [1,3,320,320] in 0 to 1, the scale, and the margins left and top."""
    scale = SIZE / max(image.size)
    width, height = round(image.width * scale), round(image.height * scale)
    left, top = (SIZE - width) // 2, (SIZE - height) // 2
    square = Image.new("RGB", (SIZE, SIZE), GREY)
    resized = image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BILINEAR)
    square.paste(resized, (left, top))
    return np.asarray(square, np.float32).transpose(2, 0, 1)[None] / np.float32(255), scale, left, top


def detect(
    model: onnxruntime.InferenceSession, image: Image.Image, confidence: float = 0.25, iou: float = 0.7
) -> Detections:
    """Decode the raw output [1,84,2100], centre-size boxes in pixels and 80 scores each: best class, then NMS."""
    pixels, scale, left, top = letterbox(image)
    (raw,) = model.run(None, {"images": pixels})
    columns = torch.from_numpy(raw[0])
    centre, size = columns[0:2].T, columns[2:4].T
    scores, classes = columns[4:].max(0)
    boxes = torch.cat([centre - size / 2, centre + size / 2], 1)
    likely = scores > confidence
    boxes, scores, classes = boxes[likely], scores[likely], classes[likely]
    kept = torchvision.ops.batched_nms(boxes, scores, classes, iou)[:300]
    boxes = (boxes[kept] - torch.tensor([left, top, left, top])) / scale
    return Detections(boxes.numpy(), scores[kept].numpy(), classes[kept].numpy())


def mean_average_precision(
    model: onnxruntime.InferenceSession, pictures: Iterable[tuple[Image.Image, list[Label]]]
) -> tuple[float, float]:
    """MAP50 and mAP50-95 over all classes that occur on the pictures."""
    from ultralytics.engine.validator import BaseValidator
    from ultralytics.utils.metrics import ap_per_class, box_iou

    # Matching is a method there that needs nothing of its object but the ten IoU thresholds.
    thresholds: Any = SimpleNamespace(iouv=torch.linspace(0.5, 0.95, 10))
    correct, scores, classes, truth = [], [], [], []
    for image, labels in pictures:
        found = detect(model, image, confidence=0.001)
        wanted = torch.tensor([label.class_id for label in labels])
        overlap = box_iou(to_tensor([label.box for label in labels]), to_tensor(found.boxes))
        matches = BaseValidator.match_predictions(thresholds, torch.from_numpy(found.classes), wanted, overlap)
        correct.append(matches.numpy())
        scores.append(found.scores)
        classes.append(found.classes)
        truth.append(wanted.numpy())
    results = ap_per_class(*(np.concatenate(part) for part in (correct, scores, classes, truth)))
    precision = np.asarray(results[5])  # [classes, thresholds]
    return float(precision[:, 0].mean()), float(precision.mean())
