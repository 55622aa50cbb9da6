"""Live progress of many cases on stderr; silent where stderr is no terminal."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Self

from graphkit.render.console import make_console

if TYPE_CHECKING:
    from graphkit.runtimes.probing import Outcome


class Counting:
    """A bar with how many cases are done, and how they ended."""

    def __init__(self, title: str, quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = make_console(stderr=True)
        self._counts: Counter[str] = Counter()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}"),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=None, said="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, done: int, of: int, outcome: Outcome | None = None) -> None:
        """One case more is done."""
        if outcome is not None:
            self._counts[outcome.kind] += 1
        said = ", ".join(f"{count} {kind}" for kind, count in self._counts.most_common())
        self._progress.update(self._task, completed=done, total=of, said=said)

    def say(self, what: str) -> None:
        """What is being done that has no count."""
        self._progress.update(self._task, said=what)
