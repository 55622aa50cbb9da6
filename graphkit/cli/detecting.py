"""What `graphkit detect` does with its arguments: their meaning, and the files it writes."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from graphkit.errors import UsageError, WriteError

if TYPE_CHECKING:
    from graphkit.detectors import CocoIds, Detector, Picture
    from graphkit.heads import NmsContract

Semantics = Literal["best-class", "multi-label", "class-agnostic"]
_KEPT = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""Formats that a drawn picture is written in as it came; others become PNG."""


def contract_of(confidence: float | None, iou: float | None, semantics: str | None, max_detections: int) -> NmsContract:
    """Thresholds and limits; the defaults are those of `yolo predict`.

    Raises:
        UsageError: There is no such semantics.
    """
    from graphkit.heads import NmsContract

    known = get_args(Semantics)
    if semantics is not None and semantics not in known:
        raise UsageError(f'there is no semantics "{semantics}"; {", ".join(known[:-1])} and {known[-1]} are.')
    chosen = cast("Semantics", semantics or "best-class")
    return NmsContract(chosen, 0.25 if confidence is None else confidence, 0.7 if iou is None else iou, max_detections)


def size_of(text: str | None) -> int | tuple[int, int] | None:
    """A side, or height x width.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})(?:[x×,](\d{1,5}))?", text.strip())
    if found is None:
        raise UsageError(f'"{text}" is no size; give one side, as 640, or height and width, as 384x640.')
    return int(found[1]) if found[2] is None else (int(found[1]), int(found[2]))


def labels_of(detector: Detector, classes: Sequence[str] | None) -> frozenset[int] | None:
    """Class indices by name or number; None for all.

    Raises:
        UsageError: The detector knows no such class; says the nearest name.
    """
    if not classes:
        return None
    names = {name.lower(): index for index, name in detector.names.items()}
    found = set()
    for word in (part.strip() for text in classes for part in text.split(",") if part.strip()):
        if word.lower() in names:
            found.add(names[word.lower()])
        elif word.isascii() and word.isdigit() and (not names or int(word) in detector.names):
            found.add(int(word))
        else:
            near = difflib.get_close_matches(word.lower(), names, 1)
            hint = (
                f"; did you mean {near[0]}?" if near else f"; it knows {len(names)}, as {', '.join(list(names)[:3])}."
            )
            raise UsageError(f'{detector.path} knows no class "{word}"{hint}')
    return frozenset(found)


def targets_of(paths: Sequence[Path], folder: Path | None) -> dict[Path, Path | None]:
    """Where each drawn picture goes, none on another and none on a picture that is read; the folder is made.

    Raises:
        UsageError: A picture would be drawn over itself, or the folder is a file.
        WriteError: The folder cannot be made.
    """
    if folder is None:
        return dict.fromkeys(paths)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; name a folder for the drawn pictures.")
    sources = {path.resolve() for path in paths}
    taken: set[str] = set()
    targets: dict[Path, Path | None] = {}
    for path in paths:
        suffix = path.suffix if path.suffix.lower() in _KEPT else ".png"
        name, number = f"{path.stem}{suffix}", 1
        while name.lower() in taken:
            number += 1
            name = f"{path.stem}-{number}{suffix}"
        taken.add(name.lower())
        if (folder / name).resolve() in sources:
            raise UsageError(f"{folder / name} is one of the pictures to be read; name another folder with --output.")
        targets[path] = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder} cannot be made: {error.strerror or error}; name another folder.") from error
    return targets


def report_of(
    detector: Detector,
    targets: Mapping[Path, Path | None],
    contract: NmsContract,
    *,
    size: int | tuple[int, int] | None,
    batch: int | None,
    classes: Collection[int] | None,
    ids: CocoIds | None,
    coco: Path | None,
    progress: Callable[[int, int], None],
) -> dict[str, Any]:
    """Run the detector on the pictures, write what is to be written as it comes, and say what was found.

    Args:
        detector: The detector.
        targets: Picture -> where it is drawn to, or None.
        contract: Thresholds and limits.
        size: As `find_in_pictures` takes it.
        batch: As `find_in_pictures` takes it.
        classes: As `find_in_pictures` takes it.
        ids: COCO's numbers.
        coco: Where COCO results go.
        progress: Called as pictures are done.

    Returns:
        The report as plain data.
    """
    import json

    from graphkit.detectors import CocoIds, check_ids, coco_results, find_in_pictures, picture_dict

    start = time.perf_counter()
    ids = ids or CocoIds()
    if coco is not None:
        check_ids(list(targets), ids)
    found, problems, rows = [], [], list[dict[str, Any]]()
    for picture in find_in_pictures(
        detector, list(targets), contract, size=size, batch=batch, classes=classes, progress=progress
    ):
        if picture.problem:
            problems.append({"path": str(picture.path), "message": picture.problem})
            continue
        target = targets[picture.path]
        entry = picture_dict(detector, picture)
        if target is not None:
            _draw(detector, picture, target)
            entry["drawn"] = str(target)
        found.append(entry)
        if coco is not None:
            rows += coco_results(picture, ids)
    if coco is not None:
        from graphkit.model.atomic import write

        write(coco, [json.dumps(rows).encode()])
    height, width = detector.image_size(size)
    return {
        "model": str(detector.path),
        "task": detector.task,
        "decoded": detector.decoded,
        "nms_inside": detector.nms_inside,
        "size": [height, width],
        "confidence": contract.confidence,
        "iou": None if detector.nms_inside else contract.iou,
        "semantics": None if detector.nms_inside else contract.semantics,
        "max_detections": contract.max_detections,
        "images": found,
        "problems": problems,
        "coco": str(coco) if coco is not None else None,
        "seconds": round(time.perf_counter() - start, 3),
    }


def _draw(detector: Detector, picture: Picture, target: Path) -> None:
    import io

    from graphkit.detectors import marks_of
    from graphkit.images import draw_marks
    from graphkit.model.atomic import write

    assert picture.image is not None
    assert picture.found is not None
    drawn = io.BytesIO()
    kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(target.suffix.lower(), "PNG")
    draw_marks(picture.image, marks_of(detector, picture.found)).save(drawn, kind, quality=95)
    write(target, [drawn.getvalue()])
