"""Reads the tables of a Markdown document, however untidily they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from graphkit.errors import UsageError

_LONGEST = 240
_PARSER = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its text without markup, a line for each `<br>`, and what its first link points to."""

    text: str
    link: str = ""


Rows = list[dict[str, Cell]]


def read(path: Path) -> str:
    """The text of a source.

    Raises:
        UsageError: It is not there or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the source {path} cannot be read: {error}.") from error


def rows_of(path: Path, *columns: str) -> Rows:
    """The rows of every table of a document that has these columns.

    A row that is not closed, or lacks cells at its end, is read with empty ones; what is beyond the header is left out.

    Raises:
        UsageError: The document has no such table.
    """
    found = [rows for header, rows in _tables(read(path)) if set(columns) <= set(header)]
    if not found:
        raise UsageError(f"{path} has no table with the columns {', '.join(columns)}; is it another document?")
    return [row for rows in found for row in rows]


def sentence(text: str) -> str:
    """Prose of a cell as one constraint: on one line, and not longer than can be read, cut after a clause."""
    points = [re.sub(r"^[-*]\s+", "", line).strip(" .;") for line in text.splitlines()]
    joined = re.sub(r"\s+", " ", "; ".join(point for point in points if point and point != "-"))
    if len(joined) <= _LONGEST:
        return joined
    kept = ""
    for clause in re.split(r"(?<=[.;])\s+", joined):
        if kept and len(kept) + len(clause) >= _LONGEST:
            break
        kept = f"{kept} {clause}".strip()
    return f"{kept.rstrip(' .;')} …" if len(kept) < len(joined) else kept


def _tables(text: str) -> Iterator[tuple[list[str], Rows]]:
    header: list[str] = []
    rows: Rows = []
    cells: list[Cell] = []
    for token in _PARSER.parse(text):
        if token.type == "table_open":
            header, rows = [], []
        elif token.type == "tr_open":
            cells = []
        elif token.type == "inline" and token.level >= _CELL_LEVEL:
            cells.append(_cell(token))
        elif token.type == "tr_close" and header:
            rows.append(dict(zip(header, cells, strict=False)))
        elif token.type == "tr_close":
            header = [cell.text for cell in cells]
        elif token.type == "table_close":
            yield header, rows


_CELL_LEVEL = 4  # table, thead or tbody, tr, th or td


def _cell(token: Token) -> Cell:
    parts: list[str] = []
    link = ""
    for child in token.children or ():
        if child.type == "html_inline" and child.content.lower().startswith("<br"):
            parts.append("\n")
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type == "link_open":
            link = link or str(child.attrs.get("href", ""))
        elif child.type in ("text", "code_inline"):
            parts.append(child.content)
    return Cell("".join(parts).strip(), link)
