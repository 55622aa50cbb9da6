"""What is done already: a small file in the output folder, with a record for every result that lies there."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from graphkit.batch.planning import STATE_NAME, Job
from graphkit.batch.work import file_sha256
from graphkit.errors import UsageError


class Key(BaseModel):
    """What decides, besides the model, on a result.

    Attributes:
        version: Of graphkit.
        pipeline: Hash of the pipeline's text.
        settings: Hash of the options, see Work.fingerprint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    pipeline: str
    settings: str


class Record(BaseModel):
    """One model that is done.

    Attributes:
        key: What it was done with.
        inputs: Hash of the model file and of each of its data files, by their paths below the model's folder.
        outputs: The same of what was written, by their paths below the output folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Key
    inputs: dict[str, str]
    outputs: dict[str, str]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: int = 1
    done: dict[str, Record] = {}


class Done:
    """The records of an output folder, by the place of the result in it."""

    def __init__(self, folder: Path) -> None:
        """Read the state file of `folder`, if there is one.

        Raises:
            UsageError: There is one that cannot be read.
        """
        self._folder = folder
        self._path = folder / STATE_NAME
        self._file = _File()
        try:
            self._file = _File.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except OSError as error:
            raise UsageError(f"{self._path} cannot be read ({error.strerror}); check its permissions.") from error
        except ValidationError as error:
            raise UsageError(
                f"{self._path} is not the record of results that graphkit keeps there; delete it, and everything is "
                "done anew."
            ) from error
        if self._file.format != _File().format:
            raise UsageError(
                f"{self._path} is of format {self._file.format}, and this graphkit knows {_File().format}; delete it, "
                "and everything is done anew."
            )

    def has(self, job: Job, key: Key) -> bool:
        """Whether this very model was done with `key`, and all that was written then is still there, unchanged."""
        record = self._file.done.get(job.place)
        if record is None or record.key != key:
            return False
        return _are_there(job.model.parent, record.inputs) and _are_there(self._folder, record.outputs)

    def add(self, job: Job, record: Record) -> None:
        """Note that a model is done.

        Raises:
            WriteError: The state file cannot be written.
        """
        self._file.done[job.place] = record
        self._write()

    def forget(self, job: Job) -> None:
        """A model has failed: it is not done, whatever it was before.

        Raises:
            WriteError: The state file cannot be written.
        """
        if self._file.done.pop(job.place, None) is not None:
            self._write()

    def _write(self) -> None:
        from graphkit.model import atomic

        data = self._file.model_dump_json(indent=1).encode() + b"\n"
        atomic.write(atomic.resolve_target(self._path), [data])


def _are_there(folder: Path, files: dict[str, str]) -> bool:
    """Whether all files have their hashes. One that cannot be read has not."""
    try:
        return all((folder / name).is_file() and file_sha256(folder / name) == value for name, value in files.items())
    except OSError:
        return False
