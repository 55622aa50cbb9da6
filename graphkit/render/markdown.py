"""Markdown in which nothing that a model says is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from graphkit.render.console import plain

_SPECIAL = frozenset("\\`*_{}[]|~")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;", "#": "&#35;"}


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are escaped, its titles are not."""
    lines = [titles, ["---"] * len(titles), *([escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """Names in a model are hostile input: nothing in them is markup, a link, a mention or HTML."""
    return "".join(_ENTITIES.get(char) or (f"\\{char}" if char in _SPECIAL else char) for char in plain(text))
