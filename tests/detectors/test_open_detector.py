"""Whatever head or NMS a model has, the same objects are found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.demo import demo_detector, demo_picture
from graphkit.detectors import find_objects, framed, open_detector
from graphkit.errors import GraphkitError, ModelError, UsageError
from graphkit.heads import HeadNotFound, NmsContract
from graphkit.images import read_image
from graphkit.passes.embed_nms import EmbedNms
from graphkit.verify import NotRunnable
from tests.detectors.shapes import PREDICT, SHAPES, found_on, named, written


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "detector.onnx"
    path.write_bytes(demo_detector())
    return path


def test_what_a_detector_tells_of_itself(demo: Path) -> None:
    detector = open_detector(demo)
    assert (detector.name, detector.path, detector.task) == ("detector.onnx", demo, "detect")
    assert detector.head is not None
    assert detector.head.state == "joined"
    assert (detector.no_head, detector.nms_inside) == ("", False)
    assert (detector.inputs[0].name, detector.inputs[0].dims) == ("images", (1, 3, 320, 320))
    assert detector.image_size() == (320, 320)
    assert (detector.dynamic_batch, detector.dynamic_size, detector.batch) == (False, False, 1)
    assert len(detector.names) == 80
    assert detector.name_of(80) == "class 80"
    with pytest.raises(UsageError, match="320 × 320 only"):
        detector.image_size(640)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_finds_the_same(shape: str, demo: Path, tmp_path: Path) -> None:
    reference = found_on(open_detector(demo), demo_picture())
    assert len(reference.scores) == 13
    detector = open_detector(written(demo, SHAPES[shape], tmp_path / "m.onnx"))
    found = found_on(detector, demo_picture())
    assert named(detector, found) == named(open_detector(demo), reference)
    np.testing.assert_allclose(found.scores, reference.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, reference.boxes, atol=0.1)
    assert detector.nms_inside == any(isinstance(one, EmbedNms) for one in SHAPES[shape])
    assert (detector.head is None) == bool(detector.no_head) == detector.nms_inside


def test_a_contract_filters_what_has_its_nms_inside(demo: Path, tmp_path: Path) -> None:
    detector = open_detector(written(demo, [EmbedNms()], tmp_path / "m.onnx"))
    whole = found_on(detector, demo_picture())
    threshold = float(np.median(whole.scores))
    fewer = found_on(detector, demo_picture(), NmsContract("best-class", threshold, 0.7, 300))
    assert len(fewer.scores) == (whole.scores > threshold).sum()
    assert len(found_on(detector, demo_picture(), NmsContract("best-class", 0.25, 0.7, 2)).scores) == 2


def test_only_some_classes(demo: Path) -> None:
    detector = open_detector(demo)
    frame = framed(read_image(demo_picture()), 320, 320)
    whole = find_objects(detector, [frame], PREDICT)[0]
    label = int(whole.classes[-1])
    last = find_objects(detector, [frame], NmsContract("best-class", 0.25, 0.7, 1), {label})[0]
    assert last.classes.tolist() == [label]  # though 1 row is filled by a better one of another class


@pytest.mark.parametrize(
    ("name", "options", "extras"),
    [
        ("yolov8n-seg", {}, "masks"),
        pytest.param("yolov8n-seg", {"nms": True}, "masks", marks=pytest.mark.slow),
        pytest.param("yolo11n-pose", {}, "keypoints", marks=pytest.mark.slow),
        pytest.param("yolo11n-pose", {"nms": True}, "keypoints", marks=pytest.mark.slow),
        pytest.param("yolo11n-obb", {}, "rotated", marks=pytest.mark.slow),
        pytest.param("yolo11n-obb", {"nms": True}, "rotated", marks=pytest.mark.slow),
        pytest.param("yolo26n", {"nms": False}, "", marks=pytest.mark.slow),
        pytest.param("yolo26n-seg", {"nms": False}, "masks", marks=pytest.mark.slow),
        pytest.param("yolov8n", {"half": True}, "", marks=pytest.mark.slow),
    ],
)
def test_tasks_of_ultralytics(export: Callable[..., Path], name: str, options: dict[str, Any], extras: str) -> None:
    detector = open_detector(export(name, **options))
    assert detector.head is not None or options.get("nms")
    found = found_on(detector, demo_picture(), NmsContract("best-class", 1e-7, 0.7, 20))
    count = len(found.scores)
    assert count or options.get("nms")  # NMS inside has its own threshold, and the model is untrained
    assert found.boxes.shape == (count, 5 if extras == "rotated" else 4)
    assert (found.masks is not None) == (extras == "masks")
    assert (found.keypoints is not None) == (extras == "keypoints")
    if found.masks is not None:
        assert found.masks.shape == (count, 480, 640)
    if found.keypoints is not None:
        assert found.keypoints.shape == (count, 17, 3)


def test_dynamic_batches_and_sizes(export: Callable[..., Path]) -> None:
    detector = open_detector(export("yolov8n", dynamic=True))
    assert detector.dynamic_batch
    assert detector.dynamic_size
    assert detector.image_size() == (64, 64)  # what the metadata names
    assert detector.image_size((96, 160)) == (96, 160)
    with pytest.raises(UsageError, match="multiples of 32, its largest stride, not 100; 96 is the nearest"):
        detector.image_size(100)
    frames = [framed(read_image(demo_picture()), 96, 160)] * 3
    contract = NmsContract("best-class", 1e-7, 0.7, 20)
    many, one = find_objects(detector, frames, contract), find_objects(detector, frames[:1], contract)[0]
    assert len(many) == 3
    np.testing.assert_allclose(many[2].scores, one.scores, atol=1e-5)


def test_images_that_ultralytics_nms_would_leave_out_are_refused(export: Callable[..., Path]) -> None:
    detector = open_detector(export("yolov8n", dynamic=True, nms=True))
    assert detector.largest_batch == 1
    assert not detector.dynamic_batch
    frames = [framed(read_image(demo_picture()), 64, 64)] * 2
    with pytest.raises(NotRunnable, match="up to 1 image at once"):
        find_objects(detector, frames, PREDICT)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "text.onnx").write_text("this is no model")
    info = onnx.helper.make_tensor_value_info("logits", 1, [1, 1000])
    image = onnx.helper.make_tensor_value_info("images", 1, [1, 1000])
    node = onnx.helper.make_node("Softmax", ["images"], ["logits"])
    onnx.save(
        onnx.helper.make_model(onnx.helper.make_graph([node], "g", [image], [info]), ir_version=10), tmp_path / "c.onnx"
    )
    for name, kind in (
        ("empty.onnx", ModelError),
        ("text.onnx", ModelError),
        ("none.onnx", UsageError),
        (".", UsageError),
    ):
        with pytest.raises(kind) as caught:
            open_detector(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(HeadNotFound, match=r"c\.onnx"):
        open_detector(tmp_path / "c.onnx")


def test_a_provider_that_is_not_there_is_named(demo: Path) -> None:
    with pytest.raises(GraphkitError, match=r"no NoSuchExecutionProvider; it has .*CPUExecutionProvider"):
        open_detector(demo, providers=["NoSuchExecutionProvider"])
