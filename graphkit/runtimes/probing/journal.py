"""The file that finished cases are noted in, so that a probe that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from graphkit.errors import UsageError, WriteError
from graphkit.runtimes.probing.outcome import KINDS, Outcome


class Journal:
    """Outcomes by case, each written as soon as it is known.

    Args:
        path: The file.
        about: What was probed with what; a journal about something else is not gone on with.
        resume: Whether an existing one is gone on with; else it is begun anew.
    """

    def __init__(self, path: Path, about: Mapping[str, str], *, resume: bool) -> None:
        self.path = path
        self.outcomes = read_journal(path, about) if resume and path.exists() else {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("w", encoding="utf-8")
        except OSError as error:
            raise WriteError(
                f"{path} cannot be written: {error.strerror}; choose another place for the journal."
            ) from error
        self._write(dict(about))
        for key, outcome in self.outcomes.items():
            self._write({"case": key, "outcome": outcome.kind, "reason": outcome.reason})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def note(self, key: str, outcome: Outcome) -> None:
        """A case is finished."""
        self.outcomes[key] = outcome
        self._write({"case": key, "outcome": outcome.kind, "reason": outcome.reason})

    def _write(self, item: Mapping[str, str]) -> None:
        self._file.write(json.dumps(item, ensure_ascii=False) + "\n")
        self._file.flush()


def read_journal(path: Path, about: Mapping[str, str] | None = None) -> dict[str, Outcome]:
    """The finished cases of a journal. A last line that was cut off counts for nothing.

    Args:
        path: The file.
        about: What it must be about; None for anything.

    Raises:
        UsageError: It is no journal, or about something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the journal {path} cannot be read: {error}.") from error
    entries = [entry for line in lines if (entry := _entry(line)) is not None]
    if not entries or "runtime" not in entries[0]:
        raise UsageError(f"{path} is no journal of a probe; leave out --resume to begin anew.")
    if about is not None and entries[0] != dict(about):
        was = ", ".join(f"{key} {value}" for key, value in entries[0].items())
        now = ", ".join(f"{key} {value}" for key, value in about.items())
        raise UsageError(f"{path} is about {was}, not about {now}; leave out --resume to begin anew.")
    return {
        entry["case"]: Outcome(entry["outcome"], entry.get("reason", ""))  # type: ignore[arg-type]
        for entry in entries[1:]
        if "case" in entry and entry.get("outcome") in KINDS
    }


def _entry(line: str) -> dict[str, str] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
