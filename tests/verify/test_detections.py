from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphkit.heads import NmsContract, RawDetections, Seam
from graphkit.verify import Agreement, Detections, agree, detect
from graphkit.verify.madeup import made_up

CONTRACT = NmsContract("best-class", 0.25, 0.5, 300)
SEAM = Seam("b", "s", 7, 600, 3, "nc", "corners", "nc")


def some(*rows: tuple[Any, ...]) -> Detections:
    """Rows of x1, y1, x2, y2, score, class."""
    array = np.array(rows, np.float64).reshape(-1, 6)
    return Detections(array[:, :4].astype(np.float32), array[:, 4].astype(np.float32), array[:, 5].astype(np.int64))


def found(expected: Detections, got: Detections, contract: NmsContract = CONTRACT) -> Agreement:
    return agree(expected, got, contract, 'image 0 of "bus.jpg"')


A, B = (0, 0, 10, 10, 0.9, 1), (50, 50, 60, 60, 0.8, 2)


def test_the_same_in_any_order_agree() -> None:
    result = found(some(A, B), some(B, A))
    assert (result.compared, result.missing, result.extra, result.problem) == (2, 0, 0, None)
    assert result.classes == (1, 2)
    assert result.min_iou == 1


@pytest.mark.parametrize(
    ("got", "problem"),
    [
        (some(A), "lacks class 2 with score 0.8000 at [50.0, 50.0, 60.0, 60.0] (2 detections expected, 1 returned)"),
        (some(A, B, (90, 90, 99, 99, 0.7, 3)), "has class 3 with score 0.7000"),
        (some(A, (50, 50, 60, 60, 0.8, 3)), "lacks class 2"),
        (some(A, (50, 50, 60, 60, 0.79, 2)), "lacks class 2"),
        (some(A, (51, 50, 61, 60, 0.8, 2)), "lacks class 2"),
        (some(A, B, B), "has class 2"),
    ],
)
def test_every_kind_of_disagreement_is_said(got: Detections, problem: str) -> None:
    result = found(some(A, B), got)
    assert result.problem is not None
    assert result.problem.startswith(f'image 0 of "bus.jpg" {problem}')


def test_boxes_without_area_and_infinite_scores_match_themselves() -> None:
    result = found(
        some((5, 5, 5, 9, 0.9, 0), (1, 1, 2, 2, np.inf, 0)), some((5, 5, 5, 9, 0.9, 0), (1, 1, 2, 2, np.inf, 0))
    )
    assert (result.compared, result.problem, result.max_score_error) == (2, None, 0)


def test_within_a_hair_of_the_confidence_is_borderline() -> None:
    result = found(some(A, (50, 50, 60, 60, 0.25005, 2)), some(A))
    assert (result.compared, result.borderline, result.problem) == (1, 1, None)
    assert found(some(A, (50, 50, 60, 60, 0.2502, 2)), some(A)).problem is not None


def test_within_a_hair_of_the_iou_is_borderline_in_its_class_only() -> None:
    half = (0, 0, 10, 5.0001, 0.8, 1)
    assert found(some(A, half), some(A)).borderline == 1
    other_class = (0, 0, 10, 5.0001, 0.8, 2)
    assert found(some(A, other_class), some(A)).problem is not None
    agnostic = replace(CONTRACT, semantics="class-agnostic")
    assert found(some(A, other_class), some(A), agnostic).borderline == 1


def test_what_a_borderline_box_suppresses_is_borderline() -> None:
    doubtful, beneath = (50, 50, 60, 60, 0.25005, 2), (50, 50, 60, 58, 0.25004, 2)
    clear = (50, 50, 60, 58, 0.2499, 2)
    assert found(some(A, doubtful), some(A, beneath)).problem is None
    # IoU 0.5 with A to a hair, so it may be gone; what it suppresses elsewhere may then be there.
    first, second = (0, 0, 10, 5.0001, 0.8, 1), (0, 0, 10, 4, 0.7, 1)
    assert found(some(A, first), some(A, second)).problem is None
    assert found(some(A), some(A, second)).problem is not None
    assert clear[4] < 0.25


def test_ties_at_the_last_row_are_borderline() -> None:
    contract = replace(CONTRACT, max_detections=2)
    tied = (90, 90, 99, 99, 0.8, 3)
    assert found(some(A, B), some(A, tied), contract).borderline == 2
    worse = (90, 90, 99, 99, 0.7, 3)
    assert found(some(A, B), some(A, worse), contract).problem is not None


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), semantics=st.sampled_from(["best-class", "multi-label", "class-agnostic"]))
def test_made_up_boxes_agree_with_themselves_and_not_with_another_contract(seed: int, semantics: Any) -> None:
    contract = NmsContract(semantics, 0.25, 0.5, 300)
    _, raw = made_up(SEAM, contract, seed)
    reference = detect(raw, contract)
    same = sum((found(item, item, contract) for item in reference), Agreement())
    assert same.problem is None
    assert same.compared == same.expected == same.got
    others = [detect(raw, replace(contract, iou=0.8))]
    if all(len(item) < 300 for item in reference):  # a full list may not reach down to the threshold
        others.append(detect(raw, replace(contract, confidence=0.4)))
    for other in others:
        assert any(found(a, b, contract).problem for a, b in zip(reference, other, strict=True))


def test_swapped_semantics_are_told_apart() -> None:
    _, raw = made_up(SEAM, CONTRACT, 0)
    kinds: tuple[Any, ...] = ("best-class", "multi-label", "class-agnostic")
    results = {kind: detect(raw, replace(CONTRACT, semantics=kind)) for kind in kinds}
    for one in results:
        for other in results:
            problems = [found(a, b).problem for a, b in zip(results[one], results[other], strict=True)]
            assert any(problems) == (one != other)


def test_made_up_boxes_are_what_a_proof_needs() -> None:
    fed, raw = made_up(SEAM, CONTRACT, 0)
    counts = [len(item) for item in detect(raw, CONTRACT)]
    assert counts[0] > 20
    assert counts[-1] == 0
    unsuppressed = [len(item) for item in detect(raw, replace(CONTRACT, iou=1.0))]
    assert unsuppressed[0] > counts[0] * 1.3
    assert len({int(label) for item in detect(raw, CONTRACT) for label in item.classes}) >= 5
    best = raw.scores[0].max(axis=1)
    assert len(np.unique(best[best > 0.25])) < (best > 0.25).sum()
    assert (raw.boxes[0, :, 0] == raw.boxes[0, :, 2]).any()
    assert (best == np.float32(0.25)).any()
    np.testing.assert_array_equal(fed["b"], raw.boxes)
    crowded = made_up(SEAM, replace(CONTRACT, max_detections=20), 1)[1]
    assert len(detect(crowded, replace(CONTRACT, max_detections=10**6))[0]) > 20


def test_made_up_boxes_in_every_layout_are_the_same_boxes() -> None:
    coded = replace(SEAM, box_layout="cn", box_coding="center-size", score_layout="cn", batch=None, anchors=None)
    fed, raw = made_up(coded, CONTRACT, 3)
    assert fed["b"].shape == (3, 4, 600)
    assert fed["s"].shape == (3, 7, 600)
    centre = fed["b"].transpose(0, 2, 1)
    corner = np.concatenate([centre[..., :2] - centre[..., 2:] / 2, centre[..., :2] + centre[..., 2:] / 2], axis=2)
    np.testing.assert_array_equal(corner, raw.boxes)
    np.testing.assert_array_equal(fed["s"].transpose(0, 2, 1), raw.scores)


def test_a_fixed_batch_of_one_has_rounds_without_detections() -> None:
    counts = [len(detect(made_up(replace(SEAM, batch=1), CONTRACT, seed)[1], CONTRACT)[0]) for seed in range(6)]
    assert [count == 0 for count in counts] == [False, False, True] * 2


def test_made_up_half_precision_is_what_float16_holds() -> None:
    fed, raw = made_up(SEAM, CONTRACT, 0, np.dtype(np.float16))
    assert fed["b"].dtype == fed["s"].dtype == np.float16
    np.testing.assert_array_equal(fed["s"].astype(np.float32), raw.scores)


@pytest.mark.parametrize("seam", [replace(SEAM, anchors=1), replace(SEAM, classes=1), replace(SEAM, batch=1)])
def test_made_up_boxes_for_small_heads(seam: Seam) -> None:
    for seed in range(3):
        _, raw = made_up(seam, replace(CONTRACT, candidates=10), seed)
        assert isinstance(raw, RawDetections)
        assert raw.boxes.shape[:2] == raw.scores.shape[:2]
        assert len(detect(raw, CONTRACT)[0]) > 0
