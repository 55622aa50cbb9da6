"""What a model wants, found by trying."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from graphkit.demo import demo_detector, demo_picture
from graphkit.detectors import open_detector
from graphkit.doctor import Outcome, Preprocessing, try_preprocessing
from graphkit.errors import UsageError
from graphkit.images import read_image
from graphkit.model import Model
from graphkit.passes.embed_nms import EmbedNms
from graphkit.passes.embed_preprocess import EmbedPreprocess


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("preprocessing") / "detector.onnx"
    path.write_bytes(demo_detector())
    return path


def tried(path: Path, confidence: float = 0.25) -> Preprocessing:
    picture = demo_picture()
    return try_preprocessing(open_detector(path, optimise=True), picture, read_image(picture), confidence)


def one(report: Preprocessing, start: str) -> Outcome:
    (found,) = [outcome for outcome in report.wrong if outcome.way.startswith(start)]
    return found


def test_a_raw_detector_and_every_mistake(demo: Path) -> None:
    report = tried(demo)
    assert (report.usual, report.nothing, report.size) == (True, False, (320, 320))
    assert report.right.way == "RGB, 0..1, letterboxed"
    assert (report.right.detections, report.right.found) == (13, 13)
    assert one(report, "0..1, divided by 255 once more").detections == 0
    assert one(report, "0..255 instead of 0..1").found < 5
    assert one(report, "BGR instead of RGB").found < 5  # the shapes change their colours
    assert one(report, "height, width, channels reshaped").found < 5
    assert one(report, "the top left corner only").found < 13
    assert one(report, "stretched").detections is not None
    for start, said in (
        ("values as float64", "tensor(double)"),
        ("values as float16", "tensor(float16)"),
        ("values as uint8", "tensor(uint8)"),
        ("without a batch axis", "Got: 3 Expected: 4"),
        ("shape [1,320,320,3]", "Got: 320 Expected: 3"),
        ("a frame of 160 × 160", "Got: 160 Expected: 320"),
    ):
        outcome = one(report, start)
        assert outcome.detections is None
        assert said in outcome.refused
    assert len(report.wrong) == 15
    assert all(outcome.mend for outcome in report.wrong)


def test_the_best_score_of_what_is_not_found(demo: Path) -> None:
    report = tried(demo)
    dark = one(report, "0..1, divided by 255 once more")
    assert dark.best is not None
    assert 0 < dark.best < 0.25


def test_a_model_that_wants_0_to_255(demo: Path, tmp_path: Path) -> None:
    """YOLOX and its kin divide nothing."""
    proto = onnx.load(demo)
    (picture,) = proto.graph.input
    for node in proto.graph.node:
        for index, name in enumerate(node.input):
            if name == picture.name:
                node.input[index] = "scaled"
    proto.graph.initializer.append(numpy_helper.from_array(np.array(255, np.float32), "scale"))
    proto.graph.node.insert(0, helper.make_node("Div", [picture.name, "scale"], ["scaled"]))
    path = tmp_path / "bytes.onnx"
    onnx.save(proto, path)
    report = tried(path)
    assert not report.usual
    assert report.right.way == "RGB, 0..255, letterboxed"
    assert report.right.detections == 13
    wrong = one(report, "0..1 instead of 0..255")
    assert wrong.detections == 0
    assert wrong.mend == "do not divide by 255"


def test_nms_inside_and_bytes_in(demo: Path, tmp_path: Path) -> None:
    model = Model.load(demo)
    for step in (EmbedNms(), EmbedPreprocess()):
        model.set_metadata(step.run(model).metadata)
    path = tmp_path / "served.onnx"
    model.save(path)
    report = tried(path)
    assert (report.right.detections, report.usual) == (13, True)
    assert report.right.way == "RGB, 0..255, letterboxed"
    dark = one(report, "0..1, rounded to bytes instead of 0..255")
    assert (dark.detections, dark.best, dark.mend) == (0, None, "give the picture's bytes as they are")
    assert "tensor(float)" in one(report, "values as float32 instead of uint8").refused
    assert not [outcome for outcome in report.wrong if outcome.way.startswith("-1..1")]


def test_a_confidence_that_nothing_reaches(demo: Path) -> None:
    report = tried(demo, confidence=1.0)
    assert report.nothing
    assert report.usual


def test_a_size_that_the_model_does_not_take(demo: Path) -> None:
    with pytest.raises(UsageError, match="320 × 320 only"):
        try_preprocessing(open_detector(demo), demo_picture(), read_image(demo_picture()), size=640)


@pytest.mark.slow
def test_the_known_five_on_a_bus(coco_model: Path) -> None:
    ultralytics = pytest.importorskip("ultralytics", reason="ultralytics, whose bus.jpg this is, is not installed")
    bus = Path(ultralytics.__file__).parent / "assets/bus.jpg"
    report = try_preprocessing(open_detector(coco_model, optimise=True), bus, read_image(bus))
    assert dict(report.right.classes) == {"person": 4, "bus": 1}
    assert report.usual
    # Saturated: hundreds of things that are not there, each with a score of 1.
    flooded = one(report, "0..255 instead of 0..1")
    assert (flooded.detections, flooded.found) == (300, 0)
    assert one(report, "height and width swapped").detections == 0
