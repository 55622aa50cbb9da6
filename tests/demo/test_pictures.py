"""The drawn pictures: repeatable, and labelled truthfully."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from graphkit.demo import demo_picture
from scripts.demo.dataset import TEST_SEED, TRAIN_SEED, VAL_SEED
from scripts.demo.pictures import NAMES, OUTLINES, Backdrop, Thing, draw, picture, showcase

GREY = Backdrop("gradient", (128, 128, 128), (128, 128, 128))


def test_the_same_seed_gives_the_same_picture() -> None:
    first, second, other = picture(1), picture(1), picture(2)
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]
    assert first[0].tobytes() != other[0].tobytes()


def test_the_splits_share_no_seed() -> None:
    assert min(abs(a - b) for a, b in ((TRAIN_SEED, VAL_SEED), (VAL_SEED, TEST_SEED))) >= 1_000_000


def test_there_are_80_classes() -> None:
    assert len(NAMES) == len(set(NAMES)) == 80


@pytest.mark.parametrize("shape", OUTLINES)
@pytest.mark.parametrize("angle", [0, 37])
def test_a_box_encloses_what_is_drawn(shape: str, angle: float) -> None:
    thing = Thing(f"red {shape}", 60, 50, 30, angle=angle, shadow=0)
    image, (label,) = draw([thing], GREY, (120, 100), zoom=2)
    changed = np.abs(np.asarray(image, np.int16) - 128).max(2) > 60
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    drawn = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    assert label.class_id == NAMES.index(f"red {shape}")
    assert np.abs(np.subtract(label.box, drawn)).max() <= 1


@pytest.mark.parametrize("seed", range(5))
def test_boxes_lie_in_the_picture_and_are_not_tiny(seed: int) -> None:
    image, labels = picture(seed)
    assert labels
    for label in labels:
        x1, y1, x2, y2 = label.box
        assert 0 <= x1 < x2 <= image.width
        assert 0 <= y1 < y2 <= image.height
        assert max(x2 - x1, y2 - y1) >= 16


def test_the_packaged_picture_is_the_one_the_generator_draws() -> None:
    drawn, labels = showcase()
    assert len(labels) == 13
    with Image.open(demo_picture()) as packaged:
        difference = np.abs(np.asarray(packaged, np.int16) - np.asarray(drawn, np.int16))
    assert difference.mean() < 1, "Pillow versions may differ at the edges, not more"
