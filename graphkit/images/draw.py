"""Drawing detections on a picture."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_GOLDEN = 0.618033988749895
_MASK_STRENGTH = 0.45


@dataclass(frozen=True)
class Mark:
    """One detection as it is to be drawn, in pixels of the picture.

    Attributes:
        label: What stands beside it: "person 0.87".
        colour: Any number; equal numbers have equal colours (the class).
        box: float [4], corners x1 y1 x2 y2, or [5], cx cy w h and an angle in radians.
        mask: bool [height, width] of the picture, or None.
        keypoints: float [K, 2 or 3], x y, or x y visibility (drawn from 0.5); or None.
    """

    label: str
    colour: int
    box: NDArray[Any]
    mask: NDArray[np.bool_] | None = None
    keypoints: NDArray[Any] | None = None


def colour_of(number: int) -> tuple[int, int, int]:
    """A colour for a class: hues a golden ratio apart, so that neighbours differ."""
    red, green, blue = colorsys.hsv_to_rgb((number * _GOLDEN) % 1.0, 0.85, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def corners_of(box: NDArray[Any]) -> NDArray[np.float64]:
    """The four corners [4, 2] of a box, [4] corners or [5] cx cy w h angle in radians, in the same unit."""
    values = np.asarray(box, np.float64)
    if len(values) == 4:
        x1, y1, x2, y2 = values
        return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])
    cx, cy, width, height, angle = values
    across = np.array([np.cos(angle), np.sin(angle)]) * width / 2
    down = np.array([-np.sin(angle), np.cos(angle)]) * height / 2
    middle = np.array([cx, cy])
    return np.stack([middle - across - down, middle + across - down, middle + across + down, middle - across + down])


def draw_marks(image: Image.Image, marks: Sequence[Mark]) -> Image.Image:
    """A copy of an RGB picture with detections drawn on it: the worst first, so that the best lies on top.

    Lines and letters grow with the picture.

    Args:
        image: The picture.
        marks: What to draw, best first. Coordinates that are no numbers are left out.
    """
    drawn = _with_masks(image, marks)
    pen = ImageDraw.Draw(drawn)
    width = max(1, round(min(max(drawn.size) / 400, min(drawn.size) / 20)))
    font = ImageFont.load_default(max(10, round(max(drawn.size) / 55)))
    shown = [mark for mark in reversed(marks) if np.isfinite(mark.box).all()]
    for mark in shown:
        colour = colour_of(mark.colour)
        corners = [(float(x), float(y)) for x, y in corners_of(mark.box)]
        pen.line([*corners, corners[0]], fill=colour, width=width, joint="curve")
        for x, y, *seen in mark.keypoints if mark.keypoints is not None else ():
            if np.isfinite([x, y]).all() and (not seen or seen[0] >= 0.5):
                r = width * 1.5
                pen.ellipse([x - r, y - r, x + r, y + r], fill=colour, outline=(255, 255, 255))
    for mark in shown:  # after all the lines, which would cross them out
        _write(pen, font, mark, drawn.size, width)
    return drawn


def _with_masks(image: Image.Image, marks: Sequence[Mark]) -> Image.Image:
    masks = [mark for mark in reversed(marks) if mark.mask is not None]
    if not masks:
        return image.copy()
    pixels = np.array(image, np.float32)
    for mark in masks:
        assert mark.mask is not None
        tint = np.array(colour_of(mark.colour), np.float32)
        pixels[mark.mask] += (tint - pixels[mark.mask]) * np.float32(_MASK_STRENGTH)
    return Image.fromarray(np.rint(pixels).astype(np.uint8))


def _write(pen: ImageDraw.ImageDraw, font: Any, mark: Mark, size: tuple[int, int], width: int) -> None:
    """The label on a plate above its box, or inside where there is no room above, and never outside the picture."""
    label = "".join(char if char.isprintable() else "�" for char in mark.label)
    left, top, right, bottom = pen.textbbox((0, 0), label, font=font)
    pad = max(1, width)
    plate_width, plate_height = right - left + 2 * pad, bottom - top + 2 * pad
    corners = corners_of(mark.box)
    x, y = corners[corners[:, 1].argmin()] if len(mark.box) == 5 else corners[0]
    x = min(max(float(x) - width / 2, 0), max(size[0] - plate_width, 0))
    y = float(y) - plate_height if y >= plate_height else float(y)
    y = min(max(y, 0), max(size[1] - plate_height, 0))
    colour = colour_of(mark.colour)
    pen.rectangle([x, y, x + plate_width, y + plate_height], fill=colour)
    bright = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    ink = (0, 0, 0) if bright > 140 else (255, 255, 255)
    pen.text((x + pad - left, y + pad - top), label, fill=ink, font=font)
