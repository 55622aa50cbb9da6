"""A laid-out graph as SVG: no scripts, nothing from elsewhere, all text escaped.

Colours stand as attributes, for image viewers; a browser that prefers dark takes the few that depend on the ground
from the style sheet instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from graphkit.pictures.colours import Colour
from graphkit.pictures.layout import Placed, Point
from graphkit.pictures.sketch import LINE_SIZE, ROW, TITLE_SIZE, Shape, Sketch
from graphkit.pictures.text import FAMILY, visible, width

_MARGIN = 16.0
_SWATCH = 12.0
_BASE = 12.5
"""From a box's top to the base line of its first line, in points."""
_GAP = 2.0
"""Between a frame and where it could reach, so that two beside each other do not touch, in points."""
_INK, _WIRE, _GROUND, _FRAME = "#222222", "#777777", "#ffffff", "#f7f8fa"
_STYLE = (
    "@media (prefers-color-scheme: dark) { .graphkit-picture .ground { fill: #16181c } "
    ".graphkit-picture .free { fill: #dddddd } .graphkit-picture .wire { stroke: #9a9a9a } "
    ".graphkit-picture .head { fill: #9a9a9a } .graphkit-picture .frame { fill: #22252b; stroke: #666666 } "
    ".graphkit-picture .behind { fill: #22252b } }"
)


def draw(sketch: Sketch, placed: Placed, title: str, notes: Iterable[str], prefix: str) -> str:
    """The SVG of a layout.

    Args:
        sketch: What is drawn.
        placed: Where.
        title: Above the picture.
        notes: Lines under the title.
        prefix: In front of every id, so that several pictures can stand in one page.
    """
    used = {shape.colour.meaning: shape.colour for shape in sketch.shapes if shape.kind != "end"}
    meanings = sorted(used.values(), key=lambda colour: colour.rank)
    heading = [title, *notes]
    wide = max([placed.width, 320.0, *(width(line, _size(place)) for place, line in enumerate(heading))])
    rows = _legend_rows(meanings, wide)
    top = _MARGIN + 18.0 * len(heading) + 18.0 * len(rows) + 8.0
    full = (wide + 2 * _MARGIN, top + placed.height + _MARGIN)
    left = _MARGIN + (wide - placed.width) / 2
    size = 'width="{0:.0f}" height="{1:.0f}" viewBox="0 0 {0:.0f} {1:.0f}"'.format(*full)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graphkit-picture" {size} role="img" font-family="{FAMILY}">',
        f"<title>{_safe(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="100%" height="100%" fill="{_GROUND}"/>',
        *_heading(heading),
        *_legend(rows, 18.0 * len(heading) + _MARGIN),
        f'<g transform="translate({left:.1f} {top:.1f})">',
    ]
    parts += [_frame(bounds) for bounds in placed.frames]
    for (_, _, text), (curve, head), label in zip(sketch.lines, placed.wires, placed.labels, strict=True):
        parts.append(_wire(curve, head))
        if text and label is not None:
            parts.append(_text(text, label[0], label[1] + 3, LINE_SIZE - 1, "free"))
    parts += [_frame_title(name, bounds) for (name, _), bounds in zip(sketch.frames, placed.frames, strict=True)]
    parts += [_box(shape, place, prefix) for shape, place in zip(sketch.shapes, placed.boxes, strict=True)]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _safe(text: str) -> str:
    return escape("\n".join(visible(line) for line in text.split("\n")))


def _size(place: int) -> float:
    return 14.0 if place == 0 else 10.0


def _text(text: str, x: float, y: float, size: float, kind: str, anchor: str = "middle", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place} fill="{_INK}"{weight}>{_safe(text)}</text>'


def _heading(lines: list[str]) -> list[str]:
    return [
        _text(line, _MARGIN, _MARGIN + 12 + 18.0 * place, _size(place), "free", "start", place == 0)
        for place, line in enumerate(lines)
    ]


def _legend_rows(colours: list[Colour], wide: float) -> list[list[Colour]]:
    rows: list[list[Colour]] = [[]]
    used = 0.0
    for colour in colours:
        needed = _entry(colour)
        if rows[-1] and used + needed > wide:
            rows.append([])
            used = 0.0
        rows[-1].append(colour)
        used += needed
    return [row for row in rows if row]


def _entry(colour: Colour) -> float:
    return _SWATCH + 6 + width(colour.meaning, 10.0) + 16


def _legend(rows: list[list[Colour]], top: float) -> list[str]:
    found = []
    for number, row in enumerate(rows):
        x, y = _MARGIN, top + 18.0 * number
        for colour in row:
            found.append(
                f'<rect x="{x:.1f}" y="{y + 2:.1f}" width="{_SWATCH}" height="{_SWATCH}" rx="2" {_paint(colour)}/>'
            )
            found.append(_text(colour.meaning, x + _SWATCH + 6, y + 12, 10.0, "free", "start"))
            x += _entry(colour)
    return found


def _paint(colour: Colour, strong: bool = False) -> str:
    dash = ' stroke-dasharray="4 2"' if colour.dashed else ""
    return f'fill="{colour.fill}" stroke="{colour.edge}" stroke-width="{2.6 if strong else 1.2}"{dash}'


def _frame(bounds: tuple[float, float, float, float]) -> str:
    left, top, right, bottom = bounds
    left, right = left + _GAP, right - _GAP
    box = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}"'
    return f'<rect class="frame" {box} rx="6" fill="{_FRAME}" stroke="#b5b9c0"/>'


def _frame_title(name: str, bounds: tuple[float, float, float, float]) -> str:
    """Drawn over the wires, on a ground of its own: those that come from above run through it."""
    left, top = bounds[0] + 6 + _GAP, bounds[1] + 2
    box = f'x="{left - 2:.1f}" y="{top:.1f}" width="{width(name, LINE_SIZE) + 4:.1f}" height="{ROW:.1f}"'
    return f'<rect class="behind" {box} fill="{_FRAME}"/>' + _text(
        name, left, top + 10, LINE_SIZE, "free", "start", True
    )


def _wire(curve: list[Point], head: list[Point]) -> str:
    start, rest = curve[0], curve[1:]
    steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in rest)
    corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in head)
    line = f'<path class="wire" d="M{start[0]:.1f},{start[1]:.1f} C{steps}" fill="none" stroke="{_WIRE}"/>'
    return line + (f'<polygon class="head" points="{corners}" fill="{_WIRE}"/>' if head else "")


def _box(shape: Shape, centre: Point, prefix: str) -> str:
    wide, high = shape.size
    left, top = centre[0] - wide / 2, centre[1] - high / 2
    place = f'x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}"'
    paint = (
        f'fill="none" stroke="{_WIRE}" stroke-dasharray="2 2"'
        if shape.kind == "end"
        else _paint(shape.colour, shape.strong)
    )
    radius = {"input": high / 2, "output": high / 2, "block": 3}.get(shape.kind, 5)
    parts = [
        f'<g id="{prefix}{shape.id}" class="{shape.kind}"><title>{_safe(shape.tip)}</title>',
        f'<rect {place} rx="{radius:g}" {paint}/>',
    ]
    if shape.kind == "block" and not shape.strong:
        # A second line inside tells a block from a node without colour.
        inner = f'x="{left + 2.5:.1f}" y="{top + 2.5:.1f}" width="{wide - 5:.1f}" height="{high - 5:.1f}"'
        parts.append(f'<rect {inner} rx="2" fill="none" stroke="{shape.colour.edge}" stroke-width="0.6"/>')
    for number, line in enumerate(shape.lines):
        y = top + _BASE + ROW * number
        first = number == 0 and shape.kind != "end"
        kind = "free" if shape.kind == "end" else "said"
        parts.append(_text(line, centre[0], y, TITLE_SIZE if first else LINE_SIZE, kind, bold=first))
    return "".join([*parts, "</g>"])
