"""The table of benchmarks.transposes, and what it says about graphkit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.transposes_judge import BEFORE, Cell
from benchmarks.transposes_latency import SLOWER, Timed
from benchmarks.transposes_tools import AFTER, OTHERS, OURS

Grid = dict[tuple[str, str], dict[str, Cell]]
"""Group and row -> tool -> cell."""

_TITLES = {"a": "small graphs", "b": "ultralytics' families", "c": "models from packages, channels-last exports"}
_LEAST_SHARE = 0.5


def grid(cells: Sequence[Cell]) -> Grid:
    """The cells by row."""
    rows: Grid = {}
    for cell in cells:
        rows.setdefault((cell.group, cell.row), {})[cell.tool] = cell
    return rows


@dataclass(frozen=True)
class Verdict:
    """What the rows say about one of graphkit's pipelines.

    Attributes:
        own: The pipeline.
        bad: Rows where it is not ok, with why.
        more: Rows where it leaves more Transposes than the best of the others.
        more_elements: Rows where more elements are moved than with the best of the others; whether that one has more
            Transposes for it.
        grown: Rows where more Transposes or elements are left than there were.
        any_left: Rows where the best of the others leaves some.
        fewer: Of these, rows where it leaves fewer.
        any_moved: Rows where the best of the others moves elements.
        fewer_elements: Of these, rows where it moves fewer.
        removed: Rows of a and b where onnxruntime removes more afterwards.
    """

    own: str
    bad: tuple[str, ...]
    more: tuple[str, ...]
    more_elements: tuple[str, ...]
    grown: tuple[str, ...]
    any_left: tuple[str, ...]
    fewer: tuple[str, ...]
    any_moved: tuple[str, ...]
    fewer_elements: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether everything is as it has to be."""
        wrong = (*self.bad, *self.more, *self.more_elements, *self.grown, *self.removed)
        return not wrong and len(self.fewer) >= _LEAST_SHARE * len(self.any_left)


def verdict(own: str, rows: Grid) -> Verdict:
    """Hold one of graphkit's pipelines against the best of all others, in each row.

    A tool whose model is wrong does not count. Transposes that onnxruntime moves into operators of its own count for
    it: they are still there, in a model that runs nowhere else.
    """

    def named(
        test: Callable[[Cell, list[Cell], dict[str, Cell]], bool], groups: str = "abc", price: bool = False
    ) -> tuple[str, ...]:
        found = []
        for (group, name), tools in rows.items():
            mine = tools.get(own)
            rivals = [tools[tool] for tool in OTHERS if tool in tools and tools[tool].ok]
            if mine is not None and mine.ok and group in groups and test(mine, rivals, tools):
                lighter = [cell for cell in rivals if cell.elements < mine.elements]
                paid = price and all(cell.transposes > mine.left for cell in lighter)
                found.append(f"{group} {name}{', which takes more Transposes' if paid else ''}")
        return tuple(found)

    def least(rivals: list[Cell], tools: dict[str, Cell]) -> int:
        return min(cell.transposes for cell in (*rivals, tools[BEFORE]))

    def moved(rivals: list[Cell], tools: dict[str, Cell]) -> int:
        return min(cell.elements for cell in (*rivals, tools[BEFORE]))

    def taken(mine: Cell, _rivals: list[Cell], tools: dict[str, Cell]) -> bool:
        later = [cell for cell in _later(own, tools) if cell.ok]
        return any(cell.transposes < mine.left or cell.elements < mine.elements for cell in later)

    return Verdict(
        own,
        tuple(
            f"{group} {name}: {tools[own].kind}: {tools[own].why}"
            for (group, name), tools in rows.items()
            if own in tools and not tools[own].ok
        ),
        more=named(lambda mine, rivals, tools: mine.left > least(rivals, tools)),
        more_elements=named(lambda mine, rivals, tools: mine.elements > moved(rivals, tools), price=True),
        grown=named(lambda mine, _, tools: mine.left > tools[BEFORE].left or mine.elements > tools[BEFORE].elements),
        any_left=named(lambda _, rivals, tools: least(rivals, tools) > 0),
        fewer=named(lambda mine, rivals, tools: mine.left < least(rivals, tools)),
        any_moved=named(lambda _, rivals, tools: moved(rivals, tools) > 0),
        fewer_elements=named(lambda mine, rivals, tools: mine.elements < moved(rivals, tools)),
        removed=named(taken, "ab"),
    )


def report(cells: Sequence[Cell], timed: Sequence[Timed], seconds: float) -> bool:
    """Print everything; whether cleanup, which is what the other tools are held against, is as it has to be."""
    console = Console(width=230)
    dead = [cell for cell in cells if cell.tool == BEFORE and not cell.ok]
    for cell in dead:
        console.print(f"left out: {cell.group} {cell.row}: {cell.why}", markup=False, highlight=False)
    left_out = {(cell.group, cell.row) for cell in dead}
    cells = [cell for cell in cells if (cell.group, cell.row) not in left_out]
    rows = grid(cells)
    for group in sorted({group for group, _ in rows}):
        console.print(_table(group, rows))
    console.print(
        "each cell: Transposes left, +n in operators of onnxruntime alone, / elements moved in all runs; = where both "
        "are as before\nort after: what onnxruntime takes away from graphkit's model, at the level that takes more"
    )
    _problems(console, cells)
    verdicts = [verdict(own, rows) for own in OURS]
    for found in verdicts:
        _say(console, found, len(rows))
    if timed:
        _latencies(console, timed)
    console.print(f"{len(rows)} models, {len(cells)} cells, {seconds:.0f} s")
    return not dead and verdicts[-1].good and not any(item.slower for item in timed)


def _table(group: str, rows: Grid) -> Table:
    tools = [BEFORE, *OURS, *OTHERS]
    table = Table(title=f"({group}) {_TITLES[group]}")
    for head in ("", *tools, *(f"ort after {own}" for own in OURS)):
        table.add_column(head, no_wrap=head == "")
    for (its, name), cells in rows.items():
        if its == group:
            texts = [_text(cells.get(tool), cells[BEFORE]) for tool in tools]
            table.add_row(name, *texts, *(_taken(own, cells) for own in OURS))
    told: list[str] = []
    for tool in tools:
        times = sorted(cells[tool].seconds for (its, _), cells in rows.items() if its == group and tool in cells)
        told.append(f"{sum(times):.1f} / {times[-1]:.2f}" if times and tool != BEFORE else "")
    table.add_section()
    table.add_row("seconds: all / the longest", *told)
    return table


def _text(cell: Cell | None, before: Cell) -> str:
    if cell is None:
        return ""
    if not cell.ok:
        return cell.kind
    if (
        cell.tool != BEFORE
        and (cell.transposes, cell.elements) == (before.left, before.elements)
        and cell.left
        and not cell.swallowed
    ):
        return "="
    swallowed = f"+{cell.swallowed}" if cell.swallowed else ""
    return f"{cell.left}{swallowed} / {cell.elements}"


def _later(own: str, cells: dict[str, Cell]) -> list[Cell]:
    """What onnxruntime makes of the model of one of graphkit's pipelines, at each level."""
    return [cells[tool] for tool, (first, _) in AFTER.items() if first == own and tool in cells]


def _taken(own: str, cells: dict[str, Cell]) -> str:
    """What onnxruntime takes away from it at most, Transposes / elements; "" where that is nothing."""
    later = [cell for cell in _later(own, cells) if cell.ok]
    if not cells[own].ok or not later:
        return "–"
    nodes = max(0, *(cells[own].left - cell.transposes for cell in later))
    elements = max(0, *(cells[own].elements - cell.elements for cell in later))
    return f"-{nodes} / -{elements}" if nodes or elements else ""


def _problems(console: Console, cells: Sequence[Cell]) -> None:
    counts = Counter((cell.tool, cell.kind) for cell in cells if not cell.ok)
    for (tool, kind), count in counts.items():
        console.print(f"{tool}: {count} {kind}", style="bold")
        for cell in cells:
            if (cell.tool, cell.kind) == (tool, kind):
                console.print(f"  {cell.group} {cell.row}: {cell.why}", markup=False, highlight=False)

    reordered = Counter(cell.tool for cell in cells if cell.reordered)
    for tool, count in reordered.items():
        console.print(f"{tool}: {count} ok but for the order of rows that are chosen by nearly equal scores")


def _say(console: Console, found: Verdict, count: int) -> None:
    console.print(f"\n{found.own}", style="bold")
    for told, names in (
        ("wrong, refused or crashed", found.bad),
        ("more Transposes left than by the best of the others", found.more),
        ("more elements moved than by the best of the others", found.more_elements),
        ("more left or moved than before", found.grown),
        ("onnxruntime removes more afterwards, of (a) and (b)", found.removed),
    ):
        console.print(f"  {told}: {len(names)} of {count}", highlight=False)
        for name in names:
            console.print(f"    {name}", markup=False, highlight=False)
    for told, some, left in (
        ("leaves fewer Transposes", found.fewer, found.any_left),
        ("moves fewer elements", found.fewer_elements, found.any_moved),
    ):
        share = len(some) / len(left) if left else 1.0
        console.print(
            f"  {told}: {len(some)} of {len(left)} rows where the best of the others leaves any ({share:.0%})"
        )


def _latencies(console: Console, timed: Sequence[Timed]) -> None:
    table = Table("", "ms before", "after / before", "99 % interval", title="latency in onnxruntime, all optimisations")
    for item in sorted(timed, key=lambda item: -item.ratio):
        told = f"{item.low:.3f} … {item.high:.3f}" + (" slower" if item.slower else "")
        table.add_row(item.row, f"{item.milliseconds:.3f}", f"{item.ratio:.3f}", told)
    console.print(table)
    console.print(
        f"more than 2 % slower: {sum(item.slower for item in timed)} of {len(timed)} models for sure, "
        f"{sum(item.ratio > SLOWER for item in timed)} by the ratio alone"
    )
