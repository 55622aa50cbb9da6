"""Shape and Size: what they say of a tensor does not depend on where its elements lie."""

from __future__ import annotations

from graphkit.passes.transposes.permutation import Perm, inverse
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Label, Moved, Site


@rule("Shape", "Size")
def measured(site: Site) -> Flow | None:
    """The sizes are picked in their old order."""
    rank = site.rank(0)
    if rank is None:
        return None
    start, end, _ = slice(site.attr("start", 0), site.attr("end")).indices(rank)

    def moved(perm: Perm) -> Moved:
        if site.op == "Size":
            return Moved({0: perm})
        return Moved({0: perm}, attrs={"start": None, "end": None}, gather=inverse(perm)[start:end])

    def enter(slot: int, perm: Perm, _: Label) -> Label | None:
        return perm if slot == 0 and len(perm) in (0, rank) else None

    def leave(_: int, perm: Perm, label: Label) -> Label | None:
        return label if not perm else None

    return Flow(moved, enter, leave)
