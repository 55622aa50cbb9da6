"""TopK: the axis moves, both outputs with it."""

from __future__ import annotations

from graphkit.passes.transposes.permutation import Perm
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Site, alike


@rule("TopK")
def top_k(site: Site) -> Flow | None:
    """Of equal elements the one of the lower index comes first, in every layout."""
    rank = site.rank(0)
    axis = None if not rank else site.axis(-1, rank)
    if rank is None or axis is None or not site.attr("sorted", 1):
        return None

    def moved(perm: Perm) -> Moved:
        return Moved({0: perm}, (perm,) * len(site.node.output), {"axis": perm.index(axis)})

    return alike(rank, moved)
