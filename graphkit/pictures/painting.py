"""Colours for what another analysis found out about the nodes: whether a runtime runs them, what a pass changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from graphkit.analysis.coverage import RuntimeCoverage
from graphkit.analysis.coverage.report import Gap
from graphkit.matching import Matching, Region, match
from graphkit.model import Model
from graphkit.pictures.colours import Colour
from graphkit.pictures.wiring import wiring

_RUNS = Colour("#cfe3f5", "#0072b2", "runs")
_STATUS = {
    "partial": Colour("#fbf3bd", "#a89100", "runs under a condition", 1),
    "unknown": Colour("#e3e3e3", "#666666", "nobody says", 2, dashed=True),
    "none": Colour("#fbdcc8", "#d55e00", "refused", 4, dashed=True),
    "wrong": Colour("#f3c6d9", "#a1005e", "runs and computes something else", 5, dashed=True),
}
_SAME = Colour("#f4f4f4", "#8a8a8a", "as before")
_REWIRED = Colour("#cfe3f5", "#0072b2", "reads something else", 1)
_CHANGED = Colour("#fbf3bd", "#a89100", "other operator, attributes or constants", 2)
_GONE = Colour("#e3d4f7", "#7b4fc9", "beside what is gone", 2)
_NEW = Colour("#fbdcc8", "#d55e00", "new", 3)


@dataclass(frozen=True)
class _Words:
    """What is said of a node: that stands as in the other graph, where the other lacks some, and that it lacks."""

    same: str = "as before"
    beside: str = "beside what is gone"
    lone: str = "new"
    was: str = "was {}"
    stead: str = "in place of {}"
    lacks: str = "gone: {}"


_LATER = _Words()
_EARLIER = _Words("kept", "beside what is new", "gone", "is {} now", "{} in its place now", "new: {}")
_FALLS = Colour("#f3d9e8", "#b0578a", "left to the runtime behind it", 3, dashed=True)


def by_coverage(model: Model, found: RuntimeCoverage) -> dict[str, Colour]:
    """What a runtime does with each node, as `graphkit.analysis.coverage.cover` found it.

    Nodes that are not drawn are among them where they are gaps, and the picture counts them in a note. A node whose
    subgraph or function holds a gap has the colour of the worst one.
    """
    return covered((box.key for box in wiring(model).boxes if box.kind == "node"), found)


def covered(keys: Iterable[str], found: RuntimeCoverage) -> dict[str, Colour]:
    """The same for the main graph's nodes by their keys, where they are known already."""
    colours = dict.fromkeys(keys, _RUNS)
    for gap in found.gaps:
        for key in _meant(gap, colours):
            colour = _of(gap)
            if colour.rank > colours.get(key, _RUNS).rank:
                colours[key] = colour
    return colours


def _meant(gap: Gap, keys: dict[str, Colour]) -> list[str]:
    """The nodes of the main graph that a gap is in."""
    if not gap.place:
        return [gap.node]
    # A place reads "then_branch of If (…), …" or "function F, called by N": the outermost node stands last.
    return [key for key in keys if gap.place.endswith((f" of {key}", f" called by {key}"))]


def _of(gap: Gap) -> Colour:
    colour = _FALLS if gap.falls_to else _STATUS[gap.status]
    behind = f"; {gap.falls_to} runs it" if gap.falls_to else ""
    tip = f"{colour.meaning}: {gap.reason}{behind}" if gap.reason else f"{colour.meaning}{behind}"
    return Colour(colour.fill, colour.edge, colour.meaning, colour.rank, tip, colour.dashed)


def by_change(model: Model, before: Model) -> dict[str, Colour]:
    """What of a model is not as it was in another, matched by structure, not by names.

    Raises:
        ModelError: A graph is cyclic, or a constant cannot be read.
    """
    return changed(match(model, before))


def changed(found: Matching, *, earlier: bool = False) -> dict[str, Colour]:
    """Colours for the left graph of a matching; `earlier` says that it is the one before, and not the one after."""
    words = _EARLIER if earlier else _LATER
    colours: dict[str, Colour] = {}
    for pair in found.pairs:
        named = pair.equal and pair.left.label == pair.right.label
        told = "" if named else words.was.format(f"{pair.right.op} {pair.right.label}")
        kind = replace(_SAME, meaning=words.same) if pair.equal else _CHANGED if not pair.same else _REWIRED
        colours[pair.left.label] = replace(kind, tip=told)
    for item in found.inner:
        colours[item.pair.left.label] = _CHANGED
    for region in found.regions:
        others = ", ".join(node.op for node in region.right[:8])
        others += f" and {len(region.right) - 8} more" if len(region.right) > 8 else ""
        beside = [] if region.left else _beside(found, region)
        for label in beside:
            colours[label] = replace(_GONE, meaning=words.beside, tip=words.lacks.format(others))
        for node in region.left:
            tip = words.stead.format(others) if region.right else ""
            colours[node.label] = replace(_NEW, meaning=words.lone, tip=tip)
    return colours


def _beside(found: Matching, region: Region) -> list[str]:
    """The nodes between which a region of the other graph lies: those that read what it gave, or made what it read."""
    kept = {pair.right.index: pair.left for pair in found.pairs}
    nodes = [found.left.nodes[node] for left, _ in region.gives if left >= 0 for node, _ in found.left.readers[left]]
    for _, right in region.reads:
        made = found.right.maker[right] if right >= 0 else None
        if made is not None and made[0] in kept:
            nodes.append(kept[made[0]])
    return list(dict.fromkeys(node.label for node in nodes))
