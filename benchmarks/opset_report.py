"""Tables and lists of what benchmarks.opset found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from benchmarks.opset import Cell

KINDS = ("right", "refused", "wrong", "crashed", "unjudged")
_SUMMED = (11, 13, 15, 17)
_WIDTH = 180


def report(cells: Sequence[Cell], models: int, outside: Sequence[str], seconds: float) -> int:
    """Print everything; how many cells of graphkit should not be what they are."""
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH
    tools = list(dict.fromkeys(cell.tool for cell in cells))
    for title, down in (("on the way down", True), ("on the way up", False)):
        some = [cell for cell in cells if cell.down is down]
        if some:
            console.print(_table(title, some, tools, down=down))
    console.print(f"{models} models, {len(cells)} cells, {seconds:.0f} s")
    if outside:
        console.print(f"left out, for they use nothing of the default domain: {len(outside)} models")
    held = Counter(cell.held_to for cell in cells if cell.kind in ("right", "wrong"))
    console.print(
        f"held to the original's outputs, which are not those expected: {held['original']}; to types and shapes, the "
        f"operator being random: {held['shapes']}"
    )
    for tool in tools:
        times = sorted(cell.seconds for cell in cells if cell.tool == tool and cell.seconds)
        if times:
            console.print(f"{tool}: {1e3 * sum(times) / len(times):.2f} ms a conversion, {1e3 * times[-1]:.0f} at most")
    mine = [cell for cell in cells if cell.tool == "graphkit"]
    for kind in ("wrong", "crashed", "unjudged"):
        _list(console, f"graphkit: {kind}", [cell for cell in mine if cell.kind == kind], most=100)
    _list(console, "graphkit: refused on the way up", [c for c in mine if c.kind == "refused" and not c.down], most=100)
    _list(console, "graphkit: refused on the way down", [c for c in mine if c.kind == "refused" and c.down], most=100)
    bad = [c for c in mine if c.kind in ("wrong", "crashed") or (c.kind == "refused" and not c.down)]
    return len(bad)


def _table(title: str, cells: Sequence[Cell], tools: Sequence[str], *, down: bool) -> Table:
    table = Table(title=title)
    table.add_column("opset")
    for tool in tools:
        for kind in KINDS:
            table.add_column(f"{tool}\n{kind}" if kind == KINDS[0] else f"\n{kind}", justify="right")
    counts = Counter((cell.target, cell.tool, cell.kind) for cell in cells)
    targets = sorted({cell.target for cell in cells})
    groups = [(str(target), (target,)) for target in targets]
    if down and set(_SUMMED) <= set(targets):
        groups.append(("+".join(map(str, _SUMMED)), _SUMMED))  # type: ignore[arg-type]
    groups.append(("all", tuple(targets)))  # type: ignore[arg-type]
    for name, some in groups:
        row = [sum(counts[target, tool, kind] for target in some) for tool in tools for kind in KINDS]
        table.add_row(name, *map(str, row), end_section=name == str(targets[-1]))
    return table


def _list(console: Console, title: str, cells: Sequence[Cell], most: int) -> None:
    """The reasons, those of most cells first, each with its models."""
    if not cells:
        return
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(_reason(cell.why), []).append(cell)
    console.print(f"\n{title}: {len(cells)} cells", style="bold")
    for reason, some in sorted(groups.items(), key=lambda item: -len(item[1]))[:most]:
        names = list(dict.fromkeys(cell.model for cell in some))
        ways = sorted({(cell.now, cell.target) for cell in some})
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        ends = f"{ways[0][0]} → {ways[0][1]}" + (" …" if len(ways) > 1 else "")
        console.print(f"  {len(some):5}  {reason}\n         [{ends}] {shown}", markup=False, highlight=False)
    if len(groups) > most:
        console.print(f"  and {len(groups) - most} more reasons")


def _reason(why: str) -> str:
    """A reason without what is different in every model: the target, names, the advice at the end."""
    text = why.split("\n")[1] if "\n" in why else why
    text = re.sub(r"^cannot go from opset \d+ to \d+(:|, because) ", "", text.strip())
    text = re.sub(r"; (the (lowest|highest) opset|this model cannot) .*$", "", text)
    text = re.sub(r"^(\w+) \([^)]*\)", r"\1", text)
    return re.sub(r'"[^"]*"| \([^()]*\)', " …", text)
