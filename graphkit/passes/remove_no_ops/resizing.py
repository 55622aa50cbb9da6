"""Resize and Upsample by 1.

Output pixel i then lies at i of the input: half_pixel and its kin compute (i + 0.5) / 1 - 0.5, asymmetric i / 1, both
without rounding up to 2**22. align_corners computes i * (n - 1) / (n - 1), exact in float32 while the product is below
2**24. So nearest takes pixel i whichever way it rounds, and linear gives it the weight 1 and its neighbour 0.
tf_crop_and_resize looks at its roi, and tf_half_pixel_for_nn is off by a half.
"""

from __future__ import annotations

import numpy as np

from graphkit.facts import NodeFacts, TensorFacts
from graphkit.passes.residue.reading import integers, placed

_EXACT = ("half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "asymmetric")
_MOST = 1 << 22
_MOST_ALIGNED = 1 << 12


def upsample(node: NodeFacts) -> int | str | None:
    """By 1."""
    if node.since >= 9:
        return 0 if _ones(node.input(1)) else None
    scales = node.attr("scales")
    return 0 if isinstance(scales, list) and scales and all(item == 1 for item in scales) else None


def resize(node: NodeFacts) -> int | str | None:
    """By 1 along each axis, in a mode that is exact there."""
    if node.since < 11:
        return 0 if _ones(node.input(1)) else None
    source, sizes = node.input(0), node.input(3)
    if source is None or not (_ones(node.input(2)) if sizes is None else _same_sizes(node, source)):
        return None
    mode, kind = node.attr("mode"), node.attr("coordinate_transformation_mode")
    if mode not in ("nearest", "linear"):
        return f"it resizes by 1, which {mode} rounds"
    if node.attr("antialias", 0):
        return "it resizes by 1, but with antialias"
    most = _MOST_ALIGNED if kind == "align_corners" else _MOST if kind in _EXACT else -1
    if most < 0:
        return f"it resizes by 1, which {kind} does not leave as it is"
    if kind == "align_corners" and not source.static:
        return "it resizes by 1, which align_corners rounds where a side is beyond 4096"
    known = [size for size in source.shape or () if isinstance(size, int)]
    return 0 if all(size <= most for size in known) else "it resizes by 1, which rounds where a side is that long"


def _ones(scales: TensorFacts | None) -> bool:
    """Whether scales are given, each 1."""
    if scales is None or scales.value is None or not scales.value.size:
        return False
    return scales.constant and bool((scales.value == np.float32(1)).all())


def _same_sizes(node: NodeFacts, source: TensorFacts) -> bool:
    """Whether the sizes that a Resize is given are those that its input has."""
    sizes = integers(node.input(3))
    if sizes is None or source.shape is None:
        return False
    axes = node.attr("axes")
    if axes is None:
        axes = list(range(len(source.shape)))
    if not isinstance(axes, list) or placed(axes, len(source.shape)) is None or len(axes) != len(sizes):
        return False
    return all(source.shape[axis] == size for axis, size in zip(axes, sizes, strict=True))
