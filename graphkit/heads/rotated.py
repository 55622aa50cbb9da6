"""Recognising the arithmetic of rotated boxes, as the OBB heads of ultralytics have it.

With the distances l t r b to the sides of the unrotated box, in cells, its angle and the anchor point a:

    (xf, yf) = (rb - lt) / 2
    centre   = (xf · cos - yf · sin, xf · sin + yf · cos) + a
    size     = lt + rb
"""

from __future__ import annotations

import onnx_graphsurgeon as gs

from graphkit.heads.trace import cut_from, peel, producer, scalar


def match_rotated(center: gs.Tensor, size: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor] | None:
    """Read a centre and a size in cells: the tensor that holds l t r b, and the angle; None where it is not that."""
    placed, summed = producer(center, "Add"), producer(size, "Add")
    if placed is None or summed is None or len(placed.inputs) != 2 or len(summed.inputs) != 2:
        return None
    for turned in placed.inputs:
        pair = producer(turned, "Concat")
        found = _match_turn(*pair.inputs) if pair is not None and len(pair.inputs) == 2 else None
        if found is None:
            continue
        offset, angle = found
        halved = producer(offset, "Div", "Mul")
        sides = producer(halved.inputs[0], "Sub") if halved is not None and _halves(halved) else None
        if sides is None or {id(side) for side in sides.inputs} != {id(side) for side in summed.inputs}:
            continue
        source = cut_from(sides.inputs[0])
        if source is not None and cut_from(sides.inputs[1]) is source and sides.inputs[0] is not sides.inputs[1]:
            return source, angle
    return None


def _halves(node: gs.Node) -> bool:
    return len(node.inputs) == 2 and scalar(node.inputs[1]) == (2.0 if node.op == "Div" else 0.5)


def _match_turn(x: gs.Tensor, y: gs.Tensor) -> tuple[gs.Tensor, gs.Tensor] | None:
    """X = xf · cos - yf · sin and y = xf · sin + yf · cos: the tensor that xf and yf are cut from, and the angle."""
    difference, total = producer(x, "Sub"), producer(y, "Add")
    if difference is None or total is None or len(total.inputs) != 2:
        return None
    first, second = (_product(tensor) for tensor in difference.inputs)
    sums = [_product(tensor) for tensor in total.inputs]
    if first is None or second is None or any(item is None for item in sums):
        return None
    xf, cos, angle = first
    yf, sin, other = second
    expected = {(id(xf), "Sin"), (id(yf), "Cos")}
    got = {(id(item[0]), item[1]) for item in sums if item is not None}
    angles = {id(item[2]) for item in sums if item is not None}
    source = cut_from(xf)
    if (cos, sin) != ("Cos", "Sin") or other is not angle or got != expected or angles != {id(angle)}:
        return None
    return (source, angle) if source is not None and cut_from(yf) is source and xf is not yf else None


def _product(tensor: gs.Tensor) -> tuple[gs.Tensor, str, gs.Tensor] | None:
    """`factor · cos(angle)` or `factor · sin(angle)`: factor, "Cos" or "Sin", and the angle."""
    node = producer(tensor, "Mul")
    if node is None or len(node.inputs) != 2:
        return None
    for index in (0, 1):
        turn = producer(peel(node.inputs[index]).tensor, "Cos", "Sin")
        if turn is not None:
            return node.inputs[1 - index], str(turn.op), peel(turn.inputs[0]).tensor
    return None
