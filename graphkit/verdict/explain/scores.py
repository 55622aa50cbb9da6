"""What is wrong with scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graphkit.verdict.explain.table import Array, Table, left_over, number, ratio
from graphkit.verdict.measures import by_slice
from graphkit.verdict.report import Finding

_MOST_NAMED = 6
_FAINT = 1e-4
_FAR, _NEAR = 1e-2, 5e-2
"""A score that is exactly 0 or 1 by mistake is off by the one; what rounding to float16 moves stays under the other."""


def bad_columns(table: Table) -> list[int]:
    """Columns that differ by more than is enough."""
    parts = by_slice(table.left, table.settled, 2)
    allowed = np.full(len(parts), table.enough) if table.floors is None else np.maximum(table.floors, table.enough)
    return [int(column) for column in np.flatnonzero(parts > allowed)]


def saturated(table: Table) -> Finding | None:
    """Scores of exactly 0 or 1 that should be something else, as Sigmoid gives of logits that overflowed."""
    a, b = table.left, table.right
    exact = (b == 0) | (b == 1)
    apart = np.abs(a - b)
    wrong = exact & (apart > _FAR)
    # All that is far off must be of this kind.
    if not wrong.any() or (~exact & (apart > _NEAR)).any():
        return None
    strides = tuple(level.stride for level in table.levels if wrong[:, level.rows].any())
    strides = strides if len(strides) < len(table.levels) else ()
    text = f"scores{place(table, strides, ())} are exactly 0 or 1 where A's are not ({int(wrong.sum())} values)"
    return Finding("scores", "saturated", text, strides)


def activation(table: Table) -> Finding | None:
    """A Sigmoid that is gone, or one that is there twice."""
    a, b = table.left.astype(np.float64), table.right.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        logits = np.log(a / (1 - a))
        known = np.isfinite(logits) & (a > 1e-6) & (a < 1 - 1e-4)
        if known.any() and ((b < 0) | (b > 1)).any():
            rest = table_like(table, logits[known], b[known])
            if rest is not None:
                text = "scores are logits: their Sigmoid is missing"
                return Finding("scores", "no sigmoid", text, evidence=left_over(rest))
        rest = table.explained(1 / (1 + np.exp(-a)))
        if rest is not None:
            return Finding("scores", "two sigmoids", "scores went through a Sigmoid twice", evidence=left_over(rest))
    return None


def table_like(table: Table, guess: Array, right: Array) -> float | None:
    """As `Table.explained`, of chosen values."""
    rest = float(np.linalg.norm(guess - right) / max(float(np.linalg.norm(right)), 1e-30))
    return rest if rest <= max(table.enough, 2e-3) else None


def scaled(table: Table, strides: tuple[int, ...], classes: Sequence[int]) -> Finding | None:
    """All of them times one number."""
    found = ratio(table)
    if found is None:
        return None
    factor, rest = found
    where = place(table, strides, classes)
    return Finding(
        table.holds, "scale", f"{table.holds}{where} are × {number(factor)}", strides, tuple(classes), left_over(rest)
    )


def place(table: Table, strides: Sequence[int], classes: Sequence[int]) -> str:
    """Where, for a reader: " of stride 16, class 5 (bus)"; "" for everywhere."""
    found = []
    if strides:
        found.append(f"stride{'s' if len(strides) > 1 else ''} {_listed([str(stride) for stride in strides])}")
    if classes:
        word = "class" if table.holds == "scores" else "value"
        plural = {"class": "classes", "value": "values"}[word]
        named = [table.name(label) if table.holds == "scores" else str(label) for label in classes[:_MOST_NAMED]]
        more = f" and {len(classes) - _MOST_NAMED} more" if len(classes) > _MOST_NAMED else ""
        found.append(f"{plural if len(classes) > 1 else word} {_listed(named) if not more else ', '.join(named)}{more}")
    return " of " + ", ".join(found) if found else ""


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else items[0]


def other_columns(table: Table, bad: Sequence[int]) -> Finding | None:
    """Columns that hold what other columns should: classes swapped, turned round, or in another order."""
    if len(bad) < 2:
        return None
    from scipy.optimize import linear_sum_assignment

    a = table.left.astype(np.float64).transpose(2, 0, 1).reshape(table.left.shape[2], -1)[list(bad)]
    b = table.right.astype(np.float64).transpose(2, 0, 1).reshape(table.right.shape[2], -1)[list(bad)]
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return None
    squares = (b * b).sum(axis=1)
    apart = np.sqrt(np.maximum(squares[:, None] + (a * a).sum(axis=1)[None, :] - 2 * b @ a.T, 0))
    cost = apart / np.sqrt(np.maximum(squares, 1e-60))[:, None]
    cost = np.where(np.isfinite(cost), cost, 1e6)
    rows, columns = linear_sum_assignment(cost)
    worst = float(cost[rows, columns].max())
    source = {bad[row]: bad[column] for row, column in zip(rows.tolist(), columns.tolist(), strict=True)}
    if worst > max(table.enough, 1e-3) or any(own == other for own, other in source.items()):
        return None
    return Finding(
        table.holds, "permutation", _permuted(table, source), (), tuple(sorted(source)), f"matched to {worst:.1e}"
    )


def _permuted(table: Table, source: dict[int, int]) -> str:
    of_classes = table.holds == "scores"
    word = "classes" if of_classes else f"values of the {table.holds}"
    name = table.name if of_classes else str
    swaps = [(a, b) for a, b in source.items() if source.get(b) == a and a < b]
    if len(swaps) * 2 == len(source):
        told = ", ".join(f"{name(a)} and {name(b)}" for a, b in swaps[:_MOST_NAMED])
        more = f" and {len(swaps) - _MOST_NAMED} more pairs" if len(swaps) > _MOST_NAMED else ""
        return f"{word} {told}{more} are swapped"
    count = table.left.shape[2]
    steps = {(own - other) % count for own, other in source.items()}
    if len(steps) == 1 and len(source) == count:
        step = steps.pop()
        return f"{word} are turned round: B's {step} is A's 0"
    told = ", ".join(f"{name(own)} is {name(other)}" for own, other in list(source.items())[:_MOST_NAMED])
    more = f" and {len(source) - _MOST_NAMED} more" if len(source) > _MOST_NAMED else ""
    return f"{word} are in another order: {told}{more}"


def bias(table: Table, strides: tuple[int, ...], bad: Sequence[int]) -> Finding | None:
    """Logits of some classes higher or lower by one number."""
    found = dict[int, float]()
    for column in bad:
        a, b = (item[:, :, column].astype(np.float64).reshape(-1) for item in (table.left, table.right))
        # Fainter scores are not known well enough for their logits to be.
        known = (np.maximum(a, b) > _FAINT) & (np.minimum(a, b) > 0) & (np.maximum(a, b) < 1 - _FAINT)
        if known.sum() < 8:
            return None
        moved = np.log(b[known] / (1 - b[known])) - np.log(a[known] / (1 - a[known]))
        middle = float(np.median(moved))
        spread = float(np.quantile(np.abs(moved - middle), 0.95))
        if spread > max(0.05 * abs(middle), 2e-3) or abs(middle) < 1e-3:
            return None
        found[column] = middle
    if not found or len(found) > _MOST_NAMED:
        return None
    told = ", ".join(f"class {table.name(column)} by {moved:+.3g}" for column, moved in found.items())
    where = place(table, strides, ())
    return Finding("scores", "bias", f"logits{where} are moved everywhere alike: {told}", strides, tuple(found))
