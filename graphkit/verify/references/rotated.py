"""Overlap of rotated boxes, and the suppression that ultralytics runs on them.

A rotated box is read as a Gaussian (Llerena et al., "Gaussian Bounding Boxes and Probabilistic Intersection-over-Union
for Object Detection", arXiv:2106.06072): mean (cx, cy), covariance R(θ) · diag(w², h²) / 12 · R(θ)ᵀ, the covariance of
a uniform density over the box. ProbIoU is 1 - Hellinger distance, from the Bhattacharyya distance of two Gaussians.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-7
"""Added where the published formula divides, takes a logarithm or a root; the value ultralytics uses."""


def covariance(boxes: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Covariance [[a, c], [c, b]] of rotated boxes [..., 5] (cx cy w h angle): a, b, c, each [...], pixels²."""
    wide = boxes[..., 2].astype(np.float64) ** 2 / 12
    high = boxes[..., 3].astype(np.float64) ** 2 / 12
    cos, sin = np.cos(boxes[..., 4].astype(np.float64)), np.sin(boxes[..., 4].astype(np.float64))
    return wide * cos**2 + high * sin**2, wide * sin**2 + high * cos**2, (wide - high) * cos * sin


def probiou(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilistic IoU of rotated boxes, broadcast over all axes but the last.

    With S = S1 + S2 and d the distance of the centres, the Bhattacharyya distance is
    dᵀ S⁻¹ d / 4 + ln(|S| / (4 √(|S1| |S2|))) / 2, clamped to [1e-7, 100]; ProbIoU is 1 - √(1 - exp(-distance)).
    Identical boxes have 0.9995 because of the clamp. NaN coordinates give NaN, which no comparison lets through.

    Args:
        left: [..., 5], cx cy w h in any unit, angle in radians.
        right: [..., 5], in the same unit.

    Returns:
        float64 [...], 0..1 or NaN. Computed in float64, so that what float32 rounds away shows.
    """
    with np.errstate(all="ignore"):
        a1, b1, c1 = covariance(left)
        a2, b2, c2 = covariance(right)
        a, b, c = a1 + a2, b1 + b2, c1 + c2
        dx = left[..., 0].astype(np.float64) - right[..., 0]
        dy = left[..., 1].astype(np.float64) - right[..., 1]
        determinant = a * b - c**2
        # dᵀ S⁻¹ d written out: the inverse of [[a, c], [c, b]] is [[b, -c], [-c, a]] over the determinant.
        mahalanobis = (a * dy**2 + b * dx**2 - 2 * c * dx * dy) / (determinant + EPSILON)
        own = np.maximum(a1 * b1 - c1**2, 0) * np.maximum(a2 * b2 - c2**2, 0)
        spread = np.log(determinant / (4 * np.sqrt(own) + EPSILON) + EPSILON)
        distance = np.clip(mahalanobis / 4 + spread / 2, EPSILON, 100)
        result: NDArray[np.float64] = 1 - np.sqrt(1 - np.exp(-distance) + EPSILON)
    return result


def fast_nms(boxes: NDArray[Any], groups: NDArray[np.int64] | None, threshold: float) -> NDArray[np.int64]:
    """What ultralytics runs on rotated boxes: Fast NMS (Bolya et al., YOLACT, arXiv:1904.02689), not greedy.

    A candidate is dropped where *any* better one of its group overlaps it, be that one kept or itself dropped. Greedy
    suppression, which graphkit's contract promises, asks the kept ones only, so it keeps all that this keeps and
    sometimes more: of three boxes in a chain, A over B over C, with A and C apart, this drops C. ultralytics keeps
    classes apart by moving boxes 7680 pixels a class, which `groups` stands for here.

    Args:
        boxes: [N, 5], best first.
        groups: [N] class of each, or None where all meet all.
        threshold: Drops ProbIoU > threshold.

    Returns:
        Positions of the kept, ascending.
    """
    over = np.triu(probiou(boxes[:, None], boxes[None, :]) > threshold, 1)
    if groups is not None:
        over &= groups[:, None] == groups[None, :]
    return np.flatnonzero(~over.any(axis=0))
