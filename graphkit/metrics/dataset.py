"""Annotated pictures on disk: ultralytics' YAML or its folders of images and labels, and COCO's JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.errors import UsageError
from graphkit.images import SUFFIXES, find_images


@dataclass(frozen=True)
class Sample:
    """One picture and the objects on it.

    Attributes:
        path: The picture.
        boxes: float64 [n, 4], corners x1 y1 x2 y2; of a picture 1 wide and 1 high where `normalised`, else in pixels.
        classes: int64 [n].
        crowd: bool [n]: several objects in one box, which counts neither for nor against.
        normalised: See `boxes`.
        image_id: COCO's number; None where there is none.
    """

    path: Path
    boxes: NDArray[np.float64]
    classes: NDArray[np.int64]
    crowd: NDArray[np.bool_]
    normalised: bool
    image_id: int | None = None


@dataclass(frozen=True)
class Dataset:
    """Annotated pictures.

    Attributes:
        samples: The pictures, by name.
        names: Class names by index, as far as they are told.
        categories: COCO's number of each class index; empty where the annotations are not COCO's.
    """

    samples: tuple[Sample, ...]
    names: Mapping[int, str]
    categories: Mapping[int, int]


def read_dataset(data: Path, images: Path | None = None, split: str = "val") -> Dataset:
    """Read annotations.

    Args:
        data: A YAML as ultralytics has it (path, val, names); a folder with images/ and labels/ in it; or COCO's
            instances JSON.
        images: Where the pictures of a COCO JSON are; by default looked for beside it.
        split: Which pictures of a YAML.

    Raises:
        UsageError: It is not there, is none of these, names no picture, or a label is wrong; says which and where.
    """
    if data.is_dir():
        return _from_folder(data)
    if not data.is_file():
        raise UsageError(
            f"{data} does not exist; name a dataset YAML, a folder with images and labels, or a COCO JSON."
        )
    if data.suffix.lower() == ".json":
        return read_coco(data, images)
    return _from_yaml(data, split)


def read_coco(path: Path, images: Path | None = None) -> Dataset:
    """COCO's instances JSON; classes are its categories, by ascending number."""
    try:
        content = json.loads(path.read_bytes())
        categories = {item["id"]: str(item["name"]) for item in content["categories"]}
        order = {number: index for index, number in enumerate(sorted(categories))}
        by_image: dict[int, list[Any]] = {item["id"]: [] for item in content["images"]}
        for item in content["annotations"]:
            x, y, width, height = map(float, item["bbox"])
            row = (x, y, x + width, y + height, order[item["category_id"]], bool(item.get("iscrowd", 0)))
            by_image[item["image_id"]].append(row)
        files = {item["id"]: str(item["file_name"]) for item in content["images"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"{path} is no COCO annotation file ({type(error).__name__}: {error}); it needs images, annotations with "
            "bbox, and categories."
        ) from error
    if not files:
        raise UsageError(f"{path} lists no images.")
    folder = images or _image_folder(path, next(iter(files.values())))
    samples = tuple(
        _sample(folder / name, by_image[number], normalised=False, image_id=number)
        for number, name in sorted(files.items(), key=lambda item: item[1])
    )
    return Dataset(samples, {index: categories[n] for n, index in order.items()}, {i: n for n, i in order.items()})


def _image_folder(path: Path, first: str) -> Path:
    """COCO keeps annotations/instances_val2017.json beside val2017/; others images/ beside it, or all in one folder."""
    split = path.stem.rpartition("_")[2]
    for base in (path.parent, path.parent.parent):
        for folder in (base, base / "images", base / split, base / "images" / split):
            if (folder / first).is_file():
                return folder
    raise UsageError(f"the pictures of {path} ({first} and others) are not beside it; say where they are.")


def _from_folder(folder: Path) -> Dataset:
    roots = [folder / "images", folder / "images" / "val", folder / "images" / "val2017", folder]
    for root in roots:
        if root.is_dir():
            paths = sorted(path for path in root.iterdir() if path.suffix.lower() in SUFFIXES)
            if any(_label_file(path).is_file() for path in paths):
                return Dataset(tuple(_labelled(path, None) for path in paths), {}, {})
    raise UsageError(
        f"{folder} holds no annotated pictures: it needs images/ and labels/ with a .txt for each "
        "(class cx cy w h, 0..1)."
    )


def _from_yaml(path: Path, split: str) -> Dataset:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        first = " ".join(str(error).split())[:200]
        raise UsageError(f"{path} cannot be read as a dataset YAML: {first}.") from error
    if not isinstance(content, dict) or not content.get(split):
        raise UsageError(f'{path} is no dataset YAML: it needs "{split}", and names.')
    base = Path(str(content.get("path") or "."))
    base = base if base.is_absolute() else path.parent / base
    places = content[split] if isinstance(content[split], list) else [content[split]]
    paths = [found for place in places for found in _pictures(path, base, base / str(place))]
    width = 5 if content.get("kpt_shape") else None  # keypoints stand behind the box
    names = content.get("names") or {}
    told = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(told, dict) or not all(isinstance(index, int) for index in told):
        raise UsageError(f"{path}: names must be a list, or numbers with names (0: person).")
    samples = tuple(_labelled(picture, width) for picture in dict.fromkeys(paths))
    return Dataset(samples, {index: str(name) for index, name in told.items()}, {})


def _pictures(source: Path, base: Path, place: Path) -> list[Path]:
    if place.suffix == ".txt" and place.is_file():
        lines = [Path(line.strip()) for line in place.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [line if line.is_absolute() else base / line for line in lines]
    try:
        return find_images([place])
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error


def _label_file(picture: Path) -> Path:
    """The last folder named images in the path becomes labels, as ultralytics has it; or the label lies beside."""
    parts = list(picture.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            return Path(*parts[:index], "labels", *parts[index + 1 :]).with_suffix(".txt")
    return picture.with_suffix(".txt")


def _labelled(picture: Path, width: int | None) -> Sample:
    """A picture with its label file; without one there is nothing on it.

    Args:
        picture: The picture.
        width: How many values of a line are read; by default all: class cx cy w h, or class and a polygon x y x y …,
            whose bounding box is taken.
    """
    file = _label_file(picture)
    rows: list[Any] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            label, *values = (float(value) for value in line.split()[:width])
            if label < 0 or label != int(label) or not all(-0.01 <= value <= 1.01 for value in values):
                raise ValueError(line)
            box = _box(values)
        except ValueError as error:
            raise UsageError(
                f'{file}:{number}: "{line.strip()[:60]}" is no label; a line is class cx cy w h (0..1), or class and a '
                "polygon."
            ) from error
        rows.append((*box, int(label), False))
    return _sample(picture, list(dict.fromkeys(rows)), normalised=True)


def _box(values: list[float]) -> tuple[float, float, float, float]:
    if len(values) == 4:
        cx, cy, width, height = values
        return cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2
    if len(values) < 6 or len(values) % 2:
        raise ValueError(values)
    return min(values[::2]), min(values[1::2]), max(values[::2]), max(values[1::2])


def _sample(path: Path, rows: list[Any], *, normalised: bool, image_id: int | None = None) -> Sample:
    boxes = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    classes = np.array([row[4] for row in rows], np.int64)
    return Sample(path, boxes, classes, np.array([row[5] for row in rows], np.bool_), normalised, image_id)
