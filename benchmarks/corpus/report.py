"""The tables: the files, the cells by kind, cleanup beside the simplifiers, and what went wrong where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.corpus.files import File
from benchmarks.corpus.result import FAILED, Cell
from benchmarks.corpus.simplifiers import ANY_SIZE, CLEANUP, PEERS
from benchmarks.corpus.traits import Traits, traits
from graphkit.errors import GraphkitError
from graphkit.model import Model

Cells = Mapping[tuple[str, str], Cell]

_REPLACEABLE = 4
"""The IR version from which an initializer that is an input may be replaced."""


@dataclass(frozen=True)
class Gap:
    """A file of which a simplifier leaves fewer nodes than cleanup, with the outputs right.

    Attributes:
        file: The file.
        before: Nodes as it came.
        cleanup: Nodes that cleanup leaves.
        best: Nodes that the best of the others leaves.
        tool: Which one.
        why: What follows of the reason from the cells and the file; "" where nothing does.
    """

    file: File
    before: int
    cleanup: int
    best: int
    tool: str
    why: str


def read_traits(file: File) -> Traits | None:
    """What is remarkable about it; None where it cannot be read."""
    try:
        return traits(Model.load(file.path).proto())
    except GraphkitError:
        return None


def gaps(files: Sequence[File], known: Mapping[str, Traits], cells: Cells) -> list[Gap]:
    """Where cleanup is not the best, or among the best, of the right ones.

    Args:
        files: Which to look at.
        known: sha256 -> what is remarkable about the file.
        cells: The journal.
    """
    found = []
    for file in files:
        ours = cells.get((file.sha256, f"tool {CLEANUP}"))
        others = [(nodes, tool) for tool in PEERS if (nodes := _right(cells, file, tool)) is not None]
        # One that is refused, or cannot be judged, leaves the file as it came.
        left = ours.nodes if ours is not None and ours.nodes is not None else known[file.sha256].nodes
        if others and min(others)[0] < left:
            nodes, tool = min(others)
            why = _why(file, known[file.sha256], cells, nodes, tool)
            found.append(Gap(file, known[file.sha256].nodes, left, nodes, tool, why))
    return found


def _why(file: File, told: Traits, cells: Cells, best: int, tool: str) -> str:
    lifted = _right(cells, file, ANY_SIZE)
    theirs = cells[file.sha256, f"tool {tool}"]
    reasons = []
    if "initializers that are inputs" in told.features and told.ir >= _REPLACEABLE:
        reasons.append("its weights are inputs that a caller may replace")
    if lifted is not None and lifted <= best and theirs.bytes is not None:
        before, after = file.path.stat().st_size / 1e6, theirs.bytes / 1e6
        reasons.append(f"constants over the limit: {before:.1f} MB become {after:.1f} MB; cleanup without it: {lifted}")
    return "; ".join(reasons)


def _right(cells: Cells, file: File, tool: str) -> int | None:
    cell = cells.get((file.sha256, f"tool {tool}"))
    return cell.nodes if cell is not None and cell.kind == "right" else None


def show(console: Console, files: Sequence[File], names: Sequence[str], cells: Cells) -> bool:
    """Print everything.

    Returns:
        Whether graphkit failed somewhere.
    """
    known = {file.sha256: told for file in files if (told := read_traits(file)) is not None}
    _show_files(console, files, known)
    _show_kinds(console, files, names, cells)
    readable = [file for file in files if file.sha256 in known]
    _show_tools(console, readable, known, cells)
    wrong = [
        (file, cell)
        for file in files
        for name in names
        if (cell := cells.get((file.sha256, name))) is not None and cell.kind in {*FAILED, "crash"}
    ]
    ours = [(file, cell) for file, cell in wrong if cell.name.removeprefix("tool ") not in PEERS]
    for title, rows in (("graphkit fails", ours), ("the others fail", [item for item in wrong if item not in ours])):
        console.print(f"\n{title}: {len(rows)}")
        for file, cell in rows:
            console.print(f"  {file.key}: {cell.name}: {cell.kind}: {cell.why[:200]}", markup=False, soft_wrap=True)
    return bool(ours)


def _show_files(console: Console, files: Sequence[File], known: Mapping[str, Traits]) -> None:
    table = Table("file", "producer", "IR", "opset", "nodes", "features")
    for file in files:
        told = known.get(file.sha256)
        if told is None:
            table.add_row(file.key, "cannot be read")
            continue
        table.add_row(
            file.key, told.producer or "–", str(told.ir), str(told.opset), str(told.nodes), ", ".join(told.features)
        )
    console.print(table)
    producers = Counter(told.producer or "none named" for told in known.values())
    console.print(f"{len(files)} files, {sum(file.real for file in files)} of them real, {len(producers)} producers:")
    console.print(", ".join(f"{name} {count}" for name, count in producers.most_common()))


def _show_kinds(console: Console, files: Sequence[File], names: Sequence[str], cells: Cells) -> None:
    kinds: dict[str, Counter[str]] = {name: Counter() for name in names}
    for file in files:
        for name in names:
            if (cell := cells.get((file.sha256, name))) is not None:
                kinds[name][cell.kind] += 1
    columns = [kind for kind, _ in sum(kinds.values(), Counter[str]()).most_common()]
    table = Table("cell", *columns)
    for name, counted in kinds.items():
        table.add_row(name, *(str(counted[kind] or "") for kind in columns))
    table.add_row("all", *(str(sum(counted[kind] for counted in kinds.values())) for kind in columns))
    console.print(table)


def _show_tools(console: Console, files: Sequence[File], known: Mapping[str, Traits], cells: Cells) -> None:
    tools = (CLEANUP, ANY_SIZE, *PEERS)
    table = Table("file", "before", *tools, title="nodes left, where the outputs are right")
    for file in files:
        found = [cells.get((file.sha256, f"tool {tool}")) for tool in tools]
        if any(found):
            table.add_row(file.key, str(known[file.sha256].nodes), *map(_told, found))
    console.print(table)
    behind = gaps(files, known, cells)
    console.print(f"cleanup leaves more than the best of the others: {len(behind)}")
    for gap in behind:
        why = f": {gap.why}" if gap.why else ""
        line = f"  {gap.file.key}: {gap.before} → {gap.cleanup}, {gap.tool} {gap.best}{why}"
        console.print(line, markup=False, highlight=False)


def _told(cell: Cell | None) -> str:
    if cell is None:
        return ""
    return str(cell.nodes) if cell.kind == "right" else f"{cell.kind}{'' if cell.nodes is None else f' {cell.nodes}'}"
