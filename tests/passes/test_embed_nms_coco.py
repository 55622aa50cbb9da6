"""The main job on a trained model and a photo: the detections of ultralytics' own predictor."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.split_head import SplitHead
from tests.heads.running import apply, run


def letterboxed(path: Path) -> tuple[NDArray[Any], float, float, float]:
    """An image as the predictor feeds it, float32 [1,3,640,640]; and scale and offsets to undo it."""
    import cv2
    from ultralytics.data.augment import LetterBox

    photo: Any = cv2.imread(str(path))
    fed = LetterBox((640, 640), auto=False)(image=photo)
    scale = min(640 / photo.shape[0], 640 / photo.shape[1])
    left, top = (round((640 - round(size * scale)) / 2 - 0.1) for size in (photo.shape[1], photo.shape[0]))
    array = fed[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(array), scale, left, top


@pytest.mark.parametrize("layout", ["cn", "nc"])
def test_bus(coco_model: Path, layout: Any) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    image = ultralytics.utils.ASSETS / "bus.jpg"
    result = ultralytics.YOLO(str(coco_model), task="detect").predict(
        str(image), conf=0.25, iou=0.7, imgsz=640, verbose=False, rect=False, save=False
    )[0]

    model, _ = apply(Model.load(coco_model).proto(), SplitHead(layout=layout))
    made, _ = apply(model, EmbedNms(confidence=0.25, iou=0.7))
    fed, scale, left, top = letterboxed(image)
    got = run(made, {"images": fed})
    count = int(got["num_dets"][0, 0])
    assert sorted(got["classes"][0, :count].tolist()) == [0, 0, 0, 0, 5]

    boxes = (got["boxes"][0, :count] - np.array([left, top, left, top])) / scale
    expected = result.boxes.data.cpu().numpy()
    expected = expected[np.argsort(-expected[:, 4])]
    height, width = result.orig_shape
    np.testing.assert_allclose(boxes.clip(0, [width, height, width, height]), expected[:, :4], atol=1)
    np.testing.assert_allclose(got["scores"][0, :count], expected[:, 4], atol=1e-3)
    np.testing.assert_array_equal(got["classes"][0, :count], expected[:, 5])
