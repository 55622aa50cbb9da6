"""Exports of tiny networks: what is written, what is recorded, what is proven, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.errors import ProofFailed, UsageError
from graphkit.export import ExportOptions, ExportReport, Job, export, tracing
from graphkit.export.exporting import KEY
from graphkit.export.opsets import exporter_limit, survey
from graphkit.export.tracing import Traced
from graphkit.model import Model

pytest.importorskip("ultralytics", reason="ultralytics is not installed (pip install onnx-graphkit[export])")

from tests.export.tiny import tiny

SMALL = ExportOptions(imgsz=(64, 64))
FAST = Job(verify=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def source(folder: Path) -> Path:
    return tiny(folder)


@pytest.fixture(scope="module")
def weights(folder: Path, source: Path) -> Path:
    """The same network as a checkpoint, alone in a folder."""
    from graphkit.export.networks import open_network
    from graphkit.export.source import find_source

    (folder / "weights").mkdir()
    (folder / "build").mkdir()
    _, made = open_network(find_source(str(source)), folder / "build", seed=3)
    target = folder / "weights" / "own.pt"
    made.replace(target)
    return target


@pytest.fixture(scope="module")
def report(folder: Path, source: Path) -> ExportReport:
    return export(str(source), SMALL, folder / "first.onnx")


def values(path: Path) -> dict[str, Any]:
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in Model.load(path).proto().graph.initializer}


def test_the_file_is_what_was_asked_for(report: ExportReport) -> None:
    model = Model.load(report.output)
    model.check()
    assert model.opset == report.opset == survey().best().opset
    assert [(item.name, item.shape) for item in report.inputs] == [("images", (1, 3, 64, 64))]
    assert [(item.name, item.shape) for item in report.outputs] == [("output0", (1, 7, 84))]
    assert report.nodes == model.node_count
    assert {"names", "stride", "task", "imgsz"} <= set(model.metadata)


def test_it_is_proven_by_numbers_and_detections(report: ExportReport) -> None:
    proof = report.proof
    assert proof is not None
    assert [item.holds for item in proof.compared] == ["boxes", "scores"]
    assert all(0 <= item.relative_l2 <= item.tolerance == 1e-4 for item in proof.compared)
    assert proof.worst > 0
    assert [item.ignored > 0 for item in proof.compared] == [False, True]
    assert proof.detections >= 10
    assert proof.feeds == ("random", "shapes.png")
    assert any("untrained" in note for note in proof.notes)


def test_every_option_is_told_with_its_reason(report: ExportReport) -> None:
    told = {choice.option: (choice.value, choice.why) for choice in report.choices}
    assert list(told) == ["imgsz", "batch", "dynamic", "opset", "half", "simplify", "nms", "device"]
    assert told["imgsz"] == ("64 × 64", "asked for")
    assert "runtimes" in told["opset"][1]
    assert all(why for _, why in told.values())


def test_what_it_takes_to_do_it_again_is_recorded(report: ExportReport, source: Path) -> None:
    text = Model.load(report.output).metadata[KEY]
    record = json.loads(text)
    assert record["source"] == source.name
    assert record["sha256"] == report.sha256
    assert record["seed"] == 0
    assert record["options"] == {
        "imgsz": [64, 64],
        "batch": 1,
        "dynamic": False,
        "half": False,
        "opset": survey().best().opset,
        "simplify": False,
        "nms": None,
        "device": "cpu",
    }
    assert {"graphkit", "ultralytics", "torch", "onnx"} <= set(record["versions"])
    assert record["verified"]["detections"] > 0
    assert str(source.parent) not in text
    everything = "".join(Model.load(report.output).metadata.values())
    assert str(source.parent) not in everything
    assert "graphkit-" not in everything  # nor the temporary folder


def test_one_seed_gives_the_same_weights_and_another_others(folder: Path, source: Path, report: ExportReport) -> None:
    again, other = folder / "again.onnx", folder / "other.onnx"
    export(str(source), SMALL, again, FAST)
    export(str(source), SMALL, other, replace(FAST, seed=1))
    first, second, third = (values(Path(path)) for path in (report.output, again, other))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert any(not np.array_equal(first[name], third[name]) for name in first if name in third)


def test_nothing_is_written_beside_the_weights(folder: Path, weights: Path) -> None:
    before = weights.read_bytes()
    made = export(str(weights), SMALL, folder / "own.onnx", FAST)
    assert [path.name for path in weights.parent.iterdir()] == ["own.pt"]
    assert weights.read_bytes() == before
    assert not made.untrained
    assert made.seed is None
    assert made.proof is None


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports whose scores are a thousandth too high."""
    real = tracing.trace

    def wrong(*arguments: Any, **options: Any) -> Traced:
        found = real(*arguments, **options)
        model = found.model.copy()
        sigmoid = next(
            node for node in model.graph.nodes if node.op == "Sigmoid" and node.outputs[0].outputs[0].op == "Concat"
        )
        scores, name = sigmoid.outputs[0], sigmoid.outputs[0].name
        import onnx_graphsurgeon as gs

        scores.name = f"{name}_right"
        moved = gs.Variable(f"{name}_wrong", dtype=np.float32)
        for reader in list(scores.outputs):
            reader.inputs = [moved if item is scores else item for item in reader.inputs]
        factor = gs.Constant("factor", np.array(1.001, np.float32))
        model.graph.nodes.append(gs.Node("Mul", "wrong", inputs=[scores, factor], outputs=[moved]))
        model.graph.toposort()
        model.commit()
        return replace(found, model=model)

    monkeypatch.setattr("graphkit.export.exporting.trace", wrong)


@pytest.mark.usefixtures("broken")
def test_a_wrong_export_is_not_written(folder: Path, source: Path) -> None:
    target = folder / "wrong.onnx"
    target.write_bytes(b"as it was")
    with pytest.raises(
        ProofFailed, match=r"does not compute what yolov8n.yaml does in PyTorch: .*scores.*Nothing was written"
    ):
        export(str(source), SMALL, target)
    assert target.read_bytes() == b"as it was"


@pytest.mark.usefixtures("broken")
def test_without_the_proof_it_is(folder: Path, source: Path) -> None:
    assert export(str(source), SMALL, folder / "unproven.onnx", FAST).proof is None


def test_beyond_torch_pin_opset_goes_on(folder: Path, source: Path) -> None:
    wanted = exporter_limit() + 2
    made = export(str(source), replace(SMALL, opset=wanted), folder / "newer.onnx")
    assert (made.opset, made.traced_opset) == (wanted, exporter_limit())
    assert made.proof is not None
    assert any("pin-opset" in note for note in made.notes)


def test_the_lowest_opset_that_works_is_found(folder: Path, source: Path) -> None:
    with pytest.raises(
        UsageError, match=r"cannot be exported at opset 7: .*opset 9 is the lowest that works.*--opset 9"
    ):
        export(str(source), replace(SMALL, opset=7), folder / "old.onnx", FAST)
    assert not (folder / "old.onnx").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"imgsz": (330, 320)}, "imgsz 330 is no multiple of 32, the largest stride of yolov8n.yaml; 320 and 352 are"),
        ({"imgsz": (16, 32)}, "imgsz 16 is no multiple of 32, .*; 32 is"),
        ({"nms": False}, "which yolov8n.yaml has none of"),
        ({"opset": 99}, "opset 99 is asked for, and the newest that onnx"),
        ({"device": "nonsense"}, 'device is "nonsense", which torch does not know'),
        ({"device": "0,1"}, "takes one device"),
    ],
)
def test_options_that_do_not_fit(folder: Path, source: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        export(str(source), replace(SMALL, **options), folder / "none.onnx", FAST)
    assert not (folder / "none.onnx").exists()


def test_cuda_that_is_not_there(folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"device 0 was asked for, and CUDA is not there: .*Leave device out"):
        export(str(source), replace(SMALL, device="0"), folder / "none.onnx", FAST)


def test_simplify_without_onnxslim(folder: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphkit.export.choosing.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install onnxslim"):
        export(str(source), replace(SMALL, simplify=True), folder / "none.onnx", FAST)


def test_the_source_is_never_the_target(weights: Path) -> None:
    before = weights.read_bytes()
    with pytest.raises(UsageError, match="is the source itself"):
        export(str(weights), SMALL, weights, FAST)
    assert weights.read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n", "yolo26n", "yolov8n-seg", "yolov8n-pose", "yolov8n-obb"])
@pytest.mark.parametrize("dynamic", [False, True])
def test_every_family_is_proven(tmp_path: Path, name: str, dynamic: bool) -> None:
    made = export(str(tiny(tmp_path, name)), replace(SMALL, dynamic=dynamic), tmp_path / "made.onnx")
    assert made.proof is not None
    assert len(made.proof.feeds) == (5 if dynamic else 2)
    assert made.proof.worst <= 1e-4
    assert [need.runtime for need in made.needs][:2] == (["TensorRT", "OpenVINO"] if dynamic else [])


@pytest.mark.slow
def test_the_choice_of_a_one_to_one_head(tmp_path: Path) -> None:
    made = export(str(tiny(tmp_path, "yolo26n")), replace(SMALL, nms=False), tmp_path / "made.onnx")
    assert made.outputs[0].shape == (1, 84, 6)
    assert made.proof is not None
    assert made.proof.detections >= 84


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n", "yolov8n-seg", "yolov8n-obb"])
def test_half_is_held_against_float32(tmp_path: Path, name: str) -> None:
    made = export(str(tiny(tmp_path, name)), replace(SMALL, half=True), tmp_path / "made.onnx")
    assert made.proof is not None
    assert "float16" in made.proof.precision
    assert made.proof.worst > 1e-6
    Model.load(tmp_path / "made.onnx").check()
    onnx.checker.check_model(Model.load(tmp_path / "made.onnx").proto())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["yolov8n", "yolov8n-seg", "yolov8n-pose", "yolov8n-obb"])
@pytest.mark.parametrize("options", [{}, {"dynamic": True, "batch": 2}, {"half": True}])
def test_nms_is_held_against_ultralytics_own(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    made = export(str(tiny(tmp_path, name)), replace(SMALL, nms=True, **options), tmp_path / "made.onnx")
    assert made.proof is not None
    assert "ultralytics' own NMS" in made.proof.against
    assert made.proof.detections > 0
    assert any("embed-nms" in note for note in made.notes)
