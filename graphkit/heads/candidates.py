"""From a head's outputs to plain arrays: NumPy only, float32 arithmetic in the order the graph has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graphkit.heads.decode import Coding
from graphkit.heads.head import Head, Layout
from graphkit.heads.relation import Arrays, RawDetections

Part = NDArray[np.generic]


@dataclass(frozen=True)
class Parts:
    """What a head's outputs hold, apart: views, nothing converted, objectness multiplied into the scores.

    Attributes:
        boxes: [B, 4, A] or [B, A, 4] as `box_layout` says; of a final head [B, K, 4].
        scores: [B, C, A] or [B, A, C] as `score_layout` says; of a final head [B, K].
        box_layout: How the boxes lie.
        score_layout: How the scores lie.
        labels: Class indices of a final head, [B, K].
        extras: Kind -> array and how it lies.
    """

    boxes: Part
    scores: Part
    box_layout: Layout
    score_layout: Layout
    labels: Part | None = None
    extras: dict[str, tuple[Part, Layout]] = field(default_factory=dict)


def to_corners(boxes: Part, axis: int) -> Part:
    """Centre-size to corners along `axis`: (c - s · 0.5, c + s · 0.5), computed in float32, dtype kept."""
    center, size = np.split(boxes.astype(np.float32), 2, axis=axis)
    half = size * np.float32(0.5)
    result: Part = np.concatenate([center - half, center + half], axis=axis).astype(boxes.dtype)
    return result


def relayout(part: Part, have: Layout, want: Layout) -> Part:
    """[B, channels, A] to [B, A, channels] or back."""
    return part if have == want else np.ascontiguousarray(part.transpose(0, 2, 1))


def recode(boxes: Part, layout: Layout, have: Coding, want: Coding) -> Part:
    """Boxes in another coding; corners are never turned back, because that is not exact."""
    if have == want:
        return boxes
    if want != "corners":
        raise ValueError("corners cannot be turned back to centres and sizes exactly")
    return to_corners(boxes, 1 if layout == "cn" else 2)


def parts_of(head: Head) -> Callable[[Arrays], Parts]:
    """A function from the model's outputs to what they hold. Holds on to no graph."""
    outputs, joined, final = head.outputs, head.output_layout, head.state == "final"
    box_layout, score_layout, classes = head.box_layout, head.score_layout, head.classes
    extras = tuple((extra.kind, extra.width, extra.layout) for extra in head.extras)
    objectness = head.objectness is not None

    def separate(arrays: Arrays) -> Parts:
        rest = outputs[3:] if final else outputs[2:]
        more: dict[str, tuple[Part, Layout]] = {
            kind: (arrays[name], lies) for name, (kind, _, lies) in zip(rest, extras, strict=True)
        }
        labels = arrays[outputs[2]].reshape(arrays[outputs[2]].shape[:2]) if final else None
        scores = arrays[outputs[1]]
        scores = scores.reshape(scores.shape[:2]) if final else scores
        return Parts(arrays[outputs[0]], scores, box_layout, score_layout, labels, more)

    def together(arrays: Arrays) -> Parts:
        assert joined is not None
        whole, axis = arrays[outputs[0]], 1 if joined == "cn" else 2
        widths = [4, 1, 1] if final else [4, *([1] if objectness else []), classes]
        cuts = np.cumsum([*widths, *(width for _, width, _ in extras)])[:-1]
        boxes, *middle = np.split(whole, cuts, axis=axis)
        more: dict[str, tuple[Part, Layout]] = {
            kind: (part, joined) for (kind, _, _), part in zip(extras, middle[len(widths) - 1 :], strict=True)
        }
        if final:
            return Parts(boxes, middle[0][..., 0], joined, joined, middle[1][..., 0], more)
        scores = np.multiply(middle[0], middle[1]) if objectness else middle[0]
        return Parts(boxes, scores, joined, joined, None, more)

    return separate if joined is None else together


def raw_detections(head: Head) -> Callable[[Arrays], RawDetections]:
    """A function from the model's outputs to every candidate.

    Boxes float32 [B, A, 4], corners in pixels; rotated ones [B, A, 5], cx cy w h in pixels and the angle in radians.
    Scores float32 [B, A, C], objectness multiplied in; of a final head each row's score at its class, 0 elsewhere.
    Extras float32 [B, A, E].
    """
    parts, coding, rotated, classes = parts_of(head), head.coding, head.rotated, head.classes

    def decode(arrays: Arrays) -> RawDetections:
        found = parts(arrays)
        boxes = relayout(found.boxes, found.box_layout, "nc").astype(np.float32)
        extras = {kind: relayout(part, lies, "nc").astype(np.float32) for kind, (part, lies) in found.extras.items()}
        if rotated:
            boxes = np.concatenate([boxes, extras.pop("angle")], axis=2)
        else:
            boxes = recode(boxes, "nc", coding, "corners").astype(np.float32)
        if found.labels is None:
            scores = relayout(found.scores, found.score_layout, "nc").astype(np.float32)
        else:
            hot = found.labels.astype(np.int64)[..., None] == np.arange(classes)
            scores = np.where(hot, found.scores.astype(np.float32)[..., None], np.float32(0))
        return RawDetections(np.ascontiguousarray(boxes), np.ascontiguousarray(scores), extras)

    return decode
