"""Normalisations: axes may move as long as those that are normalised over stay where the operator looks for them."""

from __future__ import annotations

from graphkit.passes.transposes.permutation import Perm, plain
from graphkit.passes.transposes.rules.registry import rule
from graphkit.passes.transposes.site import Flow, Moved, Site, alike


@rule("BatchNormalization")
def batch(site: Site) -> Flow | None:
    """The channels stay on axis 1; all others are alike. At inference only."""
    if len(site.node.output) != 1 or site.attr("training_mode", 0):
        return None
    return _with_fixed(site, (1,), exact=True)


@rule("InstanceNormalization", "GroupNormalization")
def instance(site: Site) -> Flow | None:
    """Batch and channels stay, the others are averaged over."""
    return _with_fixed(site, (0, 1), exact=False)


@rule("LRN")
def local_response(site: Site) -> Flow | None:
    """Sums run along axis 1."""
    return _with_fixed(site, (1,), exact=False)


def _with_fixed(site: Site, fixed: tuple[int, ...], exact: bool) -> Flow | None:
    rank = site.rank(0)
    if rank is None or rank < 2:
        return None

    def moved(perm: Perm) -> Moved | None:
        return Moved({0: perm}, (perm,)) if all(perm[axis] == axis for axis in fixed) else None

    return alike(rank, moved, exact=exact)


@rule("LayerNormalization", "RMSNormalization")
def layer(site: Site) -> Flow | None:
    """The axes that are normalised over stay the last ones; their scale and bias move with them."""
    rank = site.rank(0)
    axis = None if not rank else site.axis(-1, rank)
    extra = [slot for slot in range(1, len(site.node.input)) if site.has(slot)]
    if rank is None or axis is None or len(site.node.output) != 1 or any(site.rank(slot) is None for slot in extra):
        return None

    def moved(perm: Perm) -> Moved | None:
        if set(perm[axis:]) != set(range(axis, rank)):
            return None
        inside = plain([item - axis for item in perm[axis:]])
        if inside and any(site.rank(slot) != rank - axis for slot in extra):
            return None
        return Moved({0: perm} | dict.fromkeys(extra, inside), (perm,), {"axis": axis})

    return alike(rank, moved, exact=False)
