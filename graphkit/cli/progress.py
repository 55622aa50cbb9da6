"""Live progress of a run on stderr; silent where stderr is no terminal."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from graphkit.render.console import make_console, plain

if TYPE_CHECKING:
    from graphkit.pipeline import PassRecord


class Progress:
    """One line that says which pass is at work and what it is doing; a finished pass stays above it as a row."""

    def __init__(self, steps: list[str], quiet: bool) -> None:
        self._steps = steps
        self._console = make_console(stderr=True)
        self._live = self._console.is_terminal and not quiet
        self._status = self._console.status("reading the model") if self._live else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, index: int, activity: str, record: PassRecord | None) -> None:
        """Follow the pipeline: an Observer."""
        if self._status is not None and record is None:
            from rich.text import Text

            line = f"{index + 1} of {len(self._steps)}  {self._steps[index]}: {activity}"
            self._status.update(Text(line))

    def writing(self, target: Path) -> None:
        """The last step: the result is being written."""
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(f"writing {plain(target)}"))
