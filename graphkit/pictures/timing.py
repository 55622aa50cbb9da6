"""Colours for what the nodes take in onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graphkit.pictures.colours import Colour, Paint
from graphkit.pictures.text import shorten

if TYPE_CHECKING:
    from graphkit.bench import NodeTime, NodeTimes

_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of the whole at which the colour changes."""
_TINTS = (
    ("#fdf6e3", "#b5a67c"),
    ("#fbe7b2", "#b08f2e"),
    ("#f9d27d", "#a87400"),
    ("#f7b267", "#a35400"),
    ("#f58f5b", "#943200"),
    ("#f0707a", "#8a0f2e"),
)
"""Fill and edge from short to long: each darker than the one before, so that they differ without their hue too."""
_NONE = Colour("#f4f4f4", "#8a8a8a", "no time of its own", tip="computed once beforehand, or taken out, by onnxruntime")
_NAMED = 6


def by_time(times: NodeTimes) -> Paint:
    """Colours by what the nodes of a box take together, as `graphkit.bench.time_nodes` measured it.

    Nodes that onnxruntime runs as one count once in a box. Where some of them are in another box, both have the time of
    all, and say "fused".
    """
    group = {key: number for number, item in enumerate(times.times) for key in item.nodes}

    def paint(keys: Sequence[str]) -> Colour:
        found = [times.times[number] for number in dict.fromkeys(group[key] for key in keys if key in group)]
        if not found:
            return _NONE
        taken = sum(item.milliseconds for item in found)
        share = taken / times.milliseconds if times.milliseconds else 0.0
        step = sum(share >= edge for edge in _STEPS)
        apart = all(set(item.nodes) <= set(keys) for item in found)
        said = f"{_figure(taken)} ms" if apart else f"{_figure(taken)} ms, fused"
        tips = [f"{_figure(taken)} ms of {_figure(times.milliseconds)} ms a run ({share:.1%})".replace("%", " %")]
        fused = [tip for item in found if (tip := _fused(item, set(keys)))]
        tips += fused[:_NAMED] + ([f"… and {len(fused) - _NAMED} more"] if len(fused) > _NAMED else [])
        return Colour(*_TINTS[step], _meaning(step, times.milliseconds), step + 1, "\n".join(tips), said=said)

    return paint


def time_notes(times: NodeTimes) -> list[str]:
    """What a reader has to know of these times: lines for under the title."""
    added = f", {_figure(times.added)} ms of it in nodes that onnxruntime adds and that are not drawn"
    return [
        f"{_figure(times.milliseconds)} ms a run, median of {times.runs} profiled runs"
        + (added if times.added else ""),
        times.runtime,
        times.given,
    ]


def _fused(item: NodeTime, here: set[str]) -> str:
    """What is run as one, and with what elsewhere; "" where a node is run alone as what it is."""
    if len(item.nodes) == 1 and len(item.ran) == 1:
        return ""
    ran = ", ".join(item.ran)
    if len(item.nodes) == 1:
        return f"run as {ran}"
    outside = [shorten(key, 80) for key in item.nodes if key not in here]
    with_these = f" with {', '.join(outside[:_NAMED])}" if outside else ""
    more = f" and {len(outside) - _NAMED} more" if len(outside) > _NAMED else ""
    return f"fused: {len(item.nodes)} nodes run as {ran}, {_figure(item.milliseconds)} ms{with_these}{more}"


def _meaning(step: int, whole: float) -> str:
    edges = [f"{edge * whole:.2g}" for edge in _STEPS]
    if step == 0:
        return f"under {edges[0]} ms"
    return f"{edges[step - 1]} ms and more" if step == len(edges) else f"{edges[step - 1]} to {edges[step]} ms"


def _figure(milliseconds: float) -> str:
    """Three digits that count, and never less than a microsecond: below it the profiler does not measure."""
    digits = 3 if milliseconds < 1 else 2 if milliseconds < 10 else 1 if milliseconds < 100 else 0
    return f"{milliseconds:.{digits}f}"
