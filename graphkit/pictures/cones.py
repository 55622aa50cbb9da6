"""Regions of a graph with one way out and any number of ways in: all that is only there for one part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphkit.pictures.web import Part, Web

_LARGEST = 80
"""Parts; a layer of a transformer has less than half of it."""


@dataclass(frozen=True)
class Cone:
    """A part, and what leads to it and nowhere else.

    No way leaves it but through its exit, so it can be put together.

    Attributes:
        entries: The parts outside that it reads, sorted.
        inside: Sorted, `exit` among them.
        exit: The part that all others lead to.
    """

    entries: tuple[int, ...]
    inside: tuple[int, ...]
    exit: int


def cone_of(web: Web, end: int, stops: Callable[[Part], bool] = lambda _: False) -> Cone | None:
    """All that leads to a part and nowhere else, up to parts that `stops` keeps outside; None where it is too large."""
    inside = {end}
    edge = set(web.before[end])
    entries: set[int] = set()
    while edge:
        latest = max(edge)  # whatever could read it and be inside comes behind it, and has been looked at
        edge.discard(latest)
        if not web.is_node(latest) or not web.after[latest] <= inside or stops(web.parts[latest]):
            entries.add(latest)
            continue
        inside.add(latest)
        if len(inside) > _LARGEST:
            return None
        edge |= web.before[latest] - inside
    return Cone(tuple(sorted(entries)), tuple(sorted(inside)), end)
