"""Pictures: finding, reading and framing them, and drawing on them what was found.

The names below are imported when they are first used: a list of files needs neither NumPy nor Pillow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.images.finding import SUFFIXES, find_images

if TYPE_CHECKING:
    from graphkit.images.draw import Mark, corners_of, draw_marks
    from graphkit.images.framing import boxes_to_picture, letterbox, masks_to_picture, points_to_picture
    from graphkit.images.reading import read_image
    from graphkit.images.rle import encode_mask

_HOMES = {
    "Mark": "draw",
    "boxes_to_picture": "framing",
    "corners_of": "draw",
    "draw_marks": "draw",
    "encode_mask": "rle",
    "letterbox": "framing",
    "masks_to_picture": "framing",
    "points_to_picture": "framing",
    "read_image": "reading",
}

__all__ = [
    "SUFFIXES",
    "Mark",
    "boxes_to_picture",
    "corners_of",
    "draw_marks",
    "encode_mask",
    "find_images",
    "letterbox",
    "masks_to_picture",
    "points_to_picture",
    "read_image",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'graphkit.images' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"graphkit.images.{_HOMES[name]}"), name)
