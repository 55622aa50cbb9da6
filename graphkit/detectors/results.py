"""What was found as plain data: graphkit's own form, and COCO's results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graphkit.detectors.detector import Detector
from graphkit.detectors.picture import Found
from graphkit.detectors.pictures import Picture
from graphkit.errors import UsageError
from graphkit.images import corners_of, encode_mask


@dataclass(frozen=True)
class CocoIds:
    """COCO's numbers.

    Attributes:
        images: File name -> image id; empty where no annotation file was given.
        categories: Class index -> category id; those that are missing keep their index.
    """

    images: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[int, int] = field(default_factory=dict)


def picture_dict(detector: Detector, picture: Picture) -> dict[str, Any]:
    """A picture and its detections, best first.

    A detection has "class", "name", "score" and "box" [x1, y1, x2, y2] in pixels of the picture; of rotated boxes
    "rotated" [cx, cy, w, h, angle in radians] besides, "box" being the upright box around it; "mask" as COCO's
    run-length encoding, and "keypoints" [[x, y, visibility], …], where the model gives them.
    """
    if picture.found is None or picture.image is None:
        return {"path": str(picture.path), "problem": picture.problem}
    return {
        "path": str(picture.path),
        "width": picture.image.width,
        "height": picture.image.height,
        "milliseconds": round(picture.found.seconds * 1e3, 3),
        "detections": [_detection(detector, picture.found, index) for index in range(len(picture.found.scores))],
    }


def _detection(detector: Detector, found: Found, index: int) -> dict[str, Any]:
    label = int(found.classes[index])
    made: dict[str, Any] = {
        "class": label,
        "name": detector.name_of(label),
        "score": round(float(found.scores[index]), 6),
        "box": _numbers(_upright(found, index)),
    }
    if found.boxes.shape[1] == 5:
        made["rotated"] = [*_numbers(found.boxes[index][:4]), round(float(found.boxes[index][4]), 6)]
    if found.masks is not None:
        made["mask"] = encode_mask(found.masks[index])
    if found.keypoints is not None:
        made["keypoints"] = [_numbers(point) for point in found.keypoints[index]]
    return made


def coco_results(picture: Picture, ids: CocoIds) -> list[dict[str, Any]]:
    """What was found on a picture, as COCO's evaluators read it.

    Each has image_id, category_id, bbox [x, y, w, h] and score; and segmentation (a mask, or the four corners of a
    rotated box) and keypoints where the model gives them.

    An image's id is that of the annotation file; without one the number that is its file name, else the name itself
    without its suffix. A category's id is that of the annotation file, else the class index.

    Raises:
        UsageError: The picture is not in the annotation file.
    """
    if picture.found is None:
        return []
    found, image_id, made = picture.found, _image_id(picture.path, ids), []
    for index in range(len(found.scores)):
        x1, y1, x2, y2 = _upright(found, index).tolist()
        label = int(found.classes[index])
        row: dict[str, Any] = {
            "image_id": image_id,
            "category_id": ids.categories.get(label, label),
            "bbox": _numbers((x1, y1, x2 - x1, y2 - y1)),
            "score": round(float(found.scores[index]), 6),
        }
        if found.boxes.shape[1] == 5:
            row["segmentation"] = [_numbers(corners_of(found.boxes[index]).ravel())]
        if found.masks is not None:
            row["segmentation"] = encode_mask(found.masks[index])
        if found.keypoints is not None:
            points = [(x, y, *(seen or [1.0])) for x, y, *seen in found.keypoints[index].tolist()]
            row["keypoints"] = [value for point in points for value in _numbers(point)]
        made.append(row)
    return made


def check_ids(paths: Iterable[Path], ids: CocoIds) -> None:
    """Say now, and not after an hour, that a picture has no number or shares its own with another.

    Raises:
        UsageError: See above.
    """
    seen: dict[int | str, Path] = {}
    for path in paths:
        number = _image_id(path, ids)
        if number in seen:
            raise UsageError(f"{seen[number]} and {path} would both be image {number} of the COCO results; rename one.")
        seen[number] = path


def coco_ids(path: Path, detector: Detector) -> CocoIds:
    """Image and category numbers of an annotation file; categories by name, or by order where names differ.

    Raises:
        UsageError: It cannot be read, or has another number of classes than the detector and other names.
    """
    if not path.is_file():
        raise UsageError(f"{path} is no file; name COCO annotations, which have images and categories.")
    try:
        content = json.loads(path.read_bytes())
        images = {Path(str(item["file_name"])).name: item["id"] for item in content["images"]}
        categories = {str(item["name"]): int(item["id"]) for item in content["categories"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no COCO annotation file ({type(error).__name__}: {error}); it needs images and categories."
        ) from error
    if set(detector.names.values()) <= set(categories):
        return CocoIds(images, {index: categories[name] for index, name in detector.names.items()})
    if len(categories) != len(detector.names):
        raise UsageError(
            f"{path} has {len(categories)} categories and {detector.path} {len(detector.names)} classes of other "
            "names; give the annotations that belong to it."
        )
    return CocoIds(images, dict(enumerate(sorted(categories.values()))))


def _image_id(path: Path, ids: CocoIds) -> int | str:
    if ids.images:
        if path.name not in ids.images:
            raise UsageError(f"{path} is not among the images of the annotation file; leave it out.")
        return ids.images[path.name]
    return int(path.stem) if path.stem.isascii() and path.stem.isdigit() else path.stem


def _upright(found: Found, index: int) -> Any:
    if found.boxes.shape[1] == 4:
        return found.boxes[index]
    corners = corners_of(found.boxes[index])
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])


def _numbers(values: Iterable[float]) -> list[float]:
    """Hundredths of a pixel; JSON has no NaN and no infinity, so these become 0."""
    return [round(float(value), 2) if np.isfinite(value) else 0.0 for value in values]
