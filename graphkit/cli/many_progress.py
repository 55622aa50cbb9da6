"""Progress of a run over many models on stderr: a line for each that is at work, or, in a pipe, that is done."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from graphkit.render.console import make_console, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graphkit.batch import Event, ModelResult

_BAR = 24
"""Columns."""


class ManyProgress:
    """How many models are done, and what those are at that are not."""

    def __init__(self, count: int, steps: int, quiet: bool) -> None:
        from rich.live import Live

        self._console = make_console(stderr=True)
        self._count, self._steps, self._quiet = count, steps, quiet
        self._done = self._failed = 0
        self._at: dict[str, tuple[Event, float]] = {}
        self._live: Live | None = None
        if self._console.is_terminal and not self._console.is_dumb_terminal and not quiet:
            self._live = Live(console=self._console, get_renderable=self._shown, transient=True)

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event, result: ModelResult | None) -> None:
        """Follow the run: a Watcher."""
        name = event.job.name
        if result is None:
            since = self._at[name][1] if name in self._at else time.monotonic()
            self._at[name] = (event, since)
            return
        self._at.pop(name, None)
        self._done += 1
        self._failed += result.status == "failed"
        if self._live is None and not self._quiet:
            from rich.text import Text

            width = len(str(self._count))
            line = f"{self._done:{width}} of {self._count}  {plain(name)}: {plain(_ending(result))}"
            self._console.print(Text(line), soft_wrap=True)

    def _shown(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        head = Table.grid(padding=(0, 2, 0, 0))
        failed = f", {self._failed} failed" if self._failed else ""
        bar = ProgressBar(self._count, self._done, width=_BAR)
        head.add_row(bar, Text(f"{self._done} of {self._count} models{failed}", no_wrap=True, overflow="ellipsis"))
        lines: list[RenderableType] = [head]
        for name, (event, since) in list(self._at.items()):
            number = f"{event.step} of {self._steps}  " if event.step else ""
            text = f"  {plain(name)}   {number}{plain(event.doing)}   {time.monotonic() - since:.0f} s"
            lines.append(Text(text, no_wrap=True, overflow="ellipsis"))
        return Group(*lines)


def _ending(result: ModelResult) -> str:
    if result.report is not None:
        nodes = f"{result.report.before.nodes} → {result.report.after.nodes} nodes"
        return f"done, {nodes}, {result.seconds:.1f} s"
    if result.failure is not None:
        return f"failed: {result.failure.message}"
    return "done before"
