"""Pictures with what models find on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from graphkit.errors import GraphkitError
from graphkit.model import Model
from graphkit.report.data import Drawing, Sighting

if TYPE_CHECKING:
    from graphkit.detectors import Detector, Picture

MOST_PICTURES = 6
"""More make the page heavy and say little more."""
CONFIDENCE, IOU, MOST = 0.25, 0.7, 300
"""Of the detections that are drawn: what `yolo predict` and `graphkit detect` take by default."""
_SIDE = 720
"""Longest side of a picture in the page, in pixels."""
_QUALITY = 80


@dataclass(frozen=True)
class Seen:
    """What some models see.

    Attributes:
        sightings: A picture each, with what every model finds on it; () where none finds anything on pictures.
        problem: Why there are none, as a sentence; "" where there are some.
        decoded: For each model how detections are read from what it returns; "" where that is not known.
    """

    sightings: tuple[Sighting, ...]
    problem: str
    decoded: tuple[str, ...]


def sightings(models: Sequence[tuple[str, Model]], images: Sequence[Path]) -> Seen:
    """What each of some models finds on pictures, at most `MOST_PICTURES` of them.

    Args:
        models: What each is called, and the model, as they are to be shown from left to right.
        images: Picture files; the built-in one where there are none.

    Raises:
        UsageError: A picture that was named cannot be read.
    """
    from graphkit.demo import demo_picture
    from graphkit.images import read_image

    paths = list(images)[:MOST_PICTURES] or [demo_picture()]
    for path in paths:
        read_image(path)  # what is wrong with a picture is the user's to know, what with a model the page's
    rows: list[list[Drawing]] = []
    decoded: list[str] = []
    for name, model in models:
        try:
            found, words = _look(name, model, paths)
            rows.append(found)
            decoded.append(words)
        except GraphkitError as error:
            rows.append([Drawing(name, b"", 0, 0, (), str(error))] * len(paths))
            decoded.append("")
    if all(row[0].problem for row in rows):
        return Seen((), rows[-1][0].problem, tuple(decoded))
    columns = zip(paths, zip(*rows, strict=True), strict=True)
    return Seen(tuple(Sighting(path.name, tuple(drawings)) for path, drawings in columns), "", tuple(decoded))


def _look(name: str, model: Model, paths: list[Path]) -> tuple[list[Drawing], str]:
    from graphkit.detectors import find_in_pictures, open_loaded
    from graphkit.heads import NmsContract

    detector = open_loaded(model)
    contract = NmsContract("best-class", CONFIDENCE, IOU, MOST)
    found = [_draw(name, detector, picture) for picture in find_in_pictures(detector, paths, contract)]
    return found, detector.decoded


def _draw(name: str, detector: Detector, picture: Picture) -> Drawing:
    from graphkit.detectors import marks_of
    from graphkit.images import draw_marks

    if picture.found is None or picture.image is None:
        return Drawing(name, b"", 0, 0, (), picture.problem)
    counts = Counter(detector.name_of(label) for label in picture.found.classes.tolist())
    drawn = draw_marks(picture.image, marks_of(detector, picture.found)).convert("RGB")
    drawn.thumbnail((_SIDE, _SIDE))
    held = BytesIO()
    drawn.save(held, "JPEG", quality=_QUALITY)
    return Drawing(name, held.getvalue(), drawn.width, drawn.height, tuple(counts.most_common()))
