"""HTML made of elements, never of strings: whatever a model calls its nodes, it stays text.

There is no script and next to no style: code hosts take both out, and the rest has to be readable without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, tostring

from graphkit.render.console import plain

Content = Element | str

# Jupyter aligns cells to the right. It stands in each cell, because a code host shows the text of a style element.
_CELL = "text-align: left; vertical-align: top"
_NUMBER = "text-align: right; vertical-align: top; white-space: nowrap"


def element(tag: str, *content: Content | None, **attributes: str) -> Element:
    """An element; None among its content is left out.

    Args:
        tag: Its tag.
        content: Elements and text, which is escaped when it is written; characters that do not print become "�".
        attributes: As text.
    """
    made = Element(tag, {name: plain(value) for name, value in attributes.items()})
    for item in content:
        if item is None:
            continue
        if isinstance(item, Element):
            made.append(item)
        elif len(made):
            made[-1].tail = (made[-1].tail or "") + plain(item)
        else:
            made.text = (made.text or "") + plain(item)
    return made


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Content | None]], numbers: Iterable[int] = ()
) -> Element | None:
    """A table, or None where it has no rows.

    Args:
        headings: One a column; () for none at all.
        rows: Their cells.
        numbers: The columns that are aligned to the right.
    """
    right = frozenset(numbers)
    body = [element("tr", *_cells("td", row, right)) for row in rows]
    if not body:
        return None
    head = element("thead", element("tr", *_cells("th", headings, right))) if headings else None
    return element("table", head, element("tbody", *body))


def facts(rows: Iterable[tuple[str, str]]) -> Element | None:
    """Names with their values."""
    return table((), ((element("b", name), value) for name, value in rows))


def folded(summary: str, *content: Content | None) -> Element | None:
    """What is shown when somebody opens it; None where there is nothing."""
    if not any(item is not None for item in content):
        return None
    return element("details", element("summary", summary), *content)


def written(*content: Content | None) -> str:
    """The HTML of some elements, as one division."""
    return tostring(element("div", *content), encoding="unicode", method="html")


def _cells(tag: str, row: Sequence[Content | None], right: frozenset[int]) -> list[Element]:
    return [element(tag, cell, style=_NUMBER if place in right else _CELL) for place, cell in enumerate(row)]
