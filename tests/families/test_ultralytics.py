"""ultralytics' own predictor and validator, given a file with NMS inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.validate import CANDIDATES, embed, validate
from tests.conftest import DATA


def predicted(model: Path, image: Path) -> NDArray[Any]:
    """x1 y1 x2 y2 score class in pixels of the picture, best first."""
    from ultralytics import YOLO

    result = YOLO(str(model), task="detect").predict(
        str(image), conf=0.25, iou=0.7, imgsz=640, rect=False, verbose=False, save=False
    )[0]
    found: NDArray[Any] = result.boxes.data.cpu().numpy()
    return found[np.argsort(-found[:, 4], kind="stable")]


@pytest.fixture(scope="module", params=["onnx", "matrix"])
def inside(request: pytest.FixtureRequest, coco_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("ultralytics")
    target = tmp_path_factory.mktemp("inside") / f"{request.param}.onnx"
    return embed(coco_model, target, backend=request.param, layout="ultralytics", confidence=0.25)


@pytest.mark.parametrize("name", ["bus.jpg", "zidane.jpg"])
def test_the_predictor_draws_the_same_boxes(coco_model: Path, inside: Path, name: str) -> None:
    from ultralytics.utils import ASSETS

    expected, got = predicted(coco_model, ASSETS / name), predicted(inside, ASSETS / name)
    assert len(expected) >= 3
    assert got.shape == expected.shape
    np.testing.assert_array_equal(got[:, 5], expected[:, 5])
    np.testing.assert_allclose(got[:, 4], expected[:, 4], atol=1e-5)
    np.testing.assert_allclose(got[:, :4], expected[:, :4], atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["onnx", "matrix"])
def test_the_validator_measures_the_same_map(coco_model: Path, backend: str, tmp_path: Path) -> None:
    data = DATA / "coco-val128"
    if not data.is_dir():
        pytest.skip("the labelled pictures ../shared/data/coco-val128 are not here")
    pytest.importorskip("ultralytics")
    options = {"backend": backend, "semantics": "multi-label", "candidates": CANDIDATES[backend]}
    target = embed(coco_model, tmp_path / "inside.onnx", layout="ultralytics", **options)
    raw = validate(coco_model, data)
    assert raw.map50_95 == pytest.approx(0.4194, abs=2e-4)
    assert validate(target, data).map50_95 == pytest.approx(raw.map50_95, abs=2e-4)
