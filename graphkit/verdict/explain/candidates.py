"""From both models' candidates to statements about what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from graphkit.verdict.explain.boxes import explain_boxes
from graphkit.verdict.explain.moves import moved_rows, other_images, other_order
from graphkit.verdict.explain.scores import activation, bad_columns, bias, other_columns, place, saturated, scaled
from graphkit.verdict.explain.table import Table
from graphkit.verdict.report import Finding


def explain_candidates(tables: Iterable[Table]) -> list[Finding]:
    """What is wrong with each table that differs, as near as the numbers show it."""
    found = list[Finding]()
    for table in tables:
        found += _explain(table)
    return found


def _explain(table: Table) -> list[Finding]:
    odd = _odd(table) or (saturated(table) if table.holds == "scores" else None)
    if odd is not None:
        return [odd]
    images = [image for image in range(len(table.left)) if _differs(table.images([image]))]
    if not images:
        return []
    if len(images) < len(table.left):
        # One image is right, so what is wrong is wrong with the others alone.
        named = " and ".join(str(image) for image in images)
        text = f"only image{'s' if len(images) > 1 else ''} {named} of a batch of {len(table.left)} differ"
        more = other_images(table)
        return more or [Finding(table.holds, "batch", f"{table.holds}: {text}{'' if len(images) > 1 else 's'}")]
    levels = [level for level in table.levels if _differs(table.of(level))]
    strides = tuple(level.stride for level in levels) if len(levels) < len(table.levels) else ()
    whole = _rows(table, levels) if strides else table
    found = _one(whole, strides)
    if found is not None:
        return [found]
    if len(levels) > 1:
        apart = [_one(table.of(level), (level.stride,)) for level in levels]
        if all(item is not None for item in apart):
            return _joined([item for item in apart if item is not None])
    return [other_order(table) or _only_where(whole, strides)]


def _differs(table: Table) -> bool:
    return table.apart > table.enough or (table.holds == "scores" and bool(bad_columns(table)))


def _rows(table: Table, levels: Sequence[object]) -> Table:
    """Only the rows of some levels, joined."""
    chosen = [level for level in table.levels if level in levels]
    if len(chosen) == 1:
        return table.of(chosen[0])
    rows = np.concatenate([np.arange(level.start, level.stop) for level in chosen])
    return replace(table, left=table.left[:, rows], right=table.right[:, rows], levels=())


def _one(table: Table, strides: tuple[int, ...]) -> Finding | None:
    """One explanation for all of it."""
    level = table.levels[0] if len(table.levels) == 1 else None
    if table.holds == "boxes":
        return (explain_boxes(table, strides) if table.left.shape[2] == 4 else None) or moved_rows(table, level)
    bad = bad_columns(table)
    if table.holds == "scores" and (found := activation(table)) is not None:
        return replace(found, strides=strides)
    some = bad if 0 < len(bad) < table.left.shape[2] else []
    own = replace(table, left=table.left[:, :, bad], right=table.right[:, :, bad], floors=None) if some else table
    found = scaled(replace(own, names=table.names), strides, some) or other_columns(table, bad)
    if found is not None:
        return replace(found, strides=strides) if strides else found
    moved = moved_rows(table, level)
    if moved is not None:
        return moved
    return bias(table, strides, some) if table.holds == "scores" and some else None


def _only_where(table: Table, strides: tuple[int, ...]) -> Finding:
    """No explanation fits: where it differs, and how much."""
    bad = bad_columns(table)
    some = bad if 0 < len(bad) < table.left.shape[2] else []
    if table.holds == "boxes":
        names = ("x1", "y1", "x2", "y2") if table.left.shape[2] == 4 else ("cx", "cy", "w", "h", "angle")
        told = f" in {', '.join(names[column] for column in some)} only" if some else ""
        text = f"boxes{place(table, strides, ())} differ{told}"
        return Finding("boxes", "differs", text, strides, (), f"relative L2 {table.apart:.1e}")
    text = f"{table.holds}{place(table, strides, some)} differ"
    return Finding(table.holds, "differs", text, strides, tuple(some), f"relative L2 {table.apart:.1e}")


def _odd(table: Table) -> Finding | None:
    """NaN and infinity that only one of the two has."""
    left, right = ~np.isfinite(table.left), ~np.isfinite(table.right)
    wrong = left != right
    if not wrong.any():
        return None
    strides = tuple(level.stride for level in table.levels if wrong[:, level.rows].any())
    strides = strides if len(strides) < len(table.levels) else ()
    columns = [int(column) for column in np.flatnonzero(wrong.any(axis=(0, 1)))]
    classes = columns if table.holds == "scores" and len(columns) < wrong.shape[2] else []
    who = "B" if right.sum() >= left.sum() else "A"
    where = place(table, strides, classes)
    text = f"{table.holds}{where} of {who} are NaN or infinite ({int(wrong.sum())} values)"
    return Finding(table.holds, "not finite", text, strides, tuple(classes))


def _joined(found: list[Finding]) -> list[Finding]:
    """Findings of all levels that say the same become one."""
    alike = {(item.kind, item.text.replace(f"stride {item.strides[0]}", "")) for item in found if item.strides}
    if len(alike) != 1 or len(found) < 2:
        return found
    strides = tuple(stride for item in found for stride in item.strides)
    told = f"strides {', '.join(map(str, strides[:-1]))} and {strides[-1]}"
    first = found[0]
    return [replace(first, text=first.text.replace(f"stride {first.strides[0]}", told), strides=strides)]
