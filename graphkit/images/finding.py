"""Pictures on disk: files, folders and globs."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from graphkit.errors import UsageError

SUFFIXES = frozenset({".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""What is taken for a picture in a folder; a file that is named itself may have any suffix."""


def find_images(sources: Iterable[Path | str]) -> list[Path]:
    """Every picture at `sources`, each a file, a folder (searched without its subfolders) or a glob.

    Returns:
        In the order of `sources`, those of a folder or a glob by name; none of them twice.

    Raises:
        UsageError: A source does not exist or holds no picture.
    """
    found: dict[Path, None] = {}
    for source in map(Path, sources):
        if source.is_dir():
            matches = sorted(path for path in source.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
        elif source.is_file():
            matches = [source]
        else:
            matches = sorted(Path(name) for name in glob.glob(str(source), recursive=True) if Path(name).is_file())  # noqa: PTH207
        if not matches:
            what = "holds no picture" if source.is_dir() else "does not exist"
            raise UsageError(f"{source} {what}; name a picture ({', '.join(sorted(SUFFIXES))}), a folder or a glob.")
        found |= dict.fromkeys(matches)
    return list(found)
