"""How wide text is, and how it is made to fit and safe to write into XML."""

from __future__ import annotations

import unicodedata

ADVANCE = 0.605
"""Width of a character in em: monospaced fonts agree on it (DejaVu Sans Mono 0.602, Courier 0.600), others do not."""
FAMILY = "DejaVu Sans Mono, Menlo, Liberation Mono, Courier New, monospace"


def cells(text: str) -> int:
    """How many characters wide text is; East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def width(text: str, size: float) -> float:
    """Width of text in points, at a font size in points."""
    return cells(text) * ADVANCE * size


def shorten(text: str, most: int) -> str:
    """Text of at most `most` cells: what is too long loses its middle, since names differ at their ends."""
    text = visible(text)
    if cells(text) <= most:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while cells(head) + cells(tail) + 1 > most:
        if cells(head) > cells(tail):
            head = head[:-1]
        else:
            tail = tail[1:]
    return f"{head}…{tail}"


def visible(text: str) -> str:
    """Text with one line and no characters that XML forbids, or that change the direction of what stands around."""
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cs", "Cf", "Cn") else char for char in text)
