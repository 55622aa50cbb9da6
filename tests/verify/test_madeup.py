from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphkit.heads import NmsContract, Seam
from graphkit.verify import detect
from graphkit.verify.madeup import made_up

CONTRACT = NmsContract("best-class", 0.25, 0.5, 300)
EXTRAS = {"masks": "m", "keypoints": "k"}
SEAM = Seam("b", "s", 5, 400, 2, "cn", "center-size", "nc", False, EXTRAS, {"masks": 32, "keypoints": 51})


def test_extras_are_fed_as_the_reference_has_them() -> None:
    fed, raw = made_up(SEAM, CONTRACT, 0)
    assert fed["m"].shape == (2, 32, 400)
    np.testing.assert_array_equal(fed["m"].transpose(0, 2, 1), raw.extras["masks"])
    np.testing.assert_array_equal(fed["k"].transpose(0, 2, 1), raw.extras["keypoints"])
    rows = raw.extras["masks"].reshape(-1, 32)
    assert len(np.unique(rows, axis=0)) == len(rows), "no two candidates have the same"


def test_logits_are_those_of_the_scores() -> None:
    fed, raw = made_up(replace(SEAM, logits=True), CONTRACT, 0)
    np.testing.assert_allclose(1 / (1 + np.exp(-fed["s"].astype(np.float64))), raw.scores, atol=1e-7)
    assert (raw.scores > 0.25).any()


@pytest.mark.parametrize("apart", [True, False])
def test_rotated_boxes_are_suppressed_in_every_round_with_objects(apart: bool) -> None:
    extras, widths = ({"angle": "a"}, {"angle": 1}) if apart else ({}, {})
    seam = replace(SEAM, extras=extras, widths=widths)
    contract = replace(CONTRACT, rotated=True)
    for round_ in range(4):
        fed, raw = made_up(seam, contract, round_)
        assert raw.boxes.shape == (2, 400, 5)
        assert fed["b"].shape == (2, 4 if apart else 5, 400)
        if apart:
            np.testing.assert_array_equal(fed["a"][:, 0], raw.boxes[..., 4])
        first, last = detect(raw, contract)
        passing = int((raw.scores[0] > 0.25).any(axis=1).sum())
        assert 20 <= len(first) < passing
        assert len(last) == 0
