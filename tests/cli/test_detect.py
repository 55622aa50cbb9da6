"""`graphkit detect` as a user meets it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from graphkit.demo import demo_detector, demo_picture
from tests.cli.command import command, graphkit
from tests.detectors.shapes import SHAPES, written
from tests.images.pictures import rotated_jpeg, saved, truncated_jpeg


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    (tmp_path / "detector.onnx").write_bytes(demo_detector())
    (tmp_path / "shapes.png").write_bytes(demo_picture().read_bytes())
    return tmp_path


def test_a_picture_is_drawn_and_counted(demo: Path) -> None:
    result = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "-o", demo / "out")
    assert (result.status, result.stderr) == (0, "")
    assert "13 detections on 1 picture" in result.stdout
    drawn = np.asarray(Image.open(demo / "out" / "shapes.png"), np.int64)
    plain = np.asarray(Image.open(demo_picture()).convert("RGB"), np.int64)
    assert drawn.shape == plain.shape
    assert 0 < (np.abs(drawn - plain).max(axis=-1) > 8).mean() < 0.3
    told = json.loads((demo / "out" / "detections.json").read_text())
    assert len(told["images"][0]["detections"]) == 13


def test_json_is_one_plain_structure(demo: Path) -> None:
    result = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "--json")
    report = result.json()
    assert (result.status, report["task"], report["size"], report["problems"]) == (0, "detect", [320, 320], [])
    (image,) = report["images"]
    assert (image["width"], image["height"], len(image["detections"])) == (640, 480, 13)
    for item in image["detections"]:
        x1, y1, x2, y2 = item["box"]
        assert 0 <= x1 < x2 <= 640
        assert 0 <= y1 < y2 <= 480
        assert 0.25 < item["score"] <= 1
        assert "drawn" not in image
    assert list(demo.iterdir()) != []
    assert not (demo / "out").exists()


def test_options_choose_what_is_found(demo: Path) -> None:
    def count(*options: object) -> int:
        report = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "--json", *options).json()
        return len(report["images"][0]["detections"])

    whole = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "--json").json()["images"][0]["detections"]
    name, label = whole[0]["name"], whole[0]["class"]
    same = sum(item["class"] == label for item in whole)
    assert count("--classes", name) == count("--classes", label) == same
    assert count("--classes", f"{name},{label}") == same
    assert count("--max-detections", 3) == 3
    assert count("--confidence", 0.99) < 13 <= count("--confidence", 0.01)
    assert count("--semantics", "multi-label", "--confidence", 0.001) > count("--confidence", 0.001, "--iou", 0.1)


def test_what_the_model_has_decided_is_said(demo: Path) -> None:
    model = written(demo / "detector.onnx", SHAPES["onnx, four"], demo / "nms.onnx")
    result = graphkit("detect", model, demo / "shapes.png", "--iou", 0.5)
    assert result.status == 0
    assert "--iou and --semantics change nothing" in result.sentence
    assert "13 detections" in result.stdout


def test_bad_pictures_are_named_and_the_rest_goes_on(demo: Path) -> None:
    folder = demo / "pictures"
    folder.mkdir()
    (folder / "a-empty.jpg").write_bytes(b"")
    truncated_jpeg(folder / "b-broken.jpg")
    (folder / "c-good.png").write_bytes(demo_picture().read_bytes())
    with Image.open(demo_picture()) as image:
        saved(folder / "d-cmyk.jpg", image.convert("CMYK"), quality=95)
        saved(folder / "e-gif.gif", image.convert("P"))
    saved(folder / "f-16bit.png", Image.fromarray(np.full((40, 60), 40000, np.uint16)))
    saved(folder / "g-1x1.png", Image.new("RGB", (1, 1)))
    saved(folder / "h-wide.png", Image.new("RGB", (20000, 10)))
    rotated_jpeg(folder / "i-exif.jpg")
    (folder / "notes.txt").write_text("not asked for")
    result = graphkit("detect", demo / "detector.onnx", folder, "-o", demo / "out", "--json")
    report = result.json()
    assert result.status == 1
    assert [Path(item["path"]).name for item in report["problems"]] == ["a-empty.jpg", "b-broken.jpg"]
    assert len(result.sentence.splitlines()) == 2
    found = {Path(item["path"]).name: item for item in report["images"]}
    assert len(found) == 7
    assert len(found["c-good.png"]["detections"]) == 13
    assert len(found["d-cmyk.jpg"]["detections"]) > 8
    assert (found["i-exif.jpg"]["width"], found["i-exif.jpg"]["height"]) == (48, 64)
    assert {path.name for path in (demo / "out").iterdir()} == {
        "c-good.png", "d-cmyk.jpg", "e-gif.png", "f-16bit.png", "g-1x1.png", "h-wide.png", "i-exif.jpg",
        "detections.json",
    }  # fmt: skip


def test_coco_results_take_their_ids_from_names_or_annotations(demo: Path) -> None:
    saved(demo / "000042.png", Image.open(demo_picture()))
    target = demo / "results.json"
    graphkit("detect", demo / "detector.onnx", demo / "000042.png", demo / "shapes.png", "--coco", target)
    rows = json.loads(target.read_text())
    assert {row["image_id"] for row in rows} == {42, "shapes"}
    assert all(row["bbox"][2] > 0 and row["bbox"][0] + row["bbox"][2] <= 640.01 for row in rows)
    names = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "--json").json()["images"][0]["detections"]
    from graphkit.detectors import open_detector

    detector = open_detector(demo / "detector.onnx")
    content = {
        "images": [{"id": 9, "file_name": "shapes.png"}],
        "categories": [{"id": 500 - index, "name": name} for index, name in detector.names.items()],
    }
    (demo / "a.json").write_text(json.dumps(content))
    line = ("detect", demo / "detector.onnx", demo / "shapes.png", "--coco", target, "--annotations", demo / "a.json")
    assert graphkit(*line).status == 0
    rows = json.loads(target.read_text())
    assert [row["image_id"] for row in rows] == [9] * 13
    assert [row["category_id"] for row in rows] == [500 - item["class"] for item in names]
    other = graphkit(*line, demo / "000042.png")
    assert other.status == 2
    assert "000042.png is not among the images" in other.sentence


def test_coco_results_are_read_by_an_evaluator(demo: Path) -> None:
    coco = pytest.importorskip("hotcoco")
    target = demo / "results.json"
    graphkit("detect", demo / "detector.onnx", demo / "shapes.png", "--coco", target)
    rows = json.loads(target.read_text())
    truth = coco.COCO(
        {
            "images": [{"id": 1, "width": 640, "height": 480}],
            "categories": [{"id": index, "name": str(index)} for index in range(80)],
            "annotations": [
                {**row, "id": number + 1, "image_id": 1, "iscrowd": 0, "area": row["bbox"][2] * row["bbox"][3]}
                for number, row in enumerate(rows)
            ],
        }
    )
    results = truth.load_res([{**row, "image_id": 1} for row in rows])
    assert len(results.get_ann_ids()) == 13


def test_two_pictures_of_one_name_are_both_drawn_and_none_is_overwritten(demo: Path) -> None:
    (demo / "other").mkdir()
    (demo / "other" / "shapes.png").write_bytes(demo_picture().read_bytes())
    line = ("detect", demo / "detector.onnx", demo / "shapes.png", demo / "other" / "shapes.png")
    assert graphkit(*line, "-o", demo / "out").status == 0
    assert {path.name for path in (demo / "out").iterdir()} == {"shapes.png", "shapes-2.png", "detections.json"}
    result = graphkit(*line, "-o", demo)
    assert result.status == 2
    assert "is one of the pictures to be read" in result.sentence
    assert (demo / "shapes.png").read_bytes() == demo_picture().read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--classes", "tringle"], "knows no class"),
        (["--semantics", "best"], "best-class, multi-label and class-agnostic"),
        (["--size", "big"], "is no size"),
        (["--size", "640"], "320 × 320 only"),
        (["--batch", "4"], "takes 1 at once, not 4"),
        (["--annotations", "a.json"], "--coco"),
        (["--no-draw"], "--output DIR"),
        (["--provider", "WrongExecutionProvider"], "no WrongExecutionProvider"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: list[str], words: str, demo: Path) -> None:
    result = graphkit("detect", demo / "detector.onnx", demo / "shapes.png", *options)
    assert result.status == 2
    assert words in result.sentence
    assert len(result.sentence.splitlines()) == 1


@pytest.mark.parametrize(
    ("model", "picture", "words"),
    [
        ("none.onnx", "shapes.png", "none.onnx does not exist"),
        ("detector.onnx", "none", "none does not exist"),
        ("detector.onnx", "*.webp", "does not exist"),
        ("shapes.png", "shapes.png", "shapes.png"),
        ("empty.pt", "shapes.png", "is empty (0 bytes)"),
    ],
)
def test_what_is_not_there_or_not_right_is_said(model: str, picture: str, words: str, demo: Path) -> None:
    (demo / "empty.pt").write_bytes(b"")
    result = graphkit("detect", demo / model, demo / picture)
    assert result.status == 2
    assert words in result.sentence
    assert len(result.sentence.splitlines()) == 1


@pytest.mark.parametrize("columns", [60, 140])
def test_it_fits_the_terminal(columns: int, demo: Path) -> None:
    result = command("detect", "detector.onnx", "shapes.png", cwd=demo, COLUMNS=str(columns))
    assert result.status == 0
    assert max(len(line) for line in result.stdout.splitlines()) <= columns
    assert "shapes.png" in result.stdout
