"""Trained weights with every default: what the file finds on a photograph is what is on it."""

from collections import Counter
from pathlib import Path

import pytest

from graphkit.detectors import find_objects, framed, open_detector
from graphkit.export import ExportOptions, export
from graphkit.heads import NmsContract
from graphkit.images import read_image
from tests.conftest import DATA

pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")


@pytest.mark.slow
def test_the_known_five(tmp_path: Path) -> None:
    from ultralytics.utils import ASSETS

    weights = DATA / "yolov8n-coco.pt"
    if not weights.is_file():
        pytest.skip("the trained test model ../shared/data/yolov8n-coco.pt is not here")
    target = tmp_path / "made.onnx"
    report = export(str(weights), ExportOptions(), target)
    assert report.outputs[0].shape == (1, 84, 8400)
    assert report.proof is not None
    assert report.proof.detections >= 50
    detector = open_detector(target)
    frame = framed(read_image(Path(ASSETS) / "bus.jpg"), *detector.image_size())
    [found] = find_objects(detector, [frame], NmsContract("best-class", 0.25, 0.7, 300))
    assert Counter(detector.name_of(int(label)) for label in found.classes) == {"person": 4, "bus": 1}
