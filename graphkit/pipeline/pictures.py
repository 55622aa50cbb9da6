"""Pictures on disk: files, folders and globs."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from graphkit.errors import UsageError

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


def find_pictures(places: Iterable[Path]) -> list[Path]:
    """Every picture at `places`, each a file, a folder (searched without its subfolders) or a glob, sorted by name.

    Raises:
        UsageError: A place does not exist or holds no picture.
    """
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            matches = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES)
        elif place.is_file():
            matches = [place]
        else:
            matches = sorted(Path(name) for name in glob.glob(str(place)) if Path(name).is_file())  # noqa: PTH207
        if not matches:
            what = "holds no picture" if place.is_dir() else "does not exist"
            raise UsageError(f"{place} {what}; name a picture ({', '.join(sorted(SUFFIXES))}), a folder or a glob.")
        found += matches
    return found
