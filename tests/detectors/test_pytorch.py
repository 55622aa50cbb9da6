"""ultralytics' weights: what they find, and what is refused."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkit.detectors import open_detector
from graphkit.errors import GraphkitError, ModelError, UsageError
from graphkit.heads import NmsContract
from tests.conftest import DATA
from tests.detectors.shapes import SHAPES, found_on, named, written

pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")
KNOWN = ["bus", "person", "person", "person", "person"]


@pytest.fixture(scope="module")
def weights() -> Path:
    path = DATA / "yolov8n-coco.pt"
    if not path.is_file():
        pytest.skip("the trained weights ../shared/data/yolov8n-coco.pt are not here")
    return path


@pytest.fixture(scope="module")
def bus() -> Path:
    from ultralytics.utils import ASSETS

    return Path(ASSETS) / "bus.jpg"


def untrained(path: Path, name: str) -> Path:
    """Weights as ultralytics saves them."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    YOLO(f"{name}.yaml", verbose=False).save(path)
    return path


def test_weights_find_the_known_five(weights: Path, bus: Path) -> None:
    detector = open_detector(weights)
    assert (detector.task, len(detector.names), detector.image_size()) == ("detect", 80, (640, 640))
    assert detector.head is None
    assert "no graph" in detector.no_head
    assert detector.dynamic_batch
    assert detector.dynamic_size
    assert named(detector, found_on(detector, bus)) == KNOWN


@pytest.mark.parametrize("shape", ["joined", "split", "onnx, four", "matrix, table", "efficientnms"])
def test_its_export_finds_the_known_five(shape: str, coco_model: Path, bus: Path, tmp_path: Path) -> None:
    detector = open_detector(written(coco_model, SHAPES[shape], tmp_path / "m.onnx"))
    assert named(detector, found_on(detector, bus)) == KNOWN


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"nms": True}, {"dynamic": True}, {"half": True}, {"opset": 12}])
def test_other_exports_find_the_known_five(options: dict[str, Any], weights: Path, bus: Path, tmp_path: Path) -> None:
    import shutil

    from ultralytics import YOLO

    shutil.copyfile(weights, tmp_path / "w.pt")
    detector = open_detector(
        Path(YOLO(tmp_path / "w.pt").export(format="onnx", simplify=False, verbose=False, **options))
    )
    assert named(detector, found_on(detector, bus)) == KNOWN


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("yolov8n", {}),
        pytest.param("yolov8n-seg", {}, marks=pytest.mark.slow),
        pytest.param("yolo11n-pose", {}, marks=pytest.mark.slow),
        pytest.param("yolo11n-obb", {}, marks=pytest.mark.slow),
        pytest.param("yolo26n", {"nms": False}, marks=pytest.mark.slow),
    ],
)
def test_weights_return_what_their_export_returns(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    from ultralytics import YOLO

    weights = untrained(tmp_path / "w.pt", name)  # ultralytics saves in half precision, so both start from the file
    exported = Path(YOLO(weights).export(format="onnx", imgsz=64, simplify=False, verbose=False, **options))
    ours = open_detector(weights, end_to_end=options.get("nms") is False)
    theirs = open_detector(exported)
    feed = {"images": np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)}
    mine, other = ours.run(feed), theirs.run(feed)
    assert list(mine) == list(other)
    for key, value in mine.items():
        assert value.shape == other[key].shape
        if ours.nms_inside:  # untrained scores are all alike, so rows may change places
            continue
        error = np.linalg.norm(value - other[key]) / np.linalg.norm(other[key])
        assert error < 1e-4
    contract = NmsContract("best-class", 1e-7, 0.7, 10)
    one, two = ours.detections(mine, contract)[0], theirs.detections(other, contract)[0]
    assert len(one) == len(two) > 0
    assert one.boxes.shape == two.boxes.shape
    assert {kind: extra.shape for kind, extra in one.extras.items()} == {k: e.shape for k, e in two.extras.items()}


class Payload:
    """What a hostile pickle does: it runs code as it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def bad_files(folder: Path) -> dict[Path, tuple[type[GraphkitError], str]]:
    import torch

    empty, text, plain, hostile = (folder / f"{name}.pt" for name in ("empty", "text", "plain", "hostile"))
    tensors, broken = folder / "tensors.pt", folder / "broken.pt"
    empty.write_bytes(b"")
    text.write_text("these are no weights")
    plain.write_bytes(pickle.dumps({"a": 1}))
    torch.save({"model": Payload(folder / "was-run")}, hostile)
    torch.save({"weight": torch.zeros(3)}, tensors)
    broken.write_bytes(tensors.read_bytes()[:200])
    return {
        empty: (ModelError, "is empty (0 bytes)"),
        text: (ModelError, "neither a zip archive nor a pickle"),
        plain: (ModelError, "not one that torch wrote"),
        hostile: (UsageError, "may run any code"),
        tensors: (ModelError, "no ultralytics model"),
        broken: (ModelError, "damaged"),
        folder / "none.pt": (UsageError, "does not exist"),
    }


def test_bad_files_are_refused_in_one_sentence_and_not_run(tmp_path: Path) -> None:
    for path, (kind, words) in bad_files(tmp_path).items():
        with pytest.raises(kind) as caught:
            open_detector(path)
        message = str(caught.value)
        assert words in message, message
        assert "\n" not in message
        assert "http" not in message
    assert not (tmp_path / "was-run").exists()


def test_a_trusted_file_is_loaded_whatever_it_does(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "hostile.pt"
    torch.save({"model": Payload(tmp_path / "was-run")}, path)
    with pytest.raises(ModelError, match="no ultralytics model"):
        open_detector(path, trust=True)
    assert (tmp_path / "was-run").is_dir()


def test_what_is_asked_for_and_not_there_is_said(tmp_path: Path) -> None:
    import torch

    path = untrained(tmp_path / "w.pt", "yolov8n")
    with pytest.raises(UsageError, match="no one-to-one head"):
        open_detector(path, end_to_end=True)
    with pytest.raises(UsageError, match="no device of torch"):
        open_detector(path, device="toaster")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="cuda was asked for and is not there"):
            open_detector(path, device="cuda")


def test_other_tasks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match='task "classify"'):
        open_detector(untrained(tmp_path / "c.pt", "yolov8n-cls"))
