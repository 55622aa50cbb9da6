"""Half-precision heads that choose their own detections: rows in another order are the same, other rows are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphkit.verify import Feed
from graphkit.verify.final_rows import judge_rows

FEEDS = [Feed("picture", {})]


def rows(count: int = 60, seed: int = 0) -> NDArray[np.float16]:
    """[1, count, 6]: boxes that do not overlap, scores descending, of three classes."""
    random = np.random.default_rng(seed)
    corners = np.stack([np.arange(count) % 8, np.arange(count) // 8], axis=1) * 40.0
    boxes = np.concatenate([corners, corners + random.uniform(10, 30, (count, 2))], axis=1)
    scores = np.sort(random.uniform(0.3, 0.9, count))[::-1]
    return np.concatenate([boxes, scores[:, None], (np.arange(count) % 3)[:, None]], axis=1)[None].astype(np.float16)


def judge(before: NDArray[np.float16], after: NDArray[np.float16]) -> str | None:
    found = judge_rows("output0", [{"output0": before}], [{"output0": after}], FEEDS)
    assert found.problem is not None or found.compared == before.shape[1]
    return found.problem


def test_another_order_is_the_same() -> None:
    before = rows()
    assert judge(before, before[:, np.random.default_rng(1).permutation(60)]) is None


def test_another_class_score_or_box_is_not() -> None:
    before = rows()
    for column, change in ((5, 1), (4, -0.2), (0, 15), (3, 20)):
        after = before.copy()
        after[0, 7, column] += change
        assert judge(before, after) is not None, column


def test_extras_belong_to_their_row() -> None:
    before = np.concatenate([rows(), np.random.default_rng(2).normal(size=(1, 60, 4)).astype(np.float16)], axis=2)
    assert judge(before, before[:, ::-1]) is None
    swapped = before.copy()
    swapped[0, [3, 4], 6:] = before[0, [4, 3], 6:]
    assert "extras of another candidate" in (judge(before, swapped) or "")


def test_a_row_is_missing() -> None:
    before = rows()
    after = before.copy()
    after[0, 10] = after[0, 11]
    assert judge(before, after) is not None
