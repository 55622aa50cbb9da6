"""Recognising heads that choose their own detections: YOLOv10 and YOLO26 one-to-one, [B, K, 6 + E].

The joined tensor [B, A, 4 + C + E] is cut; the K best (box, class) pairs by score are chosen with TopK, and boxes and
extras gathered by their index. Rows are x1 y1 x2 y2 (rotated boxes: cx cy w h), score, class, extras.
"""

from __future__ import annotations

from dataclasses import dataclass

import onnx_graphsurgeon as gs

from graphkit.heads.joined import Joined, match_joined
from graphkit.heads.trace import LONGEST_CHAIN, cut_from, operand, peel, producer, upstream

_MOVES = ("Unsqueeze", "Squeeze", "Reshape", "Flatten", "Identity", "Cast")
_FARTHEST = 64


@dataclass(frozen=True)
class OneToOne:
    """The columns of [B, K, 6 + E] before they are joined, and the candidates that they are chosen from."""

    boxes: gs.Tensor
    scores: gs.Tensor
    labels: gs.Tensor
    rest: tuple[gs.Tensor, ...]
    candidates: Joined
    transposed: bool


def match_one_to_one(tensor: gs.Tensor) -> OneToOne | None:
    """Recognise the joined output of a one-to-one head; None where it is not that."""
    joined = producer(tensor, "Concat")
    if joined is None or int(joined.attrs.get("axis", 0)) not in (2, -1) or len(joined.inputs) < 3:
        return None
    boxes, scores, labels, *rest = joined.inputs
    return match_columns(boxes, scores, labels, tuple(rest))


def match_columns(
    boxes: gs.Tensor, scores: gs.Tensor, labels: gs.Tensor, rest: tuple[gs.Tensor, ...] = ()
) -> OneToOne | None:
    """Recognise boxes, scores, classes and extras, joined or not."""
    rows = gathered(boxes)
    best = _moved(scores)
    chosen = producer(best, "TopK")
    if rows is None or chosen is None or chosen.outputs[0] is not best or not _is_label(labels, chosen):
        return None
    source = peel(rows)
    candidates = match_joined(source.tensor)
    if candidates is None or not all(gathered(part) is rows for part in rest):
        return None
    return OneToOne(boxes, scores, labels, rest, candidates, source.transposed)


def gathered(tensor: gs.Tensor) -> gs.Tensor | None:
    """What rows are gathered from: behind GatherElements, the tensor that was cut into boxes, scores and the rest."""
    tensor = peel(tensor).tensor
    seen = False
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, "GatherElements", "GatherND")
        if node is None:
            break
        seen, tensor = True, node.inputs[0]
    return cut_from(tensor) if seen else None


def _moved(tensor: gs.Tensor) -> gs.Tensor:
    for _ in range(LONGEST_CHAIN):
        node = producer(tensor, *_MOVES)
        source = operand(node, 0) if node is not None else None
        if source is None:
            break
        tensor = source
    return tensor


def _is_label(tensor: gs.Tensor, chosen: gs.Node) -> bool:
    """Whether classes are the index of the chosen pair modulo the number of classes, or gathered by it."""
    tensor = _moved(tensor)
    node = producer(tensor, "Mod", "Sub", "GatherElements")
    if node is None or len(chosen.outputs) < 2:
        return False
    if node.op == "Mod":
        return _moved(node.inputs[0]) is chosen.outputs[1]
    if node.op == "Sub":  # index - index // C · C, where there is no Mod
        return _moved(node.inputs[0]) is chosen.outputs[1]
    return producer(_moved(node.inputs[0]), "ArgMax", "ReduceMax", "TopK") is not None and any(
        step is chosen for count, step in enumerate(upstream([node.inputs[1]])) if count < _FARTHEST
    )
