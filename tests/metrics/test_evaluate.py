"""Mean average precision: known answers by hand, the same answers by the definition, and bad datasets."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphkit.demo import demo_detector, demo_picture
from graphkit.detectors import Detector, Found, find_objects, framed, open_detector
from graphkit.errors import UsageError
from graphkit.heads import NmsContract
from graphkit.images import read_image
from graphkit.metrics import evaluate, read_dataset
from graphkit.metrics.precision import average_precision
from tests.conftest import DATA

pytest.importorskip("hotcoco", reason="hotcoco is not installed (pip install onnx-graphkit[metrics])")
SURE = NmsContract("best-class", 0.25, 0.7, 300)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Detector:
    path = tmp_path_factory.mktemp("demo") / "detector.onnx"
    path.write_bytes(demo_detector())
    return open_detector(path, optimise=True)


@pytest.fixture(scope="module")
def found(detector: Detector) -> Found:
    return find_objects(detector, [framed(read_image(demo_picture()), 320, 320)], SURE)[0]


def dataset(folder: Path, found: Found, rows: slice = slice(None), shift: float = 0.0) -> Path:
    """The demo picture, annotated with what was found on it."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "images" / "shapes.png").write_bytes(demo_picture().read_bytes())
    lines = []
    for (x1, y1, x2, y2), label in zip(found.boxes[rows].tolist(), found.classes[rows].tolist(), strict=True):
        x1, x2 = x1 + shift * (x2 - x1), x2 + shift * (x2 - x1)
        lines.append(
            f"{label} {(x1 + x2) / 1280:.9f} {(y1 + y2) / 960:.9f} {(x2 - x1) / 640:.9f} {(y2 - y1) / 480:.9f}"
        )
    (folder / "labels" / "shapes.txt").write_text("\n".join(lines))
    return folder


def test_what_it_finds_is_all_there_is(detector: Detector, found: Found, tmp_path: Path) -> None:
    scores = evaluate(detector, dataset(tmp_path, found), contract=SURE)
    assert (scores.images, scores.objects, scores.detections) == (1, 13, 13)
    assert scores.map50_95 == pytest.approx(0.995)  # the most that this interpolation gives: 0 at recall 1
    assert scores.coco_map50_95 == pytest.approx(1.0)
    assert {label: item.objects for label, item in scores.per_class.items()} == {
        int(label): int((found.classes == label).sum()) for label in set(found.classes.tolist())
    }
    assert scores.per_class[int(found.classes[0])].name == detector.name_of(int(found.classes[0]))


def test_boxes_off_by_a_fifth_count_at_low_overlaps_only(detector: Detector, found: Found, tmp_path: Path) -> None:
    scores = evaluate(detector, dataset(tmp_path, found, shift=0.2), contract=SURE)
    # Moved by 0.2 of its width a box overlaps itself by 0.8 / 1.2 = 0.667: right at 0.50, 0.55, 0.60 and 0.65.
    assert scores.coco_map50 == pytest.approx(1.0)
    assert scores.coco_map50_95 == pytest.approx(0.4, abs=0.03)


def test_a_detector_with_nms_inside_is_told_to_be_limited(detector: Detector, found: Found, tmp_path: Path) -> None:
    from graphkit.passes.embed_nms import EmbedNms
    from tests.detectors.shapes import written

    inside = open_detector(written(detector.path, [EmbedNms()], tmp_path / "m.onnx"))
    scores = evaluate(inside, dataset(tmp_path / "data", found))
    assert "NMS is inside" in scores.note
    assert scores.coco_map50_95 == pytest.approx(1.0)


def ap(flags: str, objects: int, ignored: str = "") -> tuple[float, float]:
    """AP at IoU 0.5 of detections by falling score ("1" right, "0" wrong), interpolated and as COCO has it."""
    truth: dict[str, Any] = {"images": [], "annotations": [], "categories": [{"id": 0, "name": "a"}]}
    missed = range(len(flags), len(flags) + objects - flags.count("1"))
    for number in (*range(len(flags)), *missed):
        truth["images"].append({"id": number + 1, "width": 100, "height": 100, "file_name": str(number)})
        if flags[number : number + 1] != "0":
            there = {"id": number + 1, "image_id": number + 1, "category_id": 0, "bbox": [10, 10, 20, 20]}
            truth["annotations"].append({**there, "area": 400, "iscrowd": 0})
    results = [
        {"image_id": index + 1, "category_id": 0, "score": 1 - index / 100, "bbox": [10, 10, 20, 20]}
        for index in range(len(flags))
    ]
    for _ in ignored:
        truth["images"].append({"id": 900, "width": 100, "height": 100, "file_name": "crowd"})
        crowd = {"id": 900, "image_id": 900, "category_id": 0, "bbox": [0, 0, 90, 90], "area": 8100, "iscrowd": 1}
        truth["annotations"].append(crowd)
        results.append({"image_id": 900, "category_id": 0, "score": 1.0, "bbox": [10, 10, 20, 20]})
    made = average_precision(truth, results, 300)
    assert made.objects == (objects,)
    return float(made.interpolated[0, 0]), float(made.coco[0, 0])


def test_average_precision_by_hand() -> None:
    assert ap("11", 2) == pytest.approx((0.995, 1.0))
    assert ap("0", 1) == pytest.approx((0.0, 0.0), abs=0.01)
    # Right, wrong, right: the envelope is 1 up to recall 1/2, then 2/3 for COCO's 50 recalls beyond it.
    interpolated, coco = ap("101", 2)
    assert coco == pytest.approx((51 + 50 * 2 / 3) / 101)
    # The area of the same: trapezoids over 101 recalls cut a corner at 1/2, and another at the end, 0 at recall 1.
    assert interpolated == pytest.approx(0.5 + 0.5 * 2 / 3 - 0.005 / 3 - 0.005 * 2 / 3)
    # One of two objects is never found: nothing beyond recall 1/2.
    assert ap("1", 2)[1] == pytest.approx(51 / 101)
    assert ap("101", 2, ignored="x") == pytest.approx((interpolated, coco))  # what lies on a crowd does not count


@pytest.mark.parametrize("seed", range(5))
def test_interpolation_is_that_of_ultralytics(seed: int) -> None:
    metrics = pytest.importorskip("ultralytics.utils.metrics", reason="ultralytics is not installed")
    rng = np.random.default_rng(seed)
    flags = "".join(str(int(flag)) for flag in rng.random(40) < 0.6)
    objects = flags.count("1") + int(rng.integers(0, 9))
    hits = np.array([[flag == "1"] for flag in flags])
    scores = 1 - np.arange(40) / 100
    theirs = metrics.ap_per_class(hits, scores, np.zeros(40), np.zeros(objects))[5][0, 0]
    assert ap(flags, objects)[0] == pytest.approx(theirs, abs=1e-6)


def test_yaml_coco_and_a_folder_hold_the_same(found: Found, tmp_path: Path) -> None:
    folder = dataset(tmp_path / "data", found)
    yaml = tmp_path / "data.yaml"
    names = "\n".join(f"  {index}: name{index}" for index in range(80))
    yaml.write_text(f"path: data\ntrain: images\nval: images\nnames:\n{names}\n")
    plain, told = read_dataset(folder), read_dataset(yaml)
    (folder / "val.txt").write_text("images/shapes.png\n")
    yaml.write_text(f"path: data\nval: val.txt\nnames:\n{names}\n")
    listed = read_dataset(yaml)
    for one in (told, listed):
        assert one.names[3] == "name3"
        np.testing.assert_array_equal(one.samples[0].boxes, plain.samples[0].boxes)
    annotations = [
        {"id": i, "image_id": 7, "category_id": int(label) + 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "iscrowd": 0}
        for i, ((x1, y1, x2, y2), label) in enumerate(zip(found.boxes.tolist(), found.classes.tolist(), strict=True))
    ]
    content = {
        "images": [{"id": 7, "file_name": "shapes.png", "width": 640, "height": 480}],
        "annotations": annotations,
        "categories": [{"id": index + 1, "name": f"name{index}"} for index in range(80)],
    }
    (folder / "instances_val.json").write_text(json.dumps(content))
    coco = read_dataset(folder / "instances_val.json")
    assert coco.samples[0].path == folder / "images" / "shapes.png"
    assert coco.samples[0].image_id == 7
    assert coco.categories[0] == 1
    np.testing.assert_array_equal(coco.samples[0].classes, plain.samples[0].classes)
    np.testing.assert_allclose(coco.samples[0].boxes / [640, 480, 640, 480], plain.samples[0].boxes, atol=1e-6)


def test_polygons_become_their_boxes_and_pictures_without_labels_are_empty(found: Found, tmp_path: Path) -> None:
    folder = dataset(tmp_path, found)
    (folder / "labels" / "shapes.txt").write_text("4 0.1 0.2 0.5 0.3 0.3 0.9\n\n")
    (folder / "images" / "plain.png").write_bytes(demo_picture().read_bytes())
    empty, one = read_dataset(folder).samples
    assert (len(empty.classes), empty.boxes.shape) == (0, (0, 4))
    np.testing.assert_allclose(one.boxes, [[0.1, 0.2, 0.5, 0.9]])


@pytest.mark.parametrize(
    "line", ["x 0.5 0.5 0.1 0.1", "1 0.5 0.5 0.1", "1 320 240 20 20", "-1 0.5 0.5 0.1 0.1", "1.5 0 0 1 1"]
)
def test_a_wrong_label_is_named_with_its_line(line: str, found: Found, tmp_path: Path) -> None:
    folder = dataset(tmp_path, found)
    (folder / "labels" / "shapes.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(UsageError, match=r"shapes\.txt:2: .* is no label"):
        read_dataset(folder)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.yaml", None, "does not exist"),
        ("a.yaml", "path: [", "cannot be read as a dataset YAML"),
        ("a.yaml", "names: [a]", 'it needs "val"'),
        ("a.yaml", "val: nowhere\nnames: [a]", "does not exist"),
        ("a.yaml", "val: .\nnames: {a: b}", "names must be"),
        ("a.json", "{}", "no COCO annotation file"),
        ("a.json", '{"images": [], "annotations": [], "categories": []}', "lists no images"),
        ("a.json", '{"images": [{"id": 1, "file_name": "q.jpg"}], "annotations": [], "categories": []}', "say where"),
        ("folder", "", "no annotated pictures"),
    ],
)
def test_a_bad_dataset_is_refused_in_one_sentence(name: str, content: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_text(content)
        (tmp_path / "a.png").write_bytes(demo_picture().read_bytes())
    with pytest.raises(UsageError) as caught:
        read_dataset(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_classes_are_refused(detector: Detector, found: Found, tmp_path: Path) -> None:
    dataset(tmp_path / "data", found)
    yaml = tmp_path / "data.yaml"
    yaml.write_text("path: data\nval: images\nnames: [cat, dog]\n")
    with pytest.raises(UsageError, match=r"80 classes and .* 2"):
        evaluate(detector, yaml)


@pytest.mark.slow
def test_the_trained_model_scores_what_ultralytics_says() -> None:
    """0.4194 and 0.5736 are its own validator's figures (benchmarks/map.py runs both)."""
    model, data = DATA / "yolov8n-coco-640.onnx", DATA / "coco-val128"
    if not model.is_file() or not data.is_dir():
        pytest.skip("the trained test model and its pictures are not here")
    scores = evaluate(open_detector(model, optimise=True), data)
    assert scores.map50_95 == pytest.approx(0.4194, abs=0.002)
    assert scores.map50 == pytest.approx(0.5736, abs=0.002)
