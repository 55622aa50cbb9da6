"""Number by number: the whole, and every slice that could hide in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphkit.heads import RawDetections
from graphkit.verdict.explain import Table
from graphkit.verdict.levels import Level
from graphkit.verdict.measures import by_slice, distance, relative_l2
from graphkit.verdict.precision import MOST, TIMES, UNMEASURED, Precision
from graphkit.verdict.report import Holds, PartComparison, PlainComparison

Values = Mapping[str, NDArray[Any]]
_CORNERS = ("x1", "y1", "x2", "y2")
_ROTATED = ("cx", "cy", "w", "h", "angle")
_CLOSE = 1e-5
PLAIN = 1e-4
_JUDGED = 0.5
"""A slice in which rounding alone moves more than half is not judged apart: there is nothing left of it."""


@dataclass(frozen=True, eq=False)
class Slices:
    """The relative L2 of each slice: what it is called, how far apart it is, what it may be."""

    names: tuple[str, ...]
    apart: NDArray[np.float64]
    allowed: NDArray[np.float64]

    def worst(self) -> tuple[str, float, float] | None:
        """The slice farthest beyond its own tolerance; None where there is none."""
        if not self.names:
            return None
        index = int((self.apart / np.maximum(self.allowed, 1e-30)).argmax())
        return self.names[index], float(self.apart[index]), float(self.allowed[index])


def compare_table(
    table: Table, name: str, feed: str, precision: Precision, rounded: NDArray[Any] | None
) -> PartComparison:
    """One thing that each candidate has.

    Args:
        table: Both sides, [B, A, X].
        name: For a reader.
        feed: The input.
        precision: What is allowed.
        rounded: What rounding to float16 makes of the side that was measured; None where nothing was.
    """
    parts = [_levels(table, precision, rounded)]
    if table.left.shape[2] > 1 and (precision.slices or table.holds == "boxes"):
        parts.append(_columns(table, precision, rounded))
    allowed = _allowed(precision, rounded, table.left, table.right)
    return _part(_holds(table.holds), name, feed, table.left, table.settled, allowed, parts)


def compare_values(
    holds: Holds,
    name: str,
    feed: str,
    left: NDArray[Any],
    right: NDArray[Any],
    precision: Precision,
    rounded: NDArray[Any] | None,
) -> PartComparison:
    """An output of which nothing else is known, or prototypes: the channels are the shorter of the last two axes."""
    problem = _unlike(left, right)
    if problem is not None:
        return PartComparison(
            holds, name, feed, 0, np.inf, np.inf, np.inf, 0.0, precision.tolerance, "", np.inf, 0, problem, False
        )
    if left.dtype.kind not in "fiu" or right.dtype.kind not in "fiu":
        same = bool(np.array_equal(left, right))
        apart = 0.0 if same else np.inf
        return PartComparison(
            holds, name, feed, left.size, apart, apart, apart, float(same), 0, "", apart, 0, None, same
        )
    parts = []
    if left.ndim >= 3 and precision.slices:
        axis = 1 if left.ndim == 4 else left.ndim - 2 if left.shape[-2] <= left.shape[-1] else left.ndim - 1
        names = tuple(f"channel {index}" for index in range(left.shape[axis]))
        noise = None if rounded is None else by_slice(left if precision.measures else right, rounded, axis)
        parts.append(Slices(names, by_slice(left, right, axis), _by_noise(precision, noise, len(names))))
    return _part(holds, name, feed, left, right, _allowed(precision, rounded, left, right), parts)


def plain(left: Values, right: Values, feed: str) -> list[PlainComparison]:
    """The outputs of one name and shape, taken as so many numbers."""
    found = []
    for name, one in left.items():
        other = right.get(name)
        if other is None or _unlike(one, other) is not None or one.dtype.kind != "f" or other.dtype.kind != "f":
            continue
        a, b = one.astype(np.float64), other.astype(np.float64)
        apart = relative_l2(a, b)
        with np.errstate(invalid="ignore"):
            close = bool(np.isclose(a, b, rtol=_CLOSE, atol=_CLOSE, equal_nan=True).all())
        found.append(PlainComparison(name, feed, apart, close, apart <= PLAIN))
    return found


def tables(
    left: RawDetections,
    right: RawDetections,
    levels: tuple[Level, ...],
    size: tuple[int, int],
    names: Mapping[int, str],
    bins: int | None,
    precision: Precision,
) -> list[Table]:
    """Boxes, scores and the extras both have, side by side; they must have the same shapes."""
    pairs: list[tuple[str, NDArray[Any], NDArray[Any]]] = [
        ("boxes", left.boxes, right.boxes),
        ("scores", left.scores, right.scores),
    ]
    ignored = {"scores": precision.ignored}
    pairs += [(kind, extra, right.extras[kind]) for kind, extra in left.extras.items() if kind in right.extras]
    return [
        Table(kind, one, other, levels, size, names, precision.tolerance, bins, ignore=ignored.get(kind, 0.0))
        for kind, one, other in pairs
    ]


def unlike(left: RawDetections, right: RawDetections) -> str | None:
    """Why two sets of candidates cannot be subtracted, or None."""
    for what, one, other in (("boxes", left.boxes, right.boxes), ("scores", left.scores, right.scores)):
        if one.shape != other.shape:
            axis = next(index for index in range(3) if one.shape[index] != other.shape[index])
            unit = ("images", "candidates", "coordinates" if what == "boxes" else "classes")[axis]
            return f"A gives {one.shape[axis]} {unit} and B {other.shape[axis]}"
    lacks = sorted(set(left.extras) ^ set(right.extras))
    if lacks:
        who = "B" if lacks[0] in left.extras else "A"
        return f"{who} gives no {lacks[0]}"
    for kind, extra in left.extras.items():
        if extra.shape != right.extras[kind].shape:
            return f"A gives {extra.shape[2]} values of {kind} and B {right.extras[kind].shape[2]}"
    return None


def allowed_columns(precision: Precision, table: Table, rounded: NDArray[Any] | None) -> NDArray[np.float64] | None:
    """What each column may be apart, where that is more than the tolerance; None where nothing was measured."""
    if rounded is None:
        return None
    return _by_noise(precision, by_slice(_measured(table, precision), rounded, 2), table.left.shape[2])


def allowed_levels(precision: Precision, table: Table, rounded: NDArray[Any] | None) -> dict[int, float]:
    """What each level alone may be apart, by stride; {} where nothing was measured."""
    if rounded is None:
        return {}
    found = _levels(table, precision, rounded)
    return {level.stride: float(allowed) for level, allowed in zip(table.levels, found.allowed, strict=False)}


def _part(
    holds: Holds, name: str, feed: str, left: NDArray[Any], right: NDArray[Any], allowed: float, slices: list[Slices]
) -> PartComparison:
    found = distance(left, right)
    candidates = [item for part in slices if (item := part.worst()) is not None]
    worst = max(candidates, key=lambda item: item[1] / max(item[2], 1e-30), default=("", found.relative_l2, allowed))
    if found.relative_l2 / max(allowed, 1e-30) >= worst[1] / max(worst[2], 1e-30):
        worst = ("", found.relative_l2, allowed)
    problem = f"{found.odd} values are NaN or infinite on one side only" if found.odd else None
    ok = problem is None and found.relative_l2 <= allowed and worst[1] <= worst[2]
    return PartComparison(
        holds, name, feed, int(left.size), found.relative_l2, found.max_error, found.max_relative_error, found.cosine,
        allowed, worst[0], worst[1], worst[2], problem, ok,
    )  # fmt: skip


def _holds(kind: str) -> Holds:
    known: dict[str, Holds] = {"boxes": "boxes", "scores": "scores", "masks": "masks", "keypoints": "keypoints"}
    return known.get(kind, "angle")


def _measured(table: Table, precision: Precision) -> NDArray[Any]:
    return table.left if precision.measures else table.right


def _allowed(precision: Precision, rounded: NDArray[Any] | None, left: NDArray[Any], right: NDArray[Any]) -> float:
    if rounded is None:
        return precision.tolerance
    noise = relative_l2(left if precision.measures else right, rounded)
    return max(precision.tolerance, min(TIMES * noise, MOST)) if np.isfinite(noise) else UNMEASURED


def _by_noise(precision: Precision, noise: NDArray[np.float64] | None, count: int) -> NDArray[np.float64]:
    if noise is None:
        return np.full(count, precision.tolerance)
    allowed = np.maximum(precision.tolerance, TIMES * noise)
    result: NDArray[np.float64] = np.where(np.isfinite(allowed) & (allowed <= _JUDGED), allowed, np.inf)
    return result


def _levels(table: Table, precision: Precision, rounded: NDArray[Any] | None) -> Slices:
    names, apart, allowed = [], [], []
    for level in table.levels if len(table.levels) > 1 else ():
        own = table.of(level)
        names.append(f"stride {level.stride}")
        apart.append(own.apart)
        noise = None if rounded is None else rounded[:, level.rows]
        allowed.append(_allowed(precision, noise, own.left, own.right))
    return Slices(tuple(names), np.array(apart, np.float64), np.array(allowed, np.float64))


def _columns(table: Table, precision: Precision, rounded: NDArray[Any] | None) -> Slices:
    count = table.left.shape[2]
    names: tuple[str, ...]
    if table.holds == "boxes":
        names = _CORNERS if count == 4 else _ROTATED
    elif table.holds == "scores":
        names = tuple(f"class {table.name(index)}" for index in range(count))
    else:
        names = tuple(f"value {index}" for index in range(count))
    noise = None if rounded is None else by_slice(_measured(table, precision), rounded, 2)
    return Slices(names, by_slice(table.left, table.settled, 2), _by_noise(precision, noise, count))


def _unlike(left: NDArray[Any], right: NDArray[Any]) -> str | None:
    if left.shape != right.shape:
        return f"has the shape {list(left.shape)} in A and {list(right.shape)} in B"
    return None
