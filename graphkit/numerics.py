"""The standards a rewrite can be proven to."""

from __future__ import annotations

from enum import StrEnum


class Numerics(StrEnum):
    """The standard a pass is proven to.

    EXACT: bit-identical with runtime optimisation off. CLOSE: relative L2 at most 1e-4 per output, boxes and scores
    judged apart. DETECTIONS: the same detections as the reference, matched by IoU, class and score.
    """

    EXACT = "exact"
    CLOSE = "close"
    DETECTIONS = "detections"
