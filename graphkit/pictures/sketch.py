"""What is drawn, before it has a place: shapes with text, and lines between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from graphkit.pictures.choosing import owners
from graphkit.pictures.colours import BLOCK, PLAIN, Colour, Paint, by_operator
from graphkit.pictures.text import ADVANCE, width
from graphkit.pictures.web import Part, Web
from graphkit.pictures.wording import lines_of, tip_of

TITLE_SIZE, LINE_SIZE = 11.0, 9.0
"""Font sizes in a box, in points: of its first line and of the others."""
ROW, PADDING = 13.0, 7.0


@dataclass(frozen=True)
class Shape:
    """A box to draw: what it says, its colour, and the keys of the nodes that it stands for; none for a loose end."""

    id: str
    kind: str
    lines: tuple[str, ...]
    tip: str
    colour: Colour
    keys: tuple[str, ...]
    strong: bool = False

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points that its text needs, with room around."""
        sizes = [TITLE_SIZE, *[LINE_SIZE] * (len(self.lines) - 1)]
        wide = max(width(line, size) for line, size in zip(self.lines, sizes, strict=True))
        round_ends = ROW if self.kind in ("input", "output") else 0.0
        return max(wide + 2 * PADDING + round_ends, 30.0), ROW * len(self.lines) + PADDING


@dataclass(frozen=True)
class Sketch:
    """Shapes, lines as (from, to, text) by the shapes' places, frames as (title, places of shapes)."""

    shapes: list[Shape]
    lines: list[tuple[int, int, str]]
    frames: list[tuple[str, tuple[int, ...]]]


def sketch(
    web: Web,
    chosen: set[int],
    strong: set[int],
    colours: Mapping[str, Colour] | Paint | None,
    *,
    frames: Web | None,
    named: bool,
    shapes: bool,
) -> Sketch:
    """Shapes for the chosen parts, and loose ends where a wire leads to what is not drawn.

    Args:
        web: The graph.
        chosen: The parts to draw, by number.
        strong: Those that were asked for, with a heavier outline.
        colours: By key, or by the keys in a box; None for the kinds of operators.
        frames: The same graph with its blocks put together, to frame the boxes of each; None for no frames.
        named: Whether boxes say the names of nodes.
        shapes: Whether lines say the shapes of tensors; boxes say it anyway.
    """
    order = sorted(chosen, key=lambda number: web.parts[number].boxes[0])
    drawn = [_shape(web, web.parts[number], number in strong, colours, named) for number in order]
    at = {number: place for place, number in enumerate(order)}
    lines = _lines(web, at, shapes)
    for number in order:
        for others, inwards in ((web.before[number], True), (web.after[number], False)):
            cut = sorted(others - chosen)
            if cut:
                end = _loose_end(web, f"{drawn[at[number]].id}-{'in' if inwards else 'out'}", cut)
                lines.append((len(drawn), at[number], "") if inwards else (at[number], len(drawn), ""))
                drawn.append(end)
    return Sketch(drawn, lines, _frames(web, frames, at) if frames is not None else [])


def _shape(web: Web, part: Part, strong: bool, colours: Mapping[str, Colour] | Paint | None, named: bool) -> Shape:
    boxes = [web.wiring.boxes[place] for place in part.boxes]
    keys = tuple(box.key for box in boxes)
    if colours is None:
        found = [BLOCK if part.level == 2 else by_operator(boxes[0])]
    elif boxes[0].kind != "node":
        found = [by_operator(boxes[0])]
    elif callable(colours):
        found = [colours(keys)]
    else:
        found = [colours.get(key, PLAIN) for key in keys]
    colour = max(found, key=lambda item: item.rank)
    tips = dict.fromkeys(item.tip for item in found if item.tip)
    return Shape(
        id=f"{'b' if part.level else 'n'}{part.boxes[0]}",
        kind=boxes[0].kind if part.level == 0 else "block",
        lines=(*lines_of(part, web.wiring, web.wiring.wires, named), *([colour.said] if colour.said else [])),
        tip="\n".join([tip_of(part, web.wiring), *list(tips)[:8]]),
        colour=colour,
        keys=keys,
        strong=strong,
    )


def _loose_end(web: Web, name: str, cut: list[int]) -> Shape:
    parts = [web.parts[number] for number in cut]
    tip = "\n".join(["not drawn:", *(tip_of(part, web.wiring).split("\n", 1)[0] for part in parts[:8])])
    text = f"… {parts[0].name}" if len(parts) == 1 else f"… {len(parts)} more"
    return Shape(name, "end", (text[:20],), tip, PLAIN, ())


def _lines(web: Web, at: Mapping[int, int], shapes: bool) -> list[tuple[int, int, str]]:
    owner = owners(web)
    found: dict[tuple[int, int, str], None] = {}
    for wire in web.wiring.wires:
        source, target = owner[wire.source], owner[wire.target]
        if source != target and source in at and target in at:
            found[at[source], at[target], web.wiring.shape(wire.tensor) if shapes else ""] = None
    return list(found)


def _frames(web: Web, framing: Web, at: Mapping[int, int]) -> list[tuple[str, tuple[int, ...]]]:
    groups: defaultdict[int, list[int]] = defaultdict(list)
    owner = owners(framing)
    for number, place in at.items():
        if web.parts[number].level == 0:
            groups[owner[web.parts[number].boxes[0]]].append(place)
    blocks = [(framing.parts[number], places) for number, places in sorted(groups.items())]
    return [(part.name, tuple(places)) for part, places in blocks if part.level == 2 and len(places) > 1]


def frame_title_width(title: str) -> float:
    """Width in points of a frame's title."""
    return len(title) * ADVANCE * LINE_SIZE
