"""Questions about files that a command asks before the work starts: which pipeline, is it text, can that be written?"""

from __future__ import annotations

import os
from difflib import get_close_matches
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
        if path.suffix.lower() == ".onnx":
            raise UsageError(
                f"{path} is a model, and the pipeline comes first: graphkit run PIPELINE {path}"
            ) from error
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


def shipped_pipelines() -> dict[str, Path]:
    """Bare name -> file, for the pipelines that come with graphkit.

    An installed wheel holds them inside the package, a source checkout in the folder `passes/` at its root.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "pipelines", package.parent / "passes"):
        found = sorted(folder.glob("*.yaml"))
        if found:
            return {path.stem: path for path in found}
    return {}


def find_pipeline(name: str) -> Path:
    """The file that `name` means: a path, or the bare name of a shipped pipeline.

    Raises:
        UsageError: There is no such file and no such pipeline.
    """
    path = Path(name)
    if path.is_file():
        return path
    shipped = shipped_pipelines()
    if name in shipped:
        return shipped[name]
    if path.is_dir():
        raise UsageError(f"{name} is a folder; name a pipeline file in it.")
    near = get_close_matches(path.stem, shipped, n=1)
    hint = f"did you mean {near[0]}?" if near else f"shipped with graphkit: {', '.join(shipped)}."
    raise UsageError(f"there is no pipeline {name}; {hint}")
