"""Small questions about files that a command asks before the work starts."""

from __future__ import annotations

import os
from pathlib import Path

from graphkit.errors import UsageError, WriteError


def read_text(path: Path) -> str:
    """The text of a pipeline file.

    Raises:
        UsageError: It cannot be read, or is not UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text in UTF-8, so it is no pipeline; name a YAML file.") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error


def writable(target: Path) -> None:
    """Make sure, before an hour of work, that `target` can be written.

    Raises:
        WriteError: Its folder is missing or may not be written to, or it is no ordinary file.
    """
    folder = target.absolute().parent
    if not folder.is_dir():
        raise WriteError(f"{target} cannot be written: the folder {folder} does not exist; create it first.")
    if target.is_dir():
        raise WriteError(f"{target} cannot be written: it is a folder; name a file in it.")
    if target.exists() and not target.is_file():
        raise WriteError(f"{target} cannot be written: it is not an ordinary file.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(f"{target} cannot be written: the folder {folder} is read-only for you.")
