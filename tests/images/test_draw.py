import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from graphkit.images import Mark, draw_marks, encode_mask


def changed(marks: list[Mark], size: tuple[int, int] = (200, 100)) -> NDArray[np.bool_]:
    plain = Image.new("RGB", size, (9, 9, 9))
    drawn = draw_marks(plain, marks)
    assert np.asarray(plain).max() == 9  # the picture itself is not drawn on
    assert drawn.size == size
    result: NDArray[np.bool_] = np.asarray(drawn).max(axis=-1) != 9
    return result


def test_nothing_found_changes_nothing() -> None:
    assert not changed([]).any()


def test_a_box_is_drawn_with_its_label() -> None:
    there = changed([Mark("cat 0.90", 1, np.array([40, 50, 120, 90]))])
    assert there[50, 40:120].all()
    assert there[50:90, 40].all()
    assert not there[60:80, 60:100].any()
    assert there[38:48, 42:80].any()  # the label above


def test_masks_keypoints_and_turned_boxes_are_drawn() -> None:
    mask = np.zeros((100, 200), np.bool_)
    mask[10:20, 150:160] = True
    points = np.array([[100.0, 70, 0.9], [20.0, 80, 0.1]])
    there = changed([Mark("x", 0, np.array([60, 60, 30, 10, 0.8]), mask, points)])
    assert there[10:20, 150:160].all()
    assert there[70, 100]
    assert not there[80, 20]  # not visible


@pytest.mark.parametrize("size", [(1, 1), (2000, 3), (3, 2000)])
def test_tiny_pictures_are_drawn_on(size: tuple[int, int]) -> None:
    assert changed([Mark("a long label that fits nowhere", 3, np.array([0, 0, *size]))], size).any()


def test_what_is_no_number_is_left_out() -> None:
    assert not changed([Mark("x", 0, np.array([np.nan, 0, 5, 5]))]).any()


def test_masks_are_encoded_as_coco_reads_them() -> None:
    coco = pytest.importorskip("hotcoco")
    rng = np.random.default_rng(0)
    for shape, share in (((7, 5), 0.5), ((480, 640), 0.01), ((1, 1), 1.0), ((3, 4), 0.0), ((300, 200), 0.999)):
        mask = rng.random(shape) < share
        encoded = encode_mask(mask)
        assert encoded["size"] == list(shape)
        assert np.array_equal(np.asarray(coco.mask.decode(encoded), bool), mask)
