"""Rows that lie elsewhere: candidates off by one, levels in another order, images of a batch that got another's."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from graphkit.verdict.explain.table import Table, left_over
from graphkit.verdict.levels import Level
from graphkit.verdict.measures import relative_l2
from graphkit.verdict.report import Finding


def moved_rows(table: Table, level: Level | None) -> Finding | None:
    """Each candidate has what another candidate, a few places on, has in the first model."""
    count = table.left.shape[1]
    width = level.width if level is not None else 0
    steps = [step for near in (1, 2, 3, width) if near for step in (near, -near)]
    for step in dict.fromkeys(steps):
        size = abs(step)
        if size * 2 >= count:
            continue
        # What comes in at the end is not known: it may be repeated, wrapped or zero.
        left = table.left[:, :-size] if step > 0 else table.left[:, size:]
        right = table.right[:, size:] if step > 0 else table.right[:, :-size]
        before = relative_l2(table.left, table.right)
        rest = relative_l2(left, right)
        if rest <= max(table.enough, 1e-3) and rest <= 0.1 * before:
            return _moved(table, level, step, rest)
    return None


def _moved(table: Table, level: Level | None, step: int, rest: float) -> Finding:
    on = "later" if step > 0 else "earlier"
    size = abs(step)
    if level is not None and size == level.width and size > 3:
        how = f"off by one row of cells: each row has them one row {on} than in A"
    else:
        how = f"off by {size} candidate{'s' if size > 1 else ''}: each stands {size} row{'s' if size > 1 else ''} {on}"
    where = f" of stride {level.stride}" if level is not None else ""
    strides = (level.stride,) if level is not None else ()
    return Finding(table.holds, "shift", f"{table.holds}{where} are {how}", strides, (), left_over(rest))


def other_order(table: Table) -> Finding | None:
    """The levels are joined in another order."""
    if not 2 <= len(table.levels) <= 5:
        return None
    for order in permutations(table.levels):
        if order == table.levels:
            continue
        rest = table.explained(np.concatenate([table.left[:, level.rows] for level in order], axis=1))
        if rest is not None:
            told = ", ".join(str(level.stride) for level in order)
            text = f"the levels of the {table.holds} are joined in the order of the strides {told}"
            return Finding(table.holds, "level order", text, evidence=left_over(rest))
    return None


def other_images(table: Table) -> list[Finding]:
    """Images of the batch that have what another image should have, or nothing."""
    if len(table.left) < 2:
        return []
    found = []
    for image in range(len(table.left)):
        own = relative_l2(table.left[image], table.right[image])
        if own <= table.enough:
            continue
        for other in range(len(table.left)):
            rest = relative_l2(table.left[other], table.right[image])
            if other != image and rest <= max(table.enough, 1e-3) and rest <= 0.1 * own:
                text = f"image {image} of a batch of {len(table.left)} gets the {table.holds} of image {other}"
                found.append(Finding(table.holds, "batch", text, evidence=f"relative L2 {rest:.1e} to those"))
                break
    return found
