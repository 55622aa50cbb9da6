import numpy as np
import pytest
from PIL import Image

from graphkit.images import boxes_to_picture, corners_of, letterbox, masks_to_picture, points_to_picture

SIZES = [(480, 640), (640, 480), (1, 1), (10, 20000), (1080, 810), (333, 777)]


@pytest.mark.parametrize("size", SIZES)
def test_boxes_come_back_to_the_picture(size: tuple[int, int]) -> None:
    height, width = size
    _, ratio, (left, top) = letterbox(Image.new("RGB", (width, height)), 320, 416)
    box = np.array([[width * 0.1, height * 0.2, width * 0.9, height * 0.8]])
    there = box * ratio + [left, top, left, top]
    back = boxes_to_picture(there, ratio, (left, top), size)
    np.testing.assert_allclose(back, box, rtol=1e-4, atol=1e-2)
    assert back.dtype == np.float32


def test_boxes_are_clipped_and_rotated_ones_are_not() -> None:
    beyond = np.array([[-50.0, -50, 900, 900]])
    assert boxes_to_picture(beyond, 1.0, (0, 0), (100, 200)).tolist() == [[0, 0, 200, 100]]
    turned = boxes_to_picture(np.array([[30.0, 40, 20, 10, 0.7]]), 0.5, (10, 0), (50, 50))
    np.testing.assert_allclose(turned, [[40, 80, 40, 20, 0.7]], rtol=1e-6)


def test_no_boxes_stay_no_boxes() -> None:
    assert boxes_to_picture(np.zeros((0, 4)), 1.0, (0, 0), (5, 5)).shape == (0, 4)


def test_visibility_of_a_keypoint_is_no_coordinate() -> None:
    np.testing.assert_allclose(
        points_to_picture(np.array([[[30.0, 40.0, 0.9]]]), 0.5, (10, 20)), [[[40, 40, 0.9]]], rtol=1e-6
    )


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (123, 456)])
def test_a_mask_lies_where_its_object_is(size: tuple[int, int]) -> None:
    height, width = size
    _, ratio, (left, top) = letterbox(Image.new("RGB", (width, height)), 320, 320)
    # A disc in the picture, seen by a network whose prototypes are a quarter of the frame.
    y, x = np.mgrid[:80, :80] + 0.5
    center, radius = (width * 0.4, height * 0.5), min(size) * 0.3
    px, py = (x * 4 - left) / ratio, (y * 4 - top) / ratio
    logits = (radius - np.hypot(px - center[0], py - center[1]))[None].astype(np.float32)
    box = np.array([[center[0] - radius, center[1] - radius, center[0] + radius, center[1] + radius]], np.float32)
    found = masks_to_picture(logits, box, (320, 320), ratio, (left, top), size)
    py, px = np.mgrid[:height, :width] + 0.5
    expected = np.hypot(px - center[0], py - center[1]) < radius
    overlap = (found[0] & expected).sum() / (found[0] | expected).sum()
    assert found.shape == (1, height, width)
    assert overlap > 0.98


def test_a_mask_ends_at_its_box() -> None:
    found = masks_to_picture(
        np.ones((1, 8, 8), np.float32), np.array([[2, 3, 5, 7]], np.float32), (32, 32), 1, (0, 0), (32, 32)
    )
    assert found.sum() == 3 * 4
    assert found[0, 3:7, 2:5].all()


def test_corners_of_a_turned_box() -> None:
    corners = corners_of(np.array([10, 20, 8, 2, np.pi / 2]))
    np.testing.assert_allclose(corners, [[11, 16], [11, 24], [9, 24], [9, 16]], atol=1e-9)
