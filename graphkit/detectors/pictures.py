"""A detector over many pictures: batches of what can be read, a sentence for what cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from graphkit.detectors.detector import Detector
from graphkit.detectors.picture import Found, Frame, find_objects, framed
from graphkit.errors import UsageError
from graphkit.heads import NmsContract
from graphkit.images import Mark, read_image

BATCH = 8
"""Pictures a run, where the model leaves it open."""


@dataclass(frozen=True)
class Picture:
    """A picture and what was found on it.

    Attributes:
        path: The file.
        image: What it shows; None where it could not be read.
        found: What is on it; None where it could not be read.
        problem: Why it could not be read, as a sentence; "" where it could.
    """

    path: Path
    image: Image.Image | None = None
    found: Found | None = None
    problem: str = ""


def find_in_pictures(
    detector: Detector,
    paths: Sequence[Path],
    contract: NmsContract,
    *,
    size: int | tuple[int, int] | None = None,
    batch: int | None = None,
    classes: Collection[int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Picture]:
    """Run a detector on pictures, as many at once as it takes; a picture that cannot be read stops nothing.

    Args:
        detector: The detector.
        paths: Picture files.
        contract: Thresholds and limits.
        size: Of a detector with dynamic size.
        batch: Pictures a run, where the batch is dynamic; by default 8.
        classes: Only these are kept; they alone count for `contract.max_detections`.
        progress: Called with the number of pictures that are done, and of all.

    Yields:
        One `Picture` a path, in their order.

    Raises:
        UsageError: The detector takes no pictures, or not of this size, or not so many at once.
        NotRunnable: It cannot be run.
    """
    height, width = detector.image_size(size)
    step = _step(detector, batch)
    for start in range(0, len(paths), step):
        part = [_read(path, height, width) for path in paths[start : start + step]]
        frames = [frame for _, frame in part if frame is not None]
        found = iter(find_objects(detector, frames, contract, classes) if frames else ())
        for picture, frame in part:
            yield picture if frame is None else replace(picture, found=next(found))
        if progress is not None:
            progress(start + len(part), len(paths))


def marks_of(detector: Detector, found: Found) -> list[Mark]:
    """What was found, as it is drawn."""
    return [
        Mark(
            f"{detector.name_of(label)} {score:.2f}",
            label,
            found.boxes[index],
            found.masks[index] if found.masks is not None else None,
            found.keypoints[index] if found.keypoints is not None else None,
        )
        for index, (label, score) in enumerate(zip(found.classes.tolist(), found.scores.tolist(), strict=True))
    ]


def _step(detector: Detector, batch: int | None) -> int:
    if not detector.dynamic_batch:
        if batch is not None and batch != detector.batch:
            raise UsageError(f"{detector.path} takes {detector.batch} at once, not {batch}; leave the batch out.")
        return detector.batch
    most = detector.largest_batch
    if most is not None and batch is not None and batch > most:
        raise UsageError(f"{detector.path} takes up to {most} at once, not {batch}; give a smaller batch.")
    return min(batch or BATCH, most or batch or BATCH)


def _read(path: Path, height: int, width: int) -> tuple[Picture, Frame | None]:
    try:
        image = read_image(path)
    except UsageError as error:
        return Picture(path, problem=str(error)), None
    return Picture(path, image), framed(image, height, width)
