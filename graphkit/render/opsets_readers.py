"""Which runtimes read which opsets, beside those that a model can be pinned to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from graphkit.runtimes import Table


def print_readers(console: Console, now: int, tables: Sequence[Table]) -> None:
    """A row a runtime: its versions, the newest first, with the opsets that each reads.

    Args:
        console: Where to print.
        now: The model's opset; the versions that read it are green.
        tables: Those of which it is known, the versions of a runtime together.
    """
    from rich.padding import Padding
    from rich.table import Table as Grid
    from rich.text import Text

    if not tables:
        return
    grid = Grid(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    grid.add_column("read by", no_wrap=True)
    grid.add_column("versions: opsets", overflow="fold")
    for runtime, versions in groupby(tables, lambda table: table.runtime):
        said = [
            Text(f"{', '.join(table.version for table in alike)}: {_range(opsets)}", _style(opsets, now))
            for opsets, alike in groupby(versions, lambda table: table.opsets)
        ]
        grid.add_row(runtime, Text("   ").join(said))
    console.print()
    console.print(Padding(grid, (0, 0, 0, 2), expand=False))


def reads(opsets: tuple[int | None, int | None], opset: int) -> bool:
    """Whether an opset is among those that a runtime reads."""
    low, high = opsets
    return (low is None or low <= opset) and (high is None or opset <= high)


def _range(opsets: tuple[int | None, int | None]) -> str:
    low, high = opsets
    if high is None:
        return f"from {low}"
    return f"{low}–{high}" if low is not None else f"up to {high}"


def _style(opsets: tuple[int | None, int | None], now: int) -> str:
    return "green" if reads(opsets, now) else "dim"
