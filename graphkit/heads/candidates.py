"""From a head's outputs to plain arrays: NumPy only, float32 arithmetic in the order the graph has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from graphkit.heads.decode import Coding
from graphkit.heads.head import Head, Layout
from graphkit.heads.relation import Arrays, RawDetections

Part = NDArray[np.generic]


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


def parts_of(head: Head) -> Callable[[Arrays], tuple[Part, Part, Layout, Layout]]:
    """A function from the model's outputs to (boxes, scores, layout of each). Holds on to no graph."""
    outputs, joined, box_layout, score_layout = head.outputs, head.output_layout, head.box_layout, head.score_layout

    def parts(arrays: Arrays) -> tuple[Part, Part, Layout, Layout]:
        if joined is None:
            return arrays[outputs[0]], arrays[outputs[1]], box_layout, score_layout
        both = arrays[outputs[0]]
        if joined == "cn":
            return both[:, :4], both[:, 4:], joined, joined
        return both[..., :4], both[..., 4:], joined, joined

    return parts


def raw_detections(head: Head) -> Callable[[Arrays], RawDetections]:
    """A function from the model's outputs to every candidate: float32 corners in pixels [B,A,4], scores [B,A,C]."""
    parts, coding = parts_of(head), head.coding

    def decode(arrays: Arrays) -> RawDetections:
        boxes, scores, box_layout, score_layout = parts(arrays)
        boxes = relayout(boxes, box_layout, "nc").astype(np.float32)
        return RawDetections(
            np.ascontiguousarray(recode(boxes, "nc", coding, "corners"), dtype=np.float32),
            np.ascontiguousarray(relayout(scores, score_layout, "nc"), dtype=np.float32),
        )

    return decode
