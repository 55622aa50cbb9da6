"""Topological order of anything, told only what waits for what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush


def stable_order(dependencies: Sequence[Collection[int]]) -> list[int]:
    """An order in which everything comes behind what it depends on.

    Kahn's algorithm; of those that can come next, the one that stood first, so what is in order keeps its order.

    Args:
        dependencies: For each index the indices it depends on.

    Returns:
        The indices in order. Those on a cycle, and those behind one, are left out.
    """
    waiting = [len(sources) for sources in dependencies]
    readers: list[list[int]] = [[] for _ in dependencies]
    for index, sources in enumerate(dependencies):
        for source in sources:
            readers[source].append(index)
    ready = [index for index, count in enumerate(waiting) if not count]
    heapify(ready)
    order: list[int] = []
    while ready:
        index = heappop(ready)
        order.append(index)
        for reader in readers[index]:
            waiting[reader] -= 1
            if not waiting[reader]:
                heappush(ready, reader)
    return order
