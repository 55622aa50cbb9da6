"""A picture of the image on which two models differ most: the boxes of both, in two colours."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from graphkit.errors import UsageError
from graphkit.images import Mark, draw_marks
from graphkit.images.draw import colour_of
from graphkit.model.atomic import resolve_target, write
from graphkit.verdict.matching import Matched, Tally, badness
from graphkit.verify import Detections

_SIDES = (0, 1)
"""Numbers of the two colours."""
_MOST = 12
"""Pairs, or detections without a partner."""
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def check_target(path: Path) -> None:
    """Refuse a picture that could not be written, before anything is run.

    Raises:
        UsageError: The suffix is of no format that pictures are written in, or the folder does not exist.
        WriteError: It is no file that can be written.
    """
    if path.suffix.lower() not in _FORMATS:
        raise UsageError(f"{path} has no suffix of a picture; name a .png or a .jpg.")
    if not path.parent.is_dir():
        raise UsageError(f"the folder of {path} does not exist; make it, or name another.")
    resolve_target(path)


def draw_worst(tally: Tally, path: Path, names: tuple[str, str]) -> str:
    """Write the worst image.

    Detections that have no equal come first; of those that agree only so many are drawn that the rest can be seen.

    Args:
        tally: What was matched.
        path: Where to write.
        names: Of the two models.

    Returns:
        Which image it is, for a reader.

    Raises:
        UsageError: There is no image with detections to draw.
        WriteError: It cannot be written.
    """
    if tally.worst is None:
        raise UsageError(f"no image has detections of both models, so there is nothing to draw in {path}.")
    item, pixels = tally.worst
    frame = Image.fromarray(np.rint(pixels.transpose(1, 2, 0) * 255).clip(0, 255).astype(np.uint8))
    # Letters and lines need room.
    scale = max(1, round(960 / max(frame.size)))
    frame = frame.resize((frame.width * scale, frame.height * scale), Image.Resampling.BILINEAR)
    marks = _marks(item, tally, scale)
    drawn = draw_marks(frame, marks)
    hidden = len(item.left) + len(item.right) - len(marks)
    held = io.BytesIO()
    _with_legend(drawn, item, names, hidden).save(held, _FORMATS[path.suffix.lower()])
    write(path, [held.getvalue()])
    return item.image


def _marks(item: Matched, tally: Tally, scale: int) -> list[Mark]:
    """What is drawn, best first: what differs before what agrees, and not so much that nothing can be seen.

    A pair has one label, and the second model's box lies just inside the first one's, so that both can be seen.
    """
    paired = dict(zip(item.rows.tolist(), item.columns.tolist(), strict=True))
    lone = sorted(set(range(len(item.right))) - set(paired.values()))
    found = list[tuple[bool, float, list[Mark]]]()
    for i in range(len(item.left)):
        j = paired.get(i)
        score, own = float(item.left.scores[i]), _box(item.left, i, scale)
        name = tally.names.get(int(item.left.classes[i]), item.left.classes[i])
        if j is None:
            found.append((True, score, [Mark(f"A {name} {score:.2f}", _SIDES[0], own)]))
            continue
        other = float(item.right.scores[j])
        label = int(item.right.classes[j])
        renamed = f" {tally.names.get(label, label)}" if label != item.left.classes[i] else ""
        inside = _box(item.right, j, scale) + _inset(len(own))
        marks = [
            Mark(f"A {name} {score:.2f}, B{renamed} {other:.2f}", _SIDES[0], own),
            Mark("B", _SIDES[1], inside),
        ]
        found.append((badness(item, i, j, tally.tolerance) > 0, max(score, other), marks[::-1]))
    for j in lone:
        score, label = float(item.right.scores[j]), int(item.right.classes[j])
        mark = Mark(f"B {tally.names.get(label, label)} {score:.2f}", _SIDES[1], _box(item.right, j, scale))
        found.append((True, score, [mark]))
    found.sort(key=lambda one: (not one[0], -one[1]))
    return [mark for _, _, marks in found[:_MOST] for mark in reversed(marks)]


def _box(found: Detections, row: int, scale: int) -> NDArray[Any]:
    """In pixels of what is drawn; an angle stays."""
    box: NDArray[Any] = found.boxes[row].astype(np.float64)
    return np.concatenate([box[:4] * scale, box[4:]])


def _inset(size: int) -> NDArray[Any]:
    """What makes corners, or a width and a height, a few pixels smaller on each side."""
    near = 3.0
    return np.array([near, near, -near, -near] if size == 4 else [0, 0, -2 * near, -2 * near, 0])


def _with_legend(picture: Image.Image, item: Matched, names: tuple[str, str], hidden: int) -> Image.Image:
    """The names in their colours under the picture."""
    font = ImageFont.load_default(max(12, round(picture.width / 60)))
    left, top, _, bottom = font.getbbox("Ag")
    height = round(bottom - top) + 8
    whole = Image.new("RGB", (picture.width, picture.height + 3 * height), (20, 20, 20))
    whole.paste(picture, (0, 0))
    pen = ImageDraw.Draw(whole)
    counts = (len(item.left), len(item.right))
    for row, (side, name, count, colour) in enumerate(zip("AB", names, counts, _SIDES, strict=True)):
        y = picture.height + row * height
        pen.rectangle([4, y + 4, height - 4, y + height - 4], fill=colour_of(colour))
        pen.text(
            (height + 2 - left, y + 4 - top), f"{side} {name}: {count} detections", fill=(255, 255, 255), font=font
        )
    rest = f"{item.image}{f'; {hidden} more not drawn' if hidden else ''}"
    pen.text((height + 2 - left, picture.height + 2 * height + 4 - top), rest, fill=(190, 190, 190), font=font)
    return whole
