"""The main job, end to end, on what exporters write: static, dynamic, half, both backends, and a second time."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from graphkit.demo import demo_picture, write_demo
from graphkit.model import Model
from graphkit.verify import Feed, letterbox, make_feeds, run_model
from tests.cli.command import graphkit

Export = Callable[..., Path]
NAMES = ["num_dets", "boxes", "scores", "classes"]


def run_pipeline(name: str, model: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    out = folder / "out.onnx"
    result = graphkit("run", name, model, "-o", out, "--json")
    assert result.status == 0, result.stderr
    return out, result.json()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder / "detector.onnx"


def test_the_demo_detector_finds_objects_in_the_demo_picture(demo: Path, tmp_path: Path) -> None:
    from PIL import Image

    out, report = run_pipeline("yolo-onnxruntime", demo, tmp_path)
    rewritten = [record["name"] for record in report["passes"] if record["rewrites"]]
    assert {"simplify", "split-head", "embed-nms"} <= set(rewritten)
    assert all(record["proof"]["passed"] for record in report["passes"] if record["rewrites"])
    embed = next(record for record in report["passes"] if record["name"] == "embed-nms")
    assert embed["proof"]["detections"]["compared"] >= 50
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == NAMES
    height, width = session.get_inputs()[0].shape[2:]
    image, _, _ = letterbox(Image.open(demo_picture()), height, width)
    found = dict(zip(NAMES, session.run(None, {session.get_inputs()[0].name: image[None]}), strict=True))
    assert found["num_dets"][0, 0] >= 5
    assert (found["scores"][0, : found["num_dets"][0, 0]] > 0.25).all()


def test_both_backends_find_the_same(demo: Path, tmp_path: Path) -> None:
    results = []
    for name in ("yolo-onnxruntime", "yolo-tensorrt"):
        folder = tmp_path / name
        folder.mkdir()
        out, _ = run_pipeline(name, demo, folder)
        model = Model.load(out)
        feeds = make_feeds(model, [demo_picture()])
        results.append(run_model(model, feeds)[-1])
    onnx_found, trt_found = results
    count = int(onnx_found["num_dets"][0, 0])
    assert count == int(trt_found["num_dets"][0, 0]) >= 5
    for output in NAMES[1:]:
        np.testing.assert_allclose(onnx_found[output][0, :count], trt_found[output][0, :count], rtol=1e-5, atol=1e-4)


def test_tensorrt_gets_one_plugin_node_that_the_checker_accepts(demo: Path, tmp_path: Path) -> None:
    out, report = run_pipeline("yolo-tensorrt", demo, tmp_path)
    proto = onnx.load(out)
    onnx.checker.check_model(proto, full_check=True)
    assert [node.op_type for node in proto.graph.node].count("EfficientNMS_TRT") == 1
    assert [output["name"] for output in report["after"]["outputs"]] == NAMES


@pytest.mark.parametrize("name", ["yolo-onnxruntime", "yolo-tensorrt", "cleanup"])
def test_a_second_run_finds_the_work_done(demo: Path, tmp_path: Path, name: str) -> None:
    """simplify may still fold a node that embed-nms has brought; a third run changes nothing at all."""
    paths = [demo, *(tmp_path / f"{count}.onnx" for count in range(3))]
    for before, after in pairwise(paths):
        result = graphkit("run", name, before, "-o", after, "--json")
        assert result.status == 0, result.stderr
        rewrites = {record["name"]: record["rewrites"] for record in result.json()["passes"]}
        if before != demo:
            assert not any(count for pass_name, count in rewrites.items() if pass_name != "simplify")
    assert not any(rewrites.values())
    assert paths[-1].read_bytes() == paths[-2].read_bytes()


def test_another_backend_on_a_finished_model_is_refused(demo: Path, tmp_path: Path) -> None:
    out, _ = run_pipeline("yolo-onnxruntime", demo, tmp_path)
    result = graphkit("run", "yolo-tensorrt", out)
    assert result.status == 1
    assert "out.onnx: " in result.sentence
    assert "Nothing was written" in result.sentence


def test_metadata_survives_and_says_what_was_done(demo: Path, tmp_path: Path) -> None:
    before = Model.load(demo).metadata
    out, report = run_pipeline("yolo-onnxruntime", demo, tmp_path)
    after = Model.load(out).metadata
    assert {key: after[key] for key in before} == before
    assert after["graphkit.source"] == report["source_sha256"]
    assert after["graphkit.pipeline"] == report["pipeline_sha256"]
    assert '"embed-nms"' in after["graphkit.passes"]


def detect(path: Path, images: np.ndarray[Any, Any]) -> dict[str, Any]:
    return run_model(Model.load(path), [Feed("images", {"images": images})])[0]


@pytest.mark.parametrize(
    ("options", "batch", "size"),
    [
        ({"imgsz": 96}, 1, (96, 96)),
        ({"imgsz": 96, "dynamic": True}, 3, (96, 128)),
        ({"imgsz": 96, "half": True}, 1, (96, 96)),
        ({"imgsz": 96, "opset": 12}, 1, (96, 96)),
    ],
    ids=["static", "dynamic", "half", "opset 12"],
)
def test_exports_of_every_kind(
    export: Export, tmp_path: Path, options: dict[str, Any], batch: int, size: tuple[int, int]
) -> None:
    out, report = run_pipeline("yolo-onnxruntime", export("yolov8n", **options), tmp_path)
    assert [output["name"] for output in report["after"]["outputs"]] == NAMES
    half = onnx.load(out).graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT16
    images = np.random.default_rng(0).random((batch, 3, *size)).astype(np.float16 if half else np.float32)
    assert detect(out, images)["boxes"].shape == (batch, 300, 4)


def test_half_precision_in_any_order_of_passes(export: Export, tmp_path: Path) -> None:
    """What keeps float16 roundings in place must survive the removal of Identity nodes behind it."""
    (tmp_path / "p.yaml").write_text(
        "version: 1\npasses: [sort, split-head: {layout: nc, coding: corners}, remove-identity, simplify, embed-nms]\n"
    )
    result = graphkit("run", tmp_path / "p.yaml", export("yolov8n", imgsz=96, half=True), "-o", tmp_path / "o.onnx")
    assert result.status == 0, result.stderr


def test_batch_three_is_three_times_batch_one(export: Export, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "version: 1\npasses:\n  - simplify\n  - split-head\n  - embed-nms: {confidence: 0.0001, iou: 0.5}\n"
    )
    model = export("yolov8n", imgsz=96, dynamic=True, classes=3)
    out = tmp_path / "out.onnx"
    assert graphkit("run", tmp_path / "p.yaml", model, "-o", out).status == 0
    images = np.random.default_rng(1).random((3, 3, 96, 96)).astype(np.float32)
    together = detect(out, images)
    for index in range(3):
        alone = detect(out, images[index : index + 1])
        count = int(alone["num_dets"][0, 0])
        assert count == int(together["num_dets"][index, 0])
        for name in NAMES[1:]:
            np.testing.assert_allclose(
                together[name][index, :count], alone[name][0, :count], rtol=1e-4, atol=1e-3, err_msg=name
            )


def test_an_empty_pipeline_is_the_identity(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("version: 1\npasses: []\n")
    out = tmp_path / "out.onnx"
    assert graphkit("run", tmp_path / "empty.yaml", demo, "-o", out).status == 0
    assert out.read_bytes() == demo.read_bytes()


def test_dry_run_writes_nothing(demo: Path, tmp_path: Path) -> None:
    result = graphkit("run", "cleanup", demo, "--dry-run", "-o", tmp_path / "out.onnx")
    assert result.status == 0
    assert "dry run" in result.stdout
    assert not (tmp_path / "out.onnx").exists()


def test_in_place_replaces_the_model(demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "mine.onnx"
    copy.write_bytes(demo.read_bytes())
    assert graphkit("run", "cleanup", copy, "--in-place").status == 0
    assert len(onnx.load(copy).graph.node) < len(onnx.load(demo).graph.node)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.onnx"]


def test_images_of_the_users_own(demo: Path, tmp_path: Path) -> None:
    result = graphkit("run", "cleanup", demo, "-o", tmp_path / "o.onnx", "--images", demo_picture().parent, "--json")
    assert result.status == 0, result.stderr
    assert any(demo_picture().name in feed for feed in result.json()["feeds"])
