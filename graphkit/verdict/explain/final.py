"""What is wrong with final detections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graphkit.verdict.explain.boxes import explain_boxes
from graphkit.verdict.explain.limits import explain_limits
from graphkit.verdict.explain.scores import other_columns, scaled
from graphkit.verdict.explain.table import Table
from graphkit.verdict.matching import Matched, match_by_score
from graphkit.verdict.report import Finding

_FEW = 3


def explain_final(
    images: Sequence[Matched],
    size: tuple[int, int],
    names: Mapping[int, str],
    enough: float,
    rows: tuple[int, int] | None,
) -> list[Finding]:
    """What the detections of both say is wrong, image by image.

    Args:
        images: Matched.
        size: Height and width of the network's input.
        names: Class names.
        enough: Relative L2 that is the same.
        rows: What each of the two returns at most, where both choose their detections themselves; None where not.
    """
    wrong = [item for item in images if item.agreement.problem is not None]
    if not wrong:
        return []
    found = _pairs(wrong, size, names, enough) + _labels(wrong, names)
    if rows is not None and not any(finding.where == "boxes" for finding in found):
        found += explain_limits(wrong, rows)
    return found


def _pairs(images: Sequence[Matched], size: tuple[int, int], names: Mapping[int, str], enough: float) -> list[Finding]:
    """Boxes, scores and extras of pairs, as tables of one image."""
    rows, columns = [], []
    for item in images:
        i, j = item.rows, item.columns
        if len(i) * 2 < min(len(item.left), len(item.right)):
            i, j = match_by_score(item.left, item.right)
        rows.append(i)
        columns.append(j)
    if sum(map(len, rows)) < _FEW:
        return []
    matched = list(zip(images, rows, columns, strict=True))
    boxes = _stack([item.left.boxes[i] for item, i, _ in matched], [item.right.boxes[j] for item, _, j in matched])
    scores = _stack(
        [item.left.scores[i][:, None] for item, i, _ in matched],
        [item.right.scores[j][:, None] for item, _, j in matched],
    )
    found = list[Finding]()
    table = Table("boxes", *boxes, (), size, names, enough)
    if table.apart > max(enough, 1e-3):
        fits = explain_boxes(table, ()) if boxes[0].shape[2] == 4 else None
        found.append(
            fits
            or Finding(
                "boxes", "differs", "boxes of matched detections differ", evidence=f"relative L2 {table.apart:.1e}"
            )
        )
    table = Table("scores", *scores, (), size, names, enough)
    if table.apart > max(enough, 1e-3):
        fits = scaled(table, (), ())
        found.append(
            fits
            or Finding(
                "scores", "differs", "scores of matched detections differ", evidence=f"relative L2 {table.apart:.1e}"
            )
        )
    for kind in images[0].left.extras:
        if all(kind in item.right.extras for item in images):
            left = [item.left.extras[kind][i] for item, i, _ in matched]
            right = [item.right.extras[kind][j] for item, _, j in matched]
            found += _extra(Table(kind, *_stack(left, right), (), size, names, enough))
    return found


def _extra(table: Table) -> list[Finding]:
    if table.apart <= max(table.enough, 1e-3):
        return []
    fits = other_columns(table, list(range(table.left.shape[2]))) or scaled(table, (), ())
    plain = Finding(
        table.holds, "differs", f"{table.holds} of matched detections differ", evidence=f"relative L2 {table.apart:.1e}"
    )
    return [fits or plain]


def _stack(
    left: Sequence[NDArray[np.float32]], right: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.concatenate(left)[None], np.concatenate(right)[None]


def _labels(images: Sequence[Matched], names: Mapping[int, str]) -> list[Finding]:
    """Classes that became other classes."""
    turned: Counter[tuple[int, int]] = Counter()
    kept: Counter[int] = Counter()
    for item in images:
        for i, j in zip(item.rows.tolist(), item.columns.tolist(), strict=True):
            own, other = int(item.left.classes[i]), int(item.right.classes[j])
            if own == other:
                kept[own] += 1
            else:
                turned[own, other] += 1
    if not turned:
        return []

    def name(label: int) -> str:
        return f"{label} ({names[label]})" if label in names else str(label)

    told = ", ".join(
        f"{name(own)} became {name(other)} ({count} of {count + kept[own]})"
        for (own, other), count in turned.most_common(4)
    )
    classes = tuple(sorted({label for pair in turned for label in pair}))
    return [Finding("scores", "class", f"classes changed: {told}", classes=classes)]
