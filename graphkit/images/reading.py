"""Reading a picture, whatever it is kept as, into 8-bit RGB."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from graphkit.errors import UsageError

_SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
# Pillow opens 16-bit grey of these formats as 32-bit integers that hold 0..65535.
_SIXTEEN_IN_I = frozenset({"PNG", "PPM"})


def read_image(path: Path) -> Image.Image:
    """Read a picture as RGB, 8 bits a channel, turned as its EXIF orientation says.

    Palettes are looked up, CMYK is converted, 16-bit grey is scaled to 8 bits (its upper byte), and transparency is
    left out: the colours stay as they are stored, as OpenCV's `imread` has it and as detectors are trained. Of an
    animation or a file of several pages it is the first.

    Raises:
        UsageError: The file is not there, empty, no picture, broken off, or larger than Pillow allows (a
            decompression bomb: twice `Image.MAX_IMAGE_PIXELS`, 179 million pixels); or its pixels have no known scale.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}; name a picture that is there.") from error
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a picture.")
    if not size:
        raise UsageError(f"{path} is empty (0 bytes); give a JPEG, PNG or another picture.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                image.load()
                return _rgb(ImageOps.exif_transpose(image), image.format or "", path)
    except UsageError:
        raise
    except Image.DecompressionBombError as error:
        raise UsageError(
            f"{path} has more pixels than Pillow reads, in case it is a decompression bomb ({error}); scale it down."
        ) from error
    except UnidentifiedImageError as error:
        raise UsageError(
            f"{path} cannot be read as a picture; give JPEG, PNG or another format Pillow reads."
        ) from error
    except Exception as error:  # decoders raise anything, and ultralytics wraps Image.open in one that raises more
        raise UsageError(
            f"{path} cannot be read as a picture ({_reason(error)}); it may be damaged or broken off, so save it anew."
        ) from error


def _rgb(image: Image.Image, kind: str, path: Path) -> Image.Image:
    if image.mode in _SIXTEEN_BITS or (image.mode == "I" and kind in _SIXTEEN_IN_I):
        # Pillow's own conversion cuts off at 255.
        values = np.asarray(image).astype(np.uint32) >> 8
        return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise UsageError(
            f"{path} has 32-bit pixels (Pillow's mode {image.mode}) of unknown scale; save it with 8 or 16 bits."
        )
    if image.mode == "RGB":
        return image
    if image.mode == "P":
        # A palette with transparency warns on its way to RGB; by way of RGBA the colours are the same.
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
