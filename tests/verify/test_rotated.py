from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphkit.heads import NmsContract, RawDetections
from graphkit.verify import detect
from graphkit.verify.references.rotated import covariance, fast_nms, probiou


def random_boxes(count: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    parts = [rng.uniform(0, 200, (count, 2)), rng.uniform(5, 90, (count, 2)), rng.uniform(-0.8, 2.4, (count, 1))]
    return np.concatenate(parts, axis=1).astype(np.float32)


def test_covariance_is_that_of_points_spread_over_the_box() -> None:
    rng = np.random.default_rng(0)
    box = np.array([0, 0, 40, 10, 0.6])
    points = (rng.random((400_000, 2)) - 0.5) * box[2:4]
    turn = np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    seen = np.cov((points @ turn.T).T)
    a, b, c = covariance(box)
    np.testing.assert_allclose([[a, c], [c, b]], seen, rtol=0.02)


def test_probiou_is_one_minus_the_hellinger_distance_of_two_gaussians() -> None:
    """Integrated on a grid, for boxes of about one pixel: nothing of the closed form is used."""
    left, right = np.array([0.0, 0.0, 3.0, 1.5, 0.4]), np.array([0.5, -0.3, 2.0, 2.5, 1.1])
    axis = np.linspace(-8, 8, 801)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)

    def density(box: NDArray[Any]) -> NDArray[Any]:
        a, b, c = covariance(box)
        matrix = np.array([[a, c], [c, b]])
        off = points - box[:2]
        power = np.einsum("...i,ij,...j", off, np.linalg.inv(matrix), off)
        result: NDArray[Any] = np.exp(-power / 2) / (2 * np.pi * np.sqrt(np.linalg.det(matrix)))
        return result

    shared = np.sqrt(density(left) * density(right)).sum() * (axis[1] - axis[0]) ** 2
    assert probiou(left, right) == pytest.approx(1 - np.sqrt(1 - shared), abs=1e-4)


def test_probiou_is_that_of_ultralytics() -> None:
    metrics = pytest.importorskip("ultralytics.utils.metrics")
    left, right = random_boxes(60), random_boxes(50, 1)
    expected = metrics.batch_probiou(left.astype(np.float64), right.astype(np.float64)).numpy()
    np.testing.assert_allclose(probiou(left[:, None], right[None, :]), expected, atol=1e-9)
    assert (expected > 0.5).any()


def test_fast_nms_is_that_of_ultralytics() -> None:
    nms = pytest.importorskip("ultralytics.utils.nms")
    torch = pytest.importorskip("torch")
    from ultralytics.utils.metrics import batch_probiou

    boxes = random_boxes(150, 3)
    scores = np.sort(np.random.default_rng(2).random(150).astype(np.float32))[::-1].copy()
    kept = nms.TorchNMS.fast_nms(torch.tensor(boxes), torch.tensor(scores), 0.4, iou_func=batch_probiou).numpy()
    np.testing.assert_array_equal(fast_nms(boxes, None, 0.4), kept)
    assert 10 < len(kept) < 140


CHAIN = np.array([[0, 0, 20, 10, 0], [7, 0, 20, 10, 0], [14, 0, 20, 10, 0]], np.float32)


def test_the_contract_is_greedy_where_fast_nms_is_not() -> None:
    """A suppresses B; B would have suppressed C. Greedy keeps C, Fast NMS drops it."""
    overlap = probiou(CHAIN[:, None], CHAIN[None, :])
    threshold = float((overlap[0, 1] + overlap[0, 2]) / 2)
    assert overlap[0, 2] < threshold < overlap[0, 1]
    contract = NmsContract("best-class", 0.1, threshold, 10, rotated=True)
    scores = np.array([[[0.9], [0.8], [0.7]]], np.float32)
    found = detect(RawDetections(CHAIN[None], scores), contract)[0]
    assert found.candidates.tolist() == [0, 2]
    assert fast_nms(CHAIN, None, threshold).tolist() == [0]


@pytest.mark.parametrize("seed", range(4))
def test_greedy_keeps_all_that_fast_nms_keeps(seed: int) -> None:
    boxes = random_boxes(120, seed)
    labels = np.random.default_rng(seed).integers(0, 3, 120)
    scores = np.zeros((1, 120, 3), np.float32)
    scores[0, np.arange(120), labels] = np.linspace(0.95, 0.3, 120)
    contract = NmsContract("best-class", 0.1, 0.4, 200, rotated=True)
    found = detect(RawDetections(boxes[None], scores), contract)[0]
    assert set(fast_nms(boxes, labels, 0.4)) <= set(found.candidates.tolist())
    kept = found.boxes
    again = probiou(kept[:, None], kept[None, :])
    same = found.classes[:, None] == found.classes[None, :]
    assert (again[np.triu(same, 1)] <= 0.4).all()


def test_an_angle_decides() -> None:
    pair = np.array([[50, 50, 80, 8, 0], [50, 50, 80, 8, np.pi / 2]], np.float32)
    scores = np.array([[[0.9], [0.8]]], np.float32)
    contract = NmsContract("best-class", 0.1, 0.5, 10, rotated=True)
    assert len(detect(RawDetections(pair[None], scores), contract)[0]) == 2
    pair[1, 4] = np.pi
    assert len(detect(RawDetections(pair[None], scores), contract)[0]) == 1


def test_nan_suppresses_nothing() -> None:
    boxes = CHAIN.copy()
    boxes[0, 2] = np.nan
    scores = np.array([[[0.9], [0.8], [0.7]]], np.float32)
    found = detect(RawDetections(boxes[None], scores), NmsContract("best-class", 0.1, 0.99, 10, rotated=True))
    assert len(found[0]) == 3
