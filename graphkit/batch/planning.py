"""Which models there are, and where the result of each goes. What is wrong with that is said before any runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphkit.errors import UsageError, WriteError
from graphkit.pipeline.files import writable

SUFFIX = ".onnx"
OWN_SUFFIX = ".graphkit.onnx"
"""What results are called that lie beside their models."""

STATE_NAME = "graphkit-done.json"
"""The record of what is done, in an output folder."""


@dataclass(frozen=True)
class Job:
    """One model and where its result goes.

    Attributes:
        model: The model file.
        target: The file to write.
        name: The model's path below the folder that all have in common, with "/" between its parts.
        place: Where the result lies below the output folder, with "/"; "" without an output folder.
    """

    model: Path
    target: Path
    name: str
    place: str = ""


def plan(named: Sequence[Path], output: Path | None, *, in_place: bool = False, dry_run: bool = False) -> list[Job]:
    """Find the models and give each a target.

    A folder stands for every .onnx file in it and in its subfolders, in the order of their paths, without results of
    earlier runs: those called *.graphkit.onnx, and what is in a subfolder that has been an output folder or is to be
    one. Results lie below `output` as the models lie below the folder that everything named has in common.

    Args:
        named: Model files and folders.
        output: The folder for the results; None for a file beside each model.
        in_place: Put each result in the place of its model.
        dry_run: Nothing will be written, so nothing has to be writable.

    Raises:
        UsageError: Something named is not there, a folder holds no model, `output` is a file, or two results would be
            the same file or one a model that is to be run.
        WriteError: A result could not be written where it goes.
    """
    if in_place and output is not None:
        raise UsageError("--in-place and --output say two different things; give one of them.")
    if output is not None and not output.is_dir() and (output.exists() or output.suffix.lower() == SUFFIX):
        raise UsageError(f"-o {output}: the results of several models need a folder; name one, it may be a new one.")
    folders = [path if path.is_dir() else path.parent for path in map(_absolute, named)]
    try:
        base = Path(os.path.commonpath(folders))
    except ValueError as error:  # two drives of Windows
        raise UsageError(f"the models have no folder in common ({error}); run them one by one.") from error
    models = {_absolute(path): path for path in _models(named, output)}
    jobs = [_job(path, full.relative_to(base), output, in_place) for full, path in models.items()]
    _refuse_collisions(jobs, in_place)
    if not dry_run:
        _refuse_unwritable(jobs)
    return jobs


def _models(named: Iterable[Path], output: Path | None) -> Iterator[Path]:
    for path in named:
        if not path.is_dir():
            if not path.exists():
                raise UsageError(f"{path} is not there; check the path. No model was run.")
            yield path
            continue
        found = sorted(_inside(path, output))
        if not found:
            raise UsageError(
                f"{path} holds no model: there is no *{SUFFIX} file in it or below it that is not a result of graphkit "
                f"(*{OWN_SUFFIX}, or in an output folder). No model was run."
            )
        yield from found


def _inside(folder: Path, output: Path | None) -> Iterator[Path]:
    """The models in a folder and its subfolders; links to folders are not followed, since they may lead in circles."""

    def unreadable(error: OSError) -> None:
        raise UsageError(f"{error.filename} cannot be read: {error.strerror}. No model was run.") from error

    for parent, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not _holds_results(Path(parent, name), output)]
        for name in files:
            path = Path(parent, name)
            if name.lower().endswith(SUFFIX) and not name.lower().endswith(OWN_SUFFIX) and path.is_file():
                yield path


def _holds_results(folder: Path, output: Path | None) -> bool:
    return (folder / STATE_NAME).is_file() or (output is not None and _same(folder, output))


def _job(model: Path, below: Path, output: Path | None, in_place: bool) -> Job:
    if in_place:
        return Job(model, model, below.as_posix())
    own = f"{model.stem}{OWN_SUFFIX}"
    if output is None:
        return Job(model, model.with_name(own), below.as_posix())
    place = below.with_name(own) if _same(output / below, model) else below
    return Job(model, output / place, below.as_posix(), place.as_posix())


def _refuse_collisions(jobs: list[Job], in_place: bool) -> None:
    models = {_real(job.model): job for job in jobs}
    targets: dict[str, Job] = {}
    for job in jobs:
        real = _real(job.target)
        other = targets.setdefault(real, job)
        if other is not job:
            raise UsageError(
                f"the results of {other.model} and {job.model} would be the same file, {job.target}; run one of them "
                "by itself. No model was run."
            )
        if not in_place and real in models:
            raise UsageError(
                f"the result of {job.model} would overwrite {models[real].model}, which is to be run too; choose "
                "another folder with -o. No model was run."
            )


def _refuse_unwritable(jobs: list[Job]) -> None:
    seen: set[Path] = set()
    for job in jobs:
        folder = job.target.absolute().parent
        if folder.is_dir():
            writable(job.target)
            continue
        there = next(parent for parent in folder.parents if parent.exists())
        if there in seen:
            continue
        seen.add(there)
        if not there.is_dir():
            raise WriteError(f"{job.target} cannot be written: {there} is not a folder; name another one with -o.")
        if not os.access(there, os.W_OK | os.X_OK):
            raise WriteError(f"{job.target} cannot be written: the folder {there} is read-only for you.")


def _absolute(path: Path) -> Path:
    """Without "..", but through no links: what is named keeps its name."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute keeps ".."


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _same(a: Path, b: Path) -> bool:
    return a.exists() and b.exists() and a.samefile(b)
