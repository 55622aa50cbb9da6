"""What is wrong with candidates and detections, told from made-up numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphkit.heads import NmsContract
from graphkit.verdict.explain import Table, explain_candidates, explain_final
from graphkit.verdict.levels import Level, find_levels
from graphkit.verdict.matching import Matched, match
from graphkit.verdict.report import Finding
from graphkit.verify import Detections
from graphkit.verify.detections import FLOAT32

SIZE = (64, 64)
LEVELS = find_levels((8, 16, 32), *SIZE, 84)
NAMES = {3: "car", 7: "truck"}
Array = NDArray[Any]


def scores(classes: int = 10, batch: int = 1) -> Array:
    rng = np.random.default_rng(1)
    found: Array = 1 / (1 + np.exp(-rng.normal(-3, 2, (batch, 84, classes))))
    return found.astype(np.float32)


def boxes() -> Array:
    """Corners, from distances in cells around the middle of each cell."""
    rng = np.random.default_rng(2)
    found = np.zeros((1, 84, 4), np.float32)
    for level in LEVELS:
        points, sides = level.points(), rng.uniform(0.5, 3, (level.stop - level.start, 4))
        found[0, level.rows] = np.concatenate([points - sides[:, :2], points + sides[:, 2:]], axis=1) * level.stride
    return found


def told(holds: str, left: Array, right: Array, **more: Any) -> list[Finding]:
    return explain_candidates([Table(holds, left, right, LEVELS, SIZE, NAMES, **more)])


def one(holds: str, left: Array, right: Array, **more: Any) -> Finding:
    found = told(holds, left, right, **more)
    assert len(found) == 1, found
    return found[0]


def changed(values: Array, change: Callable[[Array], None]) -> Array:
    made = values.copy()
    change(made)
    return made


def test_levels_are_found_from_the_number_of_candidates() -> None:
    assert [(level.stride, level.start, level.stop) for level in LEVELS] == [(8, 0, 64), (16, 64, 80), (32, 80, 84)]
    assert find_levels((), 64, 64, 84) == LEVELS
    assert [level.anchors for level in find_levels((8, 16, 32), 64, 64, 252)] == [3, 3, 3]
    assert find_levels((8, 16, 32), 64, 64, 85) == ()
    assert find_levels((), 320, 256, 40 * 32 + 20 * 16 + 10 * 8)[1] == Level(16, 1280, 1600, 20, 16, 1)


def test_what_is_the_same_is_not_explained() -> None:
    assert told("scores", scores(), scores()) == []
    assert told("boxes", boxes(), boxes() * np.float32(1 + 1e-6)) == []


def test_scores_that_are_scaled() -> None:
    found = one("scores", scores(), scores() * 0.5)
    assert (found.kind, found.strides, found.classes) == ("scale", (), ())
    assert found.text == "scores are × 0.5"


def test_one_class_that_is_scaled() -> None:
    right = scores()
    right[..., 7] *= 0.8
    found = one("scores", scores(), right)
    assert (found.kind, found.classes) == ("scale", (7,))
    assert "class 7 (truck)" in found.text


def test_two_classes_that_are_swapped() -> None:
    order = [0, 1, 2, 7, 4, 5, 6, 3, 8, 9]
    found = one("scores", scores(), scores()[..., order])
    assert (found.kind, found.classes, found.text) == (
        "permutation",
        (3, 7),
        "classes 3 (car) and 7 (truck) are swapped",
    )


def test_classes_that_are_turned_round() -> None:
    found = one("scores", scores(), np.roll(scores(), 1, axis=2))
    assert found.kind == "permutation"
    assert "turned round" in found.text


def test_a_missing_sigmoid_and_one_too_many() -> None:
    left = scores()
    assert one("scores", left, np.log(left / (1 - left))).kind == "no sigmoid"
    assert one("scores", left, 1 / (1 + np.exp(-left))).kind == "two sigmoids"


def test_the_bias_of_a_class() -> None:
    def lift(values: Array) -> None:
        logits = np.log(values[..., 3] / (1 - values[..., 3])) + 0.5
        values[..., 3] = 1 / (1 + np.exp(-logits))

    found = one("scores", scores(), changed(scores(), lift))
    assert (found.kind, found.classes) == ("bias", (3,))
    assert "+0.5" in found.text


def test_scores_of_one_level_that_are_wrong_in_no_known_way() -> None:
    def disturb(values: Array) -> None:
        values[:, LEVELS[1].rows] *= np.random.default_rng(0).uniform(0.9, 1.1, (1, 16, 10))

    found = one("scores", scores(), changed(scores(), disturb))
    assert (found.kind, found.strides) == ("differs", (16,))


@pytest.mark.parametrize("step", [1, -1])
def test_candidates_that_are_off_by_one(step: int) -> None:
    found = one("scores", scores(), np.roll(scores(), step, axis=1))
    assert found.kind == "shift"
    assert "off by 1 candidate" in found.text


def test_levels_in_another_order() -> None:
    right = np.concatenate([scores()[:, level.rows] for level in reversed(LEVELS)], axis=1)
    found = one("scores", scores(), right)
    assert found.kind == "level order"
    assert "32, 16, 8" in found.text


def test_an_image_that_gets_the_result_of_another() -> None:
    left = scores(batch=3)
    found = told("scores", left, left[[0, 1, 1]])
    assert [finding.text for finding in found] == ["image 2 of a batch of 3 gets the scores of image 1"]


def test_values_that_are_not_finite() -> None:
    def spoil(values: Array) -> None:
        values[:, LEVELS[2].rows, 3] = np.nan

    found = one("scores", scores(), changed(scores(), spoil))
    assert (found.kind, found.strides, found.classes) == ("not finite", (32,), (3,))


def test_scores_of_overflowed_logits() -> None:
    def overflow(values: Array) -> None:
        part = values[:, LEVELS[2].rows]
        values[:, LEVELS[2].rows] = part > 0.5

    assert (found := one("scores", scores(), changed(scores(), overflow))).strides == (32,)
    assert found.kind == "saturated"


def test_boxes_of_one_level_with_a_wrong_stride() -> None:
    def double(values: Array) -> None:
        values[:, LEVELS[1].rows] *= 2

    found = one("boxes", boxes(), changed(boxes(), double))
    assert (found.kind, found.strides) == ("scale", (16,))
    assert "as if the stride were 32" in found.text


def test_boxes_of_one_level_that_are_moved() -> None:
    def move(values: Array) -> None:
        values[:, LEVELS[2].rows] += np.array([32, 0, 32, 0])

    found = one("boxes", boxes(), changed(boxes(), move))
    assert (found.kind, found.strides) == ("offset", (32,))
    assert "(1 and 0 cells)" in found.text


def test_boxes_in_another_coding_or_order() -> None:
    left = boxes()
    low, high = left[..., :2], left[..., 2:]
    assert one("boxes", left, np.concatenate([(low + high) / 2, high - low], axis=2)).kind == "coding"
    assert one("boxes", left, left[..., [1, 0, 3, 2]]).kind == "order"


def test_clipped_boxes() -> None:
    assert one("boxes", boxes(), np.clip(boxes(), 0, 64)).kind == "clipped"


def test_reversed_bins() -> None:
    left, right = boxes(), boxes()
    for level in LEVELS:
        points, stride = level.points(), level.stride
        low, high = points - left[0, level.rows, :2] / stride, left[0, level.rows, 2:] / stride - points
        right[0, level.rows] = np.concatenate([points - (15 - low), points + (15 - high)], axis=1) * stride
    found = one("boxes", left, right, bins=16)
    assert (found.kind, found.strides) == ("bins reversed", (8, 16, 32))
    assert "strides 8, 16 and 32" in found.text


def test_keypoint_values_that_are_swapped() -> None:
    values = np.random.default_rng(4).uniform(0, 64, (1, 84, 6)).astype(np.float32)
    found = one("keypoints", values, values[..., [3, 4, 5, 0, 1, 2]])
    assert (found.where, found.kind, found.classes) == ("keypoints", "permutation", (0, 1, 2, 3, 4, 5))


def detections(rows: list[tuple[float, int, tuple[float, float, float, float]]]) -> Detections:
    return Detections(
        np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[0] for row in rows], np.float32),
        np.array([row[1] for row in rows], np.int64),
    )


APART = [(0.9 - 0.1 * n, n % 2, (30.0 * n, 0.0, 30.0 * n + 20, 20.0)) for n in range(6)]


def matched(left: Any, right: Any) -> Matched:
    contract = NmsContract("multi-label", 0.0, 1.0, 300, suppress=False)
    return match("image", detections(left), detections(right), contract, FLOAT32)


def final(left: Any, right: Any, rows: tuple[int, int] = (300, 300)) -> list[Finding]:
    return explain_final([matched(left, right)], (320, 320), {}, 1e-4, rows)


def test_a_higher_confidence_threshold() -> None:
    found = final(APART, APART[:3])
    assert [finding.kind for finding in found] == ["confidence"]
    assert "up to a score of 0.6" in found[0].text


def test_fewer_rows() -> None:
    assert [finding.kind for finding in final(APART, APART[:3], (300, 3))] == ["limit"]


def test_suppression_of_the_same_and_of_other_classes() -> None:
    same = (0.85, 0, (4.0, 0.0, 24.0, 20.0))
    other = (0.85, 1, (1.0, 0.0, 21.0, 20.0))
    assert [finding.kind for finding in final([*APART, same], APART)] == ["iou"]
    assert [finding.kind for finding in final([*APART, other], APART)] == ["class-agnostic"]
    lone = (0.85, 1, (200.0, 100.0, 220.0, 120.0))
    assert [finding.kind for finding in final([*APART, lone], APART)] == ["missing"]


def test_classes_that_changed() -> None:
    turned = [(score, 5 if label == 1 else label, box) for score, label, box in APART]
    found = final(APART, turned)
    assert [finding.kind for finding in found] == ["class"]
    assert "1 became 5 (3 of 3)" in found[0].text


def test_detections_that_agree_are_not_explained() -> None:
    assert final(APART, APART) == []
