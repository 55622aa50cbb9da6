"""The NumPy decoders against ultralytics' own head modules, fed with random features."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from graphkit.verify.references import decoding

STRIDES = (8, 16, 32)
SIZES = ((8, 12), (4, 6), (2, 3))


def random_levels(channels: int, seed: int = 0) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 1.5, (2, channels, *size)).astype(np.float32) for size in SIZES]


def joined(levels: list[NDArray[np.float32]]) -> Any:
    torch = pytest.importorskip("torch")
    return torch.cat([torch.tensor(level).flatten(2) for level in levels], 2)


def head(kind: str, classes: int = 5, reg_max: int = 16, **options: Any) -> Any:
    """ultralytics' own head module in export mode."""
    torch = pytest.importorskip("torch")
    modules = pytest.importorskip("ultralytics.nn.modules.head")
    made = getattr(modules, kind)(classes, **options, reg_max=reg_max, end2end=False, ch=(16, 16, 16)).eval()
    made.stride, made.export, made.format, made.shape = torch.tensor(STRIDES).float(), True, "onnx", None
    return made


@pytest.mark.parametrize("reg_max", [16, 1])
def test_detect(reg_max: int) -> None:
    torch = pytest.importorskip("torch")
    box, label = random_levels(4 * reg_max), random_levels(5, 1)
    made = head("Detect", reg_max=reg_max)
    features = [torch.tensor(level) for level in box]
    expected = made._inference({"boxes": joined(box), "scores": joined(label), "feats": features}).numpy()
    got = np.concatenate([decoding.boxes(box, STRIDES), decoding.scores(label)], axis=2)
    np.testing.assert_allclose(got.transpose(0, 2, 1), expected, atol=1e-3)
    corners = decoding.boxes(box, STRIDES, "corners")
    np.testing.assert_allclose((corners[..., :2] + corners[..., 2:]) / 2, got[..., :2], atol=1e-9)
    np.testing.assert_allclose(corners[..., 2:] - corners[..., :2], got[..., 2:4], atol=1e-9)


@pytest.mark.parametrize("kind", ["OBB", "OBB26"])
def test_rotated(kind: str) -> None:
    torch = pytest.importorskip("torch")
    box, label, turn = random_levels(64), random_levels(5, 1), random_levels(1, 2)
    made = head(kind, ne=1)
    angle = decoding.angles(turn, activated=kind == "OBB")
    values = {"boxes": joined(box), "scores": joined(label), "feats": [torch.tensor(level) for level in box]}
    values["angle"] = torch.tensor(angle.transpose(0, 2, 1)).float()
    expected = made._inference(values).numpy()
    got = decoding.rotated_boxes(box, angle, STRIDES)
    np.testing.assert_allclose(got[..., :4].transpose(0, 2, 1), expected[:, :4], atol=1e-3)
    np.testing.assert_allclose(got[..., 4:].transpose(0, 2, 1), expected[:, -1:], atol=1e-6)


def test_the_angle_is_what_the_head_makes_of_its_logit() -> None:
    torch = pytest.importorskip("torch")
    made = head("OBB", ne=1)
    features = [torch.tensor(level) for level in random_levels(16)]
    raw = [branch(level).detach().numpy() for branch, level in zip(made.cv4, features, strict=True)]
    expected = made.forward_head(features, **made.one2many)["angle"].detach().numpy()
    np.testing.assert_allclose(decoding.angles(raw).transpose(0, 2, 1), expected, atol=1e-6)


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("kind", ["Pose", "Pose26"])
def test_keypoints(kind: str, width: Literal[2, 3]) -> None:
    torch = pytest.importorskip("torch")
    box, label, points = random_levels(64), random_levels(5, 1), random_levels(4 * width, 2)
    made = head(kind, kpt_shape=(4, width))
    values = {"boxes": joined(box), "scores": joined(label), "feats": [torch.tensor(level) for level in box]}
    made._get_decode_boxes(values)  # makes the anchors
    expected = made.kpts_decode(joined(points)).numpy()
    got = decoding.keypoints(points, STRIDES, width, plain=kind == "Pose26")
    np.testing.assert_allclose(got.transpose(0, 2, 1), expected, atol=1e-3)


def test_anchored_by_hand() -> None:
    """One cell at row 1, column 2 of stride 8, second anchor; sigmoid(0) is a half."""
    level = np.full((1, 2 * 7, 3, 4), -50.0, np.float32)
    level[0, 7:11, 1, 2] = 0
    level[0, 11, 1, 2] = np.log(3)
    level[0, 13, 1, 2] = 50
    boxes, objectness, scores = decoding.anchored([level], [8], [[(10, 20), (30, 60)]])
    assert boxes.shape == (1, 24, 4)
    assert scores.shape == (1, 24, 2)
    row = 12 + 1 * 4 + 2
    np.testing.assert_allclose(boxes[0, row], [(2 + 0.5) * 8, (1 + 0.5) * 8, 30, 60])
    np.testing.assert_allclose(objectness[0, row], 0.75)
    np.testing.assert_allclose(scores[0, row], [0, 1], atol=1e-9)
    assert (objectness[0, [index for index in range(24) if index != row]] < 1e-9).all()
