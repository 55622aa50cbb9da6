"""Pictures of every kind that a camera, an editor or an accident leaves behind."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


def gradient(mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Red grows to the right, green downwards, blue is 40."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    array = np.stack([x, y, np.full_like(x, 40)], axis=-1).astype(np.uint8)
    return Image.fromarray(array).convert(mode)


def saved(path: Path, image: Image.Image, **options: Any) -> Path:
    image.save(path, **options)
    return path


def rotated_jpeg(path: Path) -> Path:
    """Stored lying (64 × 48), to be shown upright (48 × 64): EXIF orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(path, gradient(), exif=exif, quality=95)


def truncated_jpeg(path: Path) -> Path:
    whole = io.BytesIO()
    gradient(size=(320, 240)).save(whole, "JPEG")
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    return path
