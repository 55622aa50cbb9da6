"""Between a picture and the frame a network looks at: there with the picture, and back with what was found."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GREY = 114
"""What ultralytics pads with."""


def letterbox(image: Image.Image, height: int, width: int) -> tuple[NDArray[np.float32], float, tuple[int, int]]:
    """Scale a picture into a frame without changing its proportions, and pad the rest with grey 114.

    The geometry of ultralytics' LetterBox: ratio r = min(height/h, width/w), size round(w·r) × round(h·r), padding
    split in two with round(d - 0.1) left or above and round(d + 0.1) right or below; bilinear between the four nearest
    pixels, as OpenCV does.

    Args:
        image: Any Pillow picture; read as RGB.
        height: Of the frame, pixels.
        width: Of the frame, pixels.

    Returns:
        The frame, float32 [3, height, width], RGB, 0..1; r; and the padding (left, top) in pixels. A point x of the
        picture lies at x·r + left in the frame.
    """
    rgb = image.convert("RGB")
    ratio = min(height / rgb.height, width / rgb.width)
    new_width, new_height = max(1, round(rgb.width * ratio)), max(1, round(rgb.height * ratio))
    left, top = round((width - new_width) / 2 - 0.1), round((height - new_height) / 2 - 0.1)
    frame = Image.new("RGB", (width, height), (GREY, GREY, GREY))
    frame.paste(_bilinear(rgb, new_width, new_height), (left, top))
    array = np.asarray(frame, np.float32).transpose(2, 0, 1) / np.float32(255)
    return np.ascontiguousarray(array), ratio, (left, top)


def _bilinear(image: Image.Image, width: int, height: int) -> Image.Image:
    """Resize as OpenCV's INTER_LINEAR does: between the four nearest pixels, however much is left out in between.

    Pillow's `resize` averages over all pixels when it shrinks, which moves detections by several pixels against what
    the networks were trained and are validated with.
    """
    matrix = (image.width / width, 0.0, 0.0, 0.0, image.height / height, 0.0)

    def resized(band: Image.Image) -> Image.Image:
        # In float, because Pillow cuts off the fractions of 8-bit pixels where OpenCV rounds.
        floats = band.convert("F").transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
        return Image.fromarray(np.rint(np.asarray(floats)).astype(np.uint8))

    return Image.merge("RGB", [resized(band) for band in image.split()])


def boxes_to_picture(
    boxes: NDArray[Any], ratio: float, padding: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Boxes of the frame as boxes of the picture.

    Args:
        boxes: [n, 4] corners x1 y1 x2 y2, or [n, 5] cx cy w h and an angle in radians; pixels of the frame.
        ratio: As `letterbox` gave it.
        padding: As `letterbox` gave it.
        size: Height and width of the picture, pixels.

    Returns:
        float32, the same form, in pixels of the picture. Corners are clipped to it; rotated boxes are not.
    """
    found = np.array(boxes, np.float32)
    left, top = padding
    if found.shape[-1] == 5:
        found[..., :2] -= np.array([left, top], np.float32)
        found[..., :4] /= np.float32(ratio)
        return found
    found = (found - np.array([left, top, left, top], np.float32)) / np.float32(ratio)
    height, width = size
    return np.clip(found, 0, np.array([width, height, width, height], np.float32))


def points_to_picture(points: NDArray[Any], ratio: float, padding: tuple[int, int]) -> NDArray[np.float32]:
    """Points [..., 2 or 3] (x y, and a visibility that stays) of the frame as points of the picture, float32."""
    found = np.array(points, np.float32)
    found[..., :2] = (found[..., :2] - np.array(padding, np.float32)) / np.float32(ratio)
    return found


def masks_to_picture(
    logits: NDArray[Any],
    boxes: NDArray[np.float32],
    frame: tuple[int, int],
    ratio: float,
    padding: tuple[int, int],
    size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Masks at the size of the prototypes as masks of the picture.

    A mask is scaled up bilinearly, is where its value is over 0 (a Sigmoid over 0.5), and ends at its box.

    Args:
        logits: [n, h, w], coefficients times prototypes, before their Sigmoid; they cover the whole frame.
        boxes: [n, 4], corners in pixels of the picture.
        frame: Height and width of the frame, pixels.
        ratio: As `letterbox` gave it.
        padding: As `letterbox` gave it.
        size: Height and width of the picture, pixels.

    Returns:
        bool [n, height, width] of the picture.
    """
    height, width = size
    found = np.zeros((len(logits), height, width), np.bool_)
    for mask, box, target in zip(logits, boxes, found, strict=True):
        scale_x, scale_y = mask.shape[1] / frame[1], mask.shape[0] / frame[0]
        # Picture pixel -> prototype cell, both counted at their middle.
        matrix = (ratio * scale_x, 0.0, padding[0] * scale_x, 0.0, ratio * scale_y, padding[1] * scale_y)
        padded = np.pad(np.asarray(mask, np.float32), 1, mode="edge")  # Pillow blanks the outer half pixel
        moved = (*matrix[:2], matrix[2] + 1, *matrix[3:5], matrix[5] + 1)
        scaled = Image.fromarray(padded).transform(
            (width, height), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR
        )
        x1, y1, x2, y2 = (int(value) for value in np.rint(box))
        target[y1:y2, x1:x2] = np.asarray(scaled)[y1:y2, x1:x2] > 0
    return found
