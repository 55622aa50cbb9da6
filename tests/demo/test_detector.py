"""The shipped detector looks like a raw YOLOv8 export, and it detects."""

from __future__ import annotations

import ast
import struct
from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from graphkit.demo import demo_detector, demo_picture


@pytest.fixture(scope="module")
def model() -> onnx.ModelProto:
    return onnx.load_from_string(demo_detector())


def _shape(value: onnx.ValueInfoProto) -> tuple[str, list[int]]:
    return value.name, [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_it_is_a_raw_export(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert [_shape(value) for value in model.graph.input] == [("images", [1, 3, 320, 320])]
    assert [_shape(value) for value in model.graph.output] == [("output0", [1, 84, 2100])]
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 18)]
    # Unsimplified: tracing leaves shape arithmetic behind that every simplifier folds away.
    assert {"Shape", "Gather", "Constant"} <= {node.op_type for node in model.graph.node}


def test_it_has_the_head_of_a_yolov8(model: onnx.ModelProto) -> None:
    kernels = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    shapes = [kernels[node.input[1]].shape for node in model.graph.node if node.op_type == "Conv"]
    assert shapes.count((64, 64, 1, 1)) >= 3, "four sides of 16 bins at three strides"
    assert shapes.count((80, 80, 1, 1)) == 3, "80 classes at three strides"
    assert shapes.count((1, 16, 1, 1)) == 1, "the expectation over the bins"


def test_the_metadata_of_ultralytics_is_there(model: onnx.ModelProto) -> None:
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    names = ast.literal_eval(metadata["names"])
    assert len(names) == 80
    assert (names[0], names[79]) == ("red circle", "pink heart")
    assert (metadata["task"], metadata["stride"], metadata["imgsz"]) == ("detect", "32", "[320, 320]")
    assert "/" not in metadata["description"], "a path of the machine it was trained on"


def test_the_files_are_small() -> None:
    folder = demo_picture().parent
    assert (folder / "detector.onnx.xz").stat().st_size < 2_000_000
    assert demo_picture().stat().st_size < 200_000


def test_the_picture_is_a_plain_png() -> None:
    data = demo_picture().read_bytes()
    assert data.startswith(b"\x89PNG")
    assert struct.unpack(">IIBBBBB", data[16:29]) == (640, 480, 8, 2, 0, 0, 0), "8 bit RGB, not interlaced"


def test_every_object_of_the_packaged_picture_is_found() -> None:
    pytest.importorskip("torchvision")
    from PIL import Image
    from torchvision.ops import box_iou

    from scripts.demo.evaluation import detect, session, to_tensor
    from scripts.demo.pictures import showcase

    with Image.open(demo_picture()) as image:
        found = detect(session(demo_detector()), image)
    labels = showcase()[1]
    assert sorted(found.classes.tolist()) == sorted(label.class_id for label in labels), "each once, and nothing else"
    overlap = box_iou(to_tensor([label.box for label in labels]), to_tensor(found.boxes))
    best = overlap.argmax(1)
    assert [int(found.classes[i]) for i in best] == [label.class_id for label in labels]
    assert float(overlap.amax(1).min()) > 0.85


def test_it_detects_on_pictures_it_has_not_seen() -> None:
    pytest.importorskip("ultralytics")
    from scripts.demo.dataset import TEST_SEED
    from scripts.demo.evaluation import mean_average_precision, session
    from scripts.demo.pictures import picture

    pictures = map(picture, range(TEST_SEED, TEST_SEED + 100))
    map50, map50_95 = mean_average_precision(session(demo_detector()), pictures)
    assert map50 > 0.9
    assert map50_95 > 0.8


def test_the_scripts_agree_on_where_things_are() -> None:
    from scripts import train_demo

    assert demo_picture() == train_demo.PICTURE
    assert Path(train_demo.SHIPPED).is_file()
