"""The list of passes, and one pass explained, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphkit.render.console import plain

if TYPE_CHECKING:
    from rich.console import Console


def print_passes(console: Console, entries: list[dict[str, Any]]) -> None:
    """A row a pass: name, what it does, how it is proven, whose it is."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("pass", no_wrap=True)
    table.add_column("what it does", overflow="fold")
    table.add_column("proven", no_wrap=True)
    table.add_column("from", overflow="fold")
    for entry in entries:
        what = Text(plain(entry["error"]), "red") if entry["error"] else Text(plain(entry["title"]))
        table.add_row(Text(plain(entry["name"]), "bold"), what, entry["numerics"], Text(plain(entry["origin"]), "dim"))
    console.print(table)
    console.print("\n`graphkit passes NAME` explains one with its options.", style="dim")


def print_pass(console: Console, entry: dict[str, Any]) -> None:
    """One pass: its page, then its options."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text.assemble((plain(entry["name"]), "bold"), "  ", plain(entry["title"])))
    console.print(Text(f"from {plain(entry['origin'])}, proven {entry['numerics']}", "dim"))
    if entry["page"]:
        _print_page(console, entry["page"])
    console.print()
    if not entry["options"]:
        console.print("It has no options.")
        return
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("option", no_wrap=True)
    table.add_column("type", overflow="fold")
    table.add_column("default", overflow="fold")
    table.add_column("meaning", overflow="fold")
    for option in entry["options"]:
        default = "must be given" if option["required"] else _yaml_word(option["default"])
        table.add_row(
            Text(plain(option["name"]), "bold"), option["type"], plain(default), Text(plain(option["description"]))
        )
    console.print(table)
    if entry["scalar"]:
        console.print(f"\nIn a pipeline `{entry['name']}: VALUE` sets {entry['scalar']}.", style="dim")


def _print_page(console: Console, page: str) -> None:
    """A docstring: headings bold, paragraphs filled to the terminal's width, indented as they are in the source."""
    from itertools import groupby

    from rich.padding import Padding
    from rich.text import Text

    for block in page.split("\n\n"):
        console.print()
        for indent, group in groupby(block.splitlines(), lambda line: len(line) - len(line.lstrip())):
            lines = list(group)
            heading = indent == 0 and len(lines) == 1 and lines[0].endswith(":")
            text = Text(plain(" ".join(line.strip() for line in lines)), "bold" if heading else "")
            console.print(Padding(text, (0, 0, 0, min(indent, 4)), expand=False))


def _yaml_word(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(str(item) for item in value) + "]"
    return str(value)
