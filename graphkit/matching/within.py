"""Pairs inside a region: what looks the same there, once on each side, and stands in the same order."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from graphkit.matching.regions import Region


def alike(region: Region, left: Sequence[bytes], right: Sequence[bytes]) -> list[tuple[int, int]]:
    """Nodes of a region with a hash that one node of each side has; of those that cross, the most that do not.

    Args:
        region: Where.
        left: A hash of each node of the left graph, without its neighbours.
        right: Of the right graph.
    """
    counts = Counter(left[node.index] for node in region.left), Counter(right[node.index] for node in region.right)
    places = {right[node.index]: node.index for node in region.right if counts[1][right[node.index]] == 1}
    pairs = [
        (node.index, places[left[node.index]])
        for node in region.left
        if counts[0][left[node.index]] == 1 and left[node.index] in places
    ]
    return _rising(pairs)


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs in which both numbers rise; the first already does (patience sorting)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for place, (_, value) in enumerate(pairs):
        length = bisect_left(ends, value)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [value]
        last[length : length + 1] = [place]
    found = []
    place = last[-1] if last else -1
    while place >= 0:
        found.append(pairs[place])
        place = before[place]
    return found[::-1]
