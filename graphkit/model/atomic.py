"""Writing files so that a reader finds the old one or the whole new one, whatever happens."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from graphkit.errors import WriteError

_REASONS = {
    errno.ENOSPC: "the disk is full; make room and run again",
    errno.EDQUOT: "the disk quota is used up; make room and run again",
    errno.EFBIG: "it is bigger than files may be here; choose another folder",
    errno.EACCES: "permission is denied; choose another folder or change its permissions",
    errno.EPERM: "permission is denied; choose another folder or change its permissions",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}

_RANDOM = 8
"""Hexadecimal digits that tell temporary files of one target apart."""
_LEFT = re.compile(rf"[0-9a-f]{{{_RANDOM}}}\.tmp")
_ABANDONED = 3600.0
"""Seconds after which nobody is writing a temporary file any more."""


def resolve_target(path: Path) -> Path:
    """The file that a path stands for, through symbolic links, if it can be written at all.

    Raises:
        WriteError: It is a folder or a device, its folder is not there, or it is read-only.
    """
    try:
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        status = target.stat() if target.exists() else None
    except (OSError, ValueError) as error:
        raise _error(path, error) from error
    if status is not None:
        if stat.S_ISDIR(status.st_mode):
            raise WriteError(f"{path} cannot be written: it is a folder; give the name of a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise WriteError(f"{path} cannot be written: it is not a regular file; give the name of a file")
        if not os.access(target, os.W_OK):
            raise WriteError(f"{path} cannot be written: it is read-only; change its permissions or choose a new name")
    elif not target.parent.is_dir():
        raise WriteError(f"{path} cannot be written: there is no folder {target.parent}; make it first")
    return target


@contextlib.contextmanager
def temporary(target: Path) -> Iterator[Path]:
    """A name beside `target` for a file that becomes it; whatever is left there at the end is removed.

    Raises:
        WriteError: Anything that the file system said no to.
    """
    name = target.name.encode()[:200].decode(errors="ignore")
    scratch = target.with_name(f".{name}.{secrets.token_hex(_RANDOM // 2)}.tmp")
    try:
        yield scratch
    except (OSError, ValueError) as error:
        raise _error(target, error) from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            scratch.unlink(missing_ok=True)


def write(target: Path, chunks: Iterable[bytes]) -> None:
    """Write a file atomically. A file that stood there before gives the new one its permissions.

    Where a symbolic link stands, what it leads to is written. What is no file, such as a device, is never replaced.

    Raises:
        WriteError: It cannot be written; what stood there before still does.
    """
    target = resolve_target(target)
    with temporary(target) as scratch:
        fill(scratch, chunks)
        if target.exists():
            scratch.chmod(stat.S_IMODE(target.stat().st_mode))
        put(scratch, target)


def fill(scratch: Path, chunks: Iterable[bytes]) -> None:
    """Write a new file and see to it that it has reached the disk."""
    with scratch.open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def put(scratch: Path, target: Path) -> None:
    """Give a file that is on disk its name, and see to it that the name is on disk too."""
    os.replace(scratch, target)  # noqa: PTH105 - the tests stand in for it here
    _sweep(scratch, target)
    with contextlib.suppress(OSError):  # not every system can sync a folder
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _sweep(scratch: Path, target: Path) -> None:
    """Remove what runs that were killed left of their attempts at the same file.

    Whoever is still writing has touched its file within the hour; both times are the file system's own.
    """
    prefix = scratch.name.removesuffix(".tmp")[:-_RANDOM]
    with contextlib.suppress(OSError):
        newest = target.stat().st_mtime
        for path in target.parent.iterdir():
            left = path.name.startswith(prefix) and _LEFT.fullmatch(path.name, len(prefix))
            if left and newest - path.stat(follow_symlinks=False).st_mtime > _ABANDONED:
                path.unlink(missing_ok=True)


def _error(path: Path, error: OSError | ValueError) -> WriteError:
    number = error.errno if isinstance(error, OSError) else None
    reason = _REASONS.get(number or 0) or (error.strerror if isinstance(error, OSError) else str(error))
    return WriteError(f"{path} cannot be written: {reason}")
