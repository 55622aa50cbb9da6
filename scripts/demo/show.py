"""Draw what the shipped detector finds on the shipped picture: the picture at the top of the README."""

from __future__ import annotations

import colorsys

from PIL import Image, ImageDraw, ImageFont

from scripts.demo.evaluation import Detections
from scripts.demo.pictures import COLOURS, NAMES

FONT_SIZE = 15
PADDING = 4


def draw_detections(image: Image.Image, found: Detections) -> Image.Image:
    """The picture with a box, a name and a score for each detection."""
    canvas = image.convert("RGB")
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(FONT_SIZE)
    for box, score, class_id in zip(found.boxes.tolist(), found.scores, found.classes, strict=True):
        name = NAMES[int(class_id)]
        hue, saturation, value = COLOURS[name.split(" ")[0]]
        red, green, blue = (int(255 * c) for c in colorsys.hsv_to_rgb(hue / 360, saturation, value * 0.6))
        x1, y1, x2, y2 = box
        pen.rectangle((x1, y1, x2, y2), outline=(red, green, blue), width=2)
        text = f"{name} {score:.2f}"
        height = FONT_SIZE + PADDING
        left = min(x1, canvas.width - pen.textlength(text, font) - 2 * PADDING - 1)
        top = max(0.0, y1 - height)
        pen.rectangle((left, top, left + pen.textlength(text, font) + 2 * PADDING, top + height), (red, green, blue))
        pen.text((left + PADDING, top + height / 2), text, "white", font, anchor="lm")
    return canvas
