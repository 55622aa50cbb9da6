"""What differs between two models, as a person reads it in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from graphkit.render import diff_words as words
from graphkit.render.console import plain
from graphkit.render.quantities import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from graphkit.analysis.differences import EndChange, GraphDiff, NodeChange, NodeName, Place, Setting

_T = TypeVar("_T")
_MOST_ROWS = 12
_MOST_DETAILED = 6
"""In a terminal; in a pipe everything is listed."""
_MOST_NODES = 4
_MOST_NAMES = 3
_BESIDE_VALUE = 36
"""Columns that a setting's name takes."""
_GONE, _NEW, _OTHER = ("-", "red"), ("+", "green"), ("~", "yellow")


def print_diff(console: Console, diff: GraphDiff) -> None:
    """Both models, the verdict, and all that differs, from the outside in."""
    from rich.text import Text

    table = _grid(3, indent=0)
    for side, name, told in (("A", diff.left_name, diff.left), ("B", diff.right_name, diff.right)):
        constants = told.operators.get("Constant", 0)
        nodes = words.several(told.nodes, "node") + (f", {constants:,} of them Constant" if constants else "")
        facts = f"opset {told.opset}   {nodes}   {size(told.bytes)}"
        table.add_row(Text(side, "bold"), Text(plain(name), "bold"), Text(facts, "dim"))
    console.print(table)
    console.print(Text(words.verdict(diff), "green" if diff.equal else ""))
    _print_settings(console, diff.settings)
    _print_ends(console, diff.ends)
    _print_operators(console, diff)
    _print_places(console, diff.places)
    _print_nodes(console, diff.nodes)
    for title, groups in (("Retyped", words.retyped(diff.tensors)), ("Reshaped", words.reshaped(diff.tensors))):
        _print_groups(console, title, groups)
    if diff.definitions:
        _title(console, "Defined differently by the two opsets")
        _print_line(console, words.definitions(diff))


def _print_settings(console: Console, settings: Sequence[Setting]) -> None:
    if not settings:
        return
    _title(console, "The model as a whole")
    table = _grid(3)
    for item in settings:
        mark = _NEW if item.left is None else _GONE if item.right is None else _OTHER
        values = [_value(console, value) for value in (item.left, item.right) if value is not None]
        table.add_row("", _mark(mark), plain(words.setting_name(item)), _text(" → ".join(values)))
    console.print(table)


def _print_ends(console: Console, ends: Sequence[EndChange]) -> None:
    if not ends:
        return
    _title(console, "Inputs and outputs")
    table = _grid(3)
    for item in ends:
        end = item.left or item.right
        assert end is not None
        told = words.end_words(end)
        if item.left is not None and item.right is not None:
            changes = "; ".join(f"{words.change_name(one)} {words.change_words(one)}" for one in item.changes)
            told = f"{end.name}: {changes}"
        mark = _NEW if item.left is None else _GONE if item.right is None else _OTHER
        table.add_row("", _mark(mark), item.kind, _text(told))
    console.print(table)


def _print_operators(console: Console, diff: GraphDiff) -> None:
    if not diff.operators:
        return
    console.print()
    table = _counts_table()
    shown, rest = _some(console, diff.operators)
    for item in shown:
        counts = (f"-{item.removed}" if item.removed else "", f"+{item.added}" if item.added else "")
        table.add_row(plain(item.op), f"{item.left}", f"{item.right}", *counts)
    console.print(table)
    if rest:
        more = ", ".join(
            plain(item.op) + (f" -{item.removed}" if item.removed else "") + (f" +{item.added}" if item.added else "")
            for item in rest
        )
        console.print(_dim(f"and {words.several(len(rest), 'operator')} more: {more}"))


def _print_places(console: Console, places: Sequence[Place]) -> None:
    if not places:
        return
    _title(console, "Built differently")
    shown, rest = _some(console, places, _MOST_DETAILED)
    for item in shown:
        _print_line(console, words.where(item, _MOST_NAMES if console.is_terminal else None))
        table = _grid(3, indent=4)
        for mark, nodes in ((_GONE, item.removed), (_NEW, item.added)):
            _add_nodes(console, table, mark, nodes)
        console.print(table)
    _print_rest(console, "place", rest, [node.op for place in rest for node in (*place.removed, *place.added)])


def _add_nodes(console: Console, table: Table, mark: tuple[str, str], nodes: Sequence[NodeName]) -> None:
    if console.is_terminal and len(nodes) > _MOST_NODES:
        table.add_row(
            "", _mark(mark), words.several(len(nodes), "node"), _text(words.operators(node.op for node in nodes))
        )
        return
    for node in nodes:
        table.add_row(
            "", _mark(mark), plain(node.op), _text("" if node.label.startswith(f"{node.op} → ") else node.label)
        )


def _print_nodes(console: Console, nodes: Sequence[NodeChange]) -> None:
    from rich.text import Text

    if not nodes:
        return
    _title(console, "Changed nodes")
    shown, rest = _some(console, nodes, _MOST_DETAILED)
    for item in shown:
        console.print(Text.assemble("  ", (f"~ {plain(item.left.op)}", "yellow"), f" {plain(words.node_words(item))}"))
        table = _grid(2, indent=6)
        for change in item.changes:
            table.add_row("", _dim(words.change_name(change)), _text(words.change_words(change)))
        console.print(table)
    _print_rest(console, "node", rest, [item.left.op for item in rest])


def _print_groups(console: Console, title: str, groups: Sequence[words.TensorGroup]) -> None:
    if not groups:
        return
    _title(console, f"{title} tensors")
    shown, rest = _some(console, groups)
    table = _grid(3)
    for group in shown:
        few = group.names[:_MOST_NAMES] if console.is_terminal else group.names
        more = f" and {len(group.names) - len(few)} more" if len(few) < len(group.names) else ""
        change = f"{group.left} → {group.right}"
        table.add_row("", _mark(_OTHER), _text(change), _text(", ".join(few) + more))
    console.print(table)
    if rest:
        count = sum(len(group.names) for group in rest)
        _print_line(console, f"and {words.several(count, 'tensor')} more in {len(rest)} other ways")


def _print_line(console: Console, text: str) -> None:
    table = _grid(1)
    table.add_row("", _dim(text))
    console.print(table)


def _print_rest(console: Console, noun: str, rest: Sequence[object], ops: Sequence[str]) -> None:
    if rest:
        told = f"and {words.several(len(rest), noun)} more: {words.operators(ops)}; a pipe or --json has them all"
        _print_line(console, told)


def _some(console: Console, items: Sequence[_T], most: int = _MOST_ROWS) -> tuple[Sequence[_T], Sequence[_T]]:
    if not console.is_terminal or len(items) <= most + 1:
        return items, ()
    return items[:most], items[most:]


def _value(console: Console, value: str) -> str:
    room = max(console.width - _BESIDE_VALUE, 16)
    return f"{value[: room - 1]}…" if console.is_terminal and len(value) > room else value


def _title(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _grid(columns: int, *, indent: int = 2) -> Table:
    """Columns of which the last is folded where the line ends; nothing is cut."""
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
    if indent:
        table.add_column(width=indent - 2, no_wrap=True)
    for _ in range(columns):
        table.add_column(overflow="fold")
    return table


def _counts_table() -> Table:
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim", pad_edge=False)
    table.add_column("operator", overflow="fold")
    for heading, style in (("A", ""), ("B", ""), ("only in A", "red"), ("only in B", "green")):
        table.add_column(heading, justify="right", no_wrap=True, style=style)
    return table


def _mark(mark: tuple[str, str]) -> Text:
    from rich.text import Text

    return Text(*mark)


def _text(text: str) -> Text:
    from rich.text import Text

    return Text(plain(text))


def _dim(text: str) -> Text:
    from rich.text import Text

    return Text(plain(text), "dim")
