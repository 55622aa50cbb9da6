"""What stands in a box and in its tooltip."""

from __future__ import annotations

from collections import Counter

from graphkit.pictures.text import shorten
from graphkit.pictures.web import Part
from graphkit.pictures.wiring import Box, Wire, Wiring

MOST = 34
"""Characters in a line."""
_NAMED = 12
"""Nodes that a tooltip lists by name."""


def lines_of(part: Part, wiring: Wiring, wires: list[Wire], named: bool) -> list[str]:
    """The lines in a box, the first its title; `named` adds the node's name."""
    box = wiring.boxes[part.boxes[0]]
    if part.level == 0:
        found = _single(box, wiring)
        if named and box.kind == "node":
            found.append(box.key)
    else:
        inside = set(part.boxes)
        found = [part.name]
        if part.level > 1:
            found += _content(part)
            read = [wire.tensor for wire in wires if wire.target in inside and wire.source not in inside]
            found += _shapes("in", read, wiring)
        else:
            found += _detail(box)
        made = [wire.tensor for wire in wires if wire.source in inside and wire.target not in inside]
        found += _shapes("out" if part.level > 1 else "", made, wiring)
    return [shorten(line, MOST) for line in found]


def tip_of(part: Part, wiring: Wiring) -> str:
    """A tooltip: what it is, and the names of its nodes."""
    boxes = [wiring.boxes[place] for place in part.boxes]
    if part.level == 0:
        box = boxes[0]
        return "\n".join(
            [f"{box.op}  {shorten(box.key, 200)}", *(shorten(line, 200) for line in _tensors(box, wiring))]
        )
    names = [f"{box.op}  {shorten(box.key, 120)}" for box in boxes[:_NAMED]]
    rest = [f"… and {len(boxes) - _NAMED} more"] if len(boxes) > _NAMED else []
    return "\n".join([f"{part.name}, {len(boxes)} nodes", *names, *rest])


def _single(box: Box, wiring: Wiring) -> list[str]:
    if box.kind != "node":
        tensor = (*box.outputs, *box.inputs)[0]
        return [box.key, f"{box.kind} {wiring.shape(tensor)}".strip()]
    found = [
        box.op,
        *_detail(box),
        *(f"{name}: {count} {'node' if count == 1 else 'nodes'}" for name, count in box.folded),
    ]
    return found + _shapes("", list(box.outputs), wiring)


def _detail(box: Box) -> list[str]:
    """What tells nodes of the same operator apart at first sight."""
    weights = box.weights[0] if box.weights else None
    if box.op in ("Conv", "ConvTranspose") and weights is not None and len(weights) > 2:
        kernel = "×".join(str(size) for size in weights[2:])
        strides = box.attributes.get("strides") or []
        stride = f" stride {strides[0]}" if strides and set(strides) != {1} else ""
        group = box.attributes.get("group", 1)
        return [f"{kernel}{stride}" + (f" groups {group}" if group != 1 else "")]
    if box.op == "MaxPool":
        return ["×".join(str(size) for size in box.attributes.get("kernel_shape") or [])]
    if box.op in ("Concat", "Softmax", "Split", "Gather") and "axis" in box.attributes:
        return [f"axis {box.attributes['axis']}"]
    if box.op == "Transpose" and box.attributes.get("perm"):
        return ["perm " + " ".join(str(axis) for axis in box.attributes["perm"])]
    return []


def _shapes(word: str, tensors: list[str], wiring: Wiring) -> list[str]:
    """One line for each different shape, two at most."""
    shapes = list(dict.fromkeys(filter(None, (wiring.shape(name) for name in tensors))))
    rest = len(shapes) - 2
    more = [f"… {rest} more {'shape' if rest == 1 else 'shapes'}"] if rest > 0 else []
    return [f"{word} {shape}".strip() for shape in shapes[:2]] + more


def _content(part: Part) -> list[str]:
    """What a block is made of, in lines: the blocks in it, and the number of nodes."""
    inner = Counter(item.name for item in part.inner if item.level == 2 and item.name != part.name)
    found = [f"{count} × {name}" for name, count in inner.items()]
    lines = [""]
    for item in [*found, f"{len(part.boxes)} nodes"]:
        longer = f"{lines[-1]} · {item}" if lines[-1] else item
        if len(longer) > MOST and lines[-1]:
            lines.append(item)
        else:
            lines[-1] = longer
    return lines


def _tensors(box: Box, wiring: Wiring) -> list[str]:
    read = [f"reads {name} {wiring.shape(name)}".strip() for name in box.inputs[:_NAMED]]
    return read + [f"makes {name} {wiring.shape(name)}".strip() for name in box.outputs[:_NAMED]]
