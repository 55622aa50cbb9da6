"""Comparing two values of one output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from graphkit.heads import Kind
from graphkit.model import standard_domain
from graphkit.numerics import Numerics

CLOSE_FLOAT32 = 1e-4
# A float16 value is known to one part in 1024 (its epsilon) at best, and a rearranged sum rounds several times.
CLOSE_FLOAT16 = 4 * float(np.finfo(np.float16).eps)


SIGMOID_ERROR = float(np.finfo(np.float32).eps)
"""How exact onnxruntime's Sigmoid is, in absolute terms: a score of 1e-4 is off by parts in a thousand."""

_MOVING = frozenset({"Identity", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"})


@dataclass(frozen=True)
class Comparison:
    """How far one output is from what it has to be, in plain data.

    Attributes:
        output: Name of the output.
        kind: "boxes", "scores" or "other".
        feed: Name of the feed this was seen on.
        elements: How many values were compared.
        identical: Every bit equal, NaN equal to NaN in the same place. Zeros of different sign are not identical.
        problem: Why the two cannot be subtracted (type, shape, NaN or infinity in different places), or None.
        max_error: Largest absolute difference, or None where there is a problem or nothing numeric.
        where: Index of it.
        expected: The value there before.
        got: The value there now.
        relative_l2: ‖a - b‖ / ‖a‖ of the whole output or of its worst slice, whichever is larger. Two zeros differ by
            0, a zero and something by infinity.
        slice: The worst slice, as "channel 17 of axis 1", where it is worse than the whole; else None.
        tolerance: The largest relative L2 that is CLOSE for this type; None where only identical will do.
    """

    output: str
    kind: Kind
    feed: str
    elements: int
    identical: bool
    problem: str | None = None
    max_error: float | None = None
    where: tuple[int, ...] | None = None
    expected: float | None = None
    got: float | None = None
    relative_l2: float = 0.0
    slice: str | None = None
    tolerance: float | None = None

    def meets(self, standard: Numerics) -> bool:
        """Whether this is good enough for EXACT or CLOSE."""
        if self.identical:
            return True
        if standard is Numerics.EXACT or self.problem is not None or self.tolerance is None:
            return False
        return self.relative_l2 <= self.tolerance

    @property
    def badness(self) -> tuple[int, float]:
        """Sorts comparisons: the larger, the worse."""
        return (0 if self.identical else 2 if self.problem or self.tolerance is None else 1, self.relative_l2)

    @property
    def sentence(self) -> str:
        """What is wrong with it, naming the output, the worst value and where."""
        place = f'output "{self.output}" on "{self.feed}"'
        if self.problem is not None:
            return f"{place} {self.problem}"
        if self.identical:
            return f"{place} is identical"
        if self.max_error is None:
            return f"{place} differs"
        inside = f" in {self.slice}" if self.slice else ""
        index = ", ".join(str(position) for position in self.where or ())
        return (
            f"{place} is off by {self.max_error:.3g} at [{index}], where {self.got:.6g} should be {self.expected:.6g} "
            f"(relative L2 {self.relative_l2:.2g}{inside})"
        )


def compare(
    output: str,
    kind: Kind,
    feed: str,
    expected: NDArray[Any],
    got: NDArray[Any],
    *,
    half: bool = False,
    ignore: float = 0.0,
) -> Comparison:
    """Compare one output with what it has to be.

    One number over a tensor that holds boxes in pixels and scores in 0..1 says nothing about the scores: at [1, 84,
    8400] scores multiplied by 1.01 are a relative L2 of 1e-6. So tensors of rank 3 and more are also judged slice by
    slice along the shorter of the last two axes, which is the channels in [B, 84, 8400] and [B, 8400, 84] alike, and
    the worst slice counts. A slice that is zero to the precision of its tensor, on both sides, is not judged alone:
    its norm is at most float32's epsilon times the whole norm, or, in float16, below the smallest normal number.

    Integers, booleans and strings are indices, counts and labels: nothing but identical is close.

    Args:
        output: Name.
        kind: What it holds.
        feed: Name of the feed.
        expected: The value before.
        got: The value now.
        half: Whether the model computes in float16, so that its outputs are no better known than that, whatever their
            own type.
        ignore: Differences of no more than this count as none.
    """
    shape = _mismatch(expected, got)
    if shape is not None:
        return Comparison(output, kind, feed, expected.size, False, problem=shape)
    if _same_bits(expected, got):
        return Comparison(output, kind, feed, expected.size, True)
    if expected.dtype.kind not in "fiu":
        return Comparison(output, kind, feed, expected.size, False)
    left, right = expected.astype(np.float64), got.astype(np.float64)
    odd = ~np.isfinite(left) | ~np.isfinite(right)
    if odd.any():
        wrong = odd & ~((left == right) | (np.isnan(left) & np.isnan(right)))
        if wrong.any():
            index = tuple(int(position) for position in np.argwhere(wrong)[0])
            problem = f"is {right[index]:.6g} at {list(index)}, where it should be {left[index]:.6g}"
            return Comparison(output, kind, feed, expected.size, False, problem=problem, where=index)
        left, right = np.where(odd, 0.0, left), np.where(odd, 0.0, right)
    difference = left - right
    difference[np.abs(difference) <= ignore] = 0.0
    worst = tuple(int(position) for position in np.unravel_index(np.abs(difference).argmax(), difference.shape))
    relative, part = _relative_l2(left, right, difference, np.dtype(np.float16) if half else expected.dtype)
    tolerance = None
    if expected.dtype.kind == "f":
        tolerance = CLOSE_FLOAT16 if half or expected.dtype.itemsize == 2 else CLOSE_FLOAT32
    return Comparison(
        output,
        kind,
        feed,
        expected.size,
        False,
        max_error=float(abs(difference[worst])),
        where=worst,
        expected=float(left[worst]),
        got=float(right[worst]),
        relative_l2=relative,
        slice=part,
        tolerance=tolerance,
    )


def outputs_of_sigmoids(graph: onnx.GraphProto) -> frozenset[str]:
    """The outputs of a graph that hold what a Sigmoid returns, moved at most."""
    makers = {name: node for node in graph.node for name in node.output}

    def comes(name: str) -> bool:
        seen: set[str] = set()
        while name in makers and name not in seen:
            seen.add(name)
            node = makers[name]
            if node.op_type not in _MOVING:
                return node.op_type == "Sigmoid" and standard_domain(node.domain)
            name = node.input[0] if node.input else ""
        return False

    return frozenset(info.name for info in graph.output if comes(info.name))


def _mismatch(expected: NDArray[Any], got: NDArray[Any]) -> str | None:
    if expected.dtype != got.dtype:
        return f"is {got.dtype}, and was {expected.dtype}"
    if expected.shape != got.shape:
        return f"has the shape {list(got.shape)}, and had {list(expected.shape)}"
    return None


def _same_bits(expected: NDArray[Any], got: NDArray[Any]) -> bool:
    if expected.dtype.kind != "f":
        return bool(np.array_equal(expected, got))
    bits = np.dtype(f"u{expected.dtype.itemsize}")
    left, right = np.ascontiguousarray(expected).view(bits), np.ascontiguousarray(got).view(bits)
    if np.array_equal(left, right):
        return True
    return bool(((left == right).reshape(expected.shape) | (np.isnan(expected) & np.isnan(got))).all())


def _relative_l2(
    expected: NDArray[Any], got: NDArray[Any], difference: NDArray[Any], dtype: np.dtype[Any]
) -> tuple[float, str | None]:
    # Dividing by the largest value first keeps squares of large numbers finite; the quotient is the same.
    scale = max(float(np.abs(expected).max(initial=0.0)), float(np.abs(got).max(initial=0.0))) or 1.0
    expected, got, difference = expected / scale, got / scale, difference / scale
    whole = float(np.linalg.norm(expected))
    total = _quotient(float(np.linalg.norm(difference)), whole)
    if expected.ndim < 3:
        return total, None
    axis = expected.ndim - 2 if expected.shape[-2] <= expected.shape[-1] else expected.ndim - 1
    others = tuple(other for other in range(expected.ndim) if other != axis)
    norm, norm_got, error = (np.sqrt(np.square(values).sum(axis=others)) for values in (expected, got, difference))
    floor = float(np.finfo(np.float32).eps) * whole
    if dtype == np.float16:
        count = expected.size / expected.shape[axis]
        floor = max(floor, float(np.finfo(np.float16).tiny) * float(np.sqrt(count)) / scale)
    judged = np.maximum(norm, norm_got) > floor
    parts = np.where(judged, error / np.maximum(np.maximum(norm, floor), np.finfo(np.float64).tiny), 0.0)
    worst = int(parts.argmax())
    if parts[worst] <= total:
        return total, None
    return float(parts[worst]), f"channel {worst} of axis {axis}"


def _quotient(error: float, norm: float) -> float:
    return 0.0 if error == 0 else error / norm if norm > 0 else float("inf")
