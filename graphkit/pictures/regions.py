"""Regions of a graph with one way in and one way out, found from where branches meet."""

from __future__ import annotations

from dataclasses import dataclass

from graphkit.pictures.web import Web

_LARGEST = 80
"""Parts: no block of a detector comes near it."""


@dataclass(frozen=True)
class Region:
    """What lies between a part and where everything that it leads to meets again.

    Attributes:
        entry: The part that everything inside comes from; not inside.
        inside: Sorted, `exit` among them.
        exit: Where the branches meet.
    """

    entry: int
    inside: tuple[int, ...]
    exit: int


def region_of(web: Web, join: int) -> Region | None:
    """The smallest region that ends at a part; None where what it reads does not come from one part alone.

    Walks back from the join, always over the latest part that is read and not inside yet: whatever reads that one and
    is still outside is a way out of the region, so there is none.
    """
    inside = {join}
    edge = set(web.before[join])
    while len(edge) > 1 and len(inside) < _LARGEST:
        latest = max(edge)
        if not web.is_node(latest) or not web.after[latest] <= inside:
            return None
        inside.add(latest)
        edge = (edge - {latest}) | (web.before[latest] - inside)
    if len(edge) != 1 or len(inside) < 2:
        return None
    return Region(edge.pop(), tuple(sorted(inside)), join)


@dataclass(frozen=True)
class Arm:
    """One way into a join: a chain of parts, and where it begins."""

    stop: int
    chain: tuple[int, ...]


def arms_of(web: Web, region: Region) -> list[Arm] | None:
    """The ways into a region's exit, each back to the entry or to the end of another; None where one branches."""
    ends = sorted(web.before[region.exit])
    found = []
    for end in ends:
        chain: list[int] = []
        place: int | None = end
        while place is not None and place != region.entry and (place == end or place not in ends):
            chain.append(place)
            place = web.sole_source(place)
        if place is None:
            return None
        found.append(Arm(place, tuple(reversed(chain))))
    return found
