"""`graphkit try`: a model really run, beside what was predicted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from graphkit.runtimes.runners import Runner, registry
from graphkit.trial.comparing import compare_outputs, read_detections
from tests.cli.command import graphkit

TEXT = '<ir_version: 8, opset_import: ["" : 17]> g (float[1,2] x) => (float[1,2] y) {{ y = {op}(x) }}'


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx.parser.parse_model(TEXT.format(op="Abs")).SerializeToString())
    return path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runtimes called "fake wrong", "fake refuse" and so on."""
    for choice in ("", "wrong", "refuse", "crash running", "hang", "other shape", "other types"):
        name = f"fake {choice}".strip()
        runner = Runner(name, "Fake", (("onnx",),), (), "MIT", "tests.runtimes.fake_runtime", choice)
        monkeypatch.setitem(registry._BY_NAME, name, runner)


def test_onnxruntime_runs_it_as_predicted(model: Path) -> None:
    result = graphkit("try", model, "--runtime", "onnxruntime-cpu", "--json")
    assert result.status == 0, result.stderr
    told = result.json()
    assert (told["ending"], told["right"]) == ("right", True)
    assert [(item["output"], item["same"], item["relative_l2"]) for item in told["outputs"]] == [("y", True, 0.0)]
    assert told["table"].startswith("onnxruntime-cpu@")
    assert (told["predicted"], told["as_predicted"]) == ("whole", True)


def test_it_tells_in_words(model: Path) -> None:
    result = graphkit("try", model, "--runtime", "onnxruntime-cpu")
    assert "loads, runs, and computes what onnxruntime computes" in result.stdout
    assert "predicts: it runs whole – as it happened" in result.stdout


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("runtime", "ending", "reason"),
    [
        ("fake", "right", ""),
        ("fake wrong", "wrong", "it computes something else"),
        ("fake other shape", "wrong", ""),
        ("fake refuse", "not loaded", "it has no such operator"),
        ("fake crash running", "crashed", "SIGSEGV while running"),
        ("fake hang", "timeout", "not done running"),
        ("fake other types", "not comparable", "float8"),
    ],
)
def test_endings(model: Path, runtime: str, ending: str, reason: str) -> None:
    result = graphkit("try", model, "--runtime", runtime, "--timeout", "1", "--json")
    told = result.json()
    assert told["ending"] == ending
    assert reason in told["reason"]
    assert result.status == (0 if ending == "right" else 1)
    assert (told["table"], told["predicted"], told["as_predicted"]) == ("", "", None)
    said = graphkit("try", model, "--runtime", runtime, "--timeout", "1").stdout
    assert "There is no support table for fake" in said


def test_what_onnxruntime_cannot_load_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    model = onnx.parser.parse_model(TEXT.format(op="Abs"))
    model.graph.node[0].op_type = "NoSuchThing"
    model.graph.node[0].domain = "my.own"
    model.opset_import.add(domain="my.own", version=1)
    path.write_bytes(model.SerializeToString())
    result = graphkit("try", path, "--runtime", "onnxruntime-cpu", "--json")
    told = result.json()
    assert (result.status, told["ending"]) == (1, "not loaded")
    assert told["predicted"] in ("none", "unknown")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["MODEL", "--runtime", "onnxruntime-cup"], 'did you mean "onnxruntime-cpu"'),
        (["MODEL", "--runtime", "onnxruntime-qnn"], "pip install"),
        (["none.onnx", "--runtime", "onnxruntime-cpu"], "none.onnx"),
        (["MODEL", "--runtime", "onnxruntime-cpu", "--images", "none.jpg"], "none.jpg does not exist"),
    ],
)
def test_bad_usage(model: Path, arguments: list[str], said: str) -> None:
    result = graphkit("try", *[str(model) if item == "MODEL" else item for item in arguments])
    assert result.status == 2
    assert said in result.sentence


# --- comparing


def table(*rows: list[float], pad: int = 0) -> Any:
    return np.array([[*rows, *[[0.0] * 6] * pad]], np.float32)


ONE, TWO = [10, 10, 50, 60, 0.9, 3], [70, 20, 90, 40, 0.8, 1]


def test_detections_are_matched_and_not_subtracted() -> None:
    left, right = {"dets": table(ONE, TWO, pad=2)}, {"dets": table(ONE, TWO, pad=1)}
    (found,) = compare_outputs(left, right, "bus.jpg", ones=False, types=False)
    assert found.same
    assert found.how == "2 of 2 detections the same, IoU ≥ 1.0000"


def test_a_missing_detection_is_found() -> None:
    (found,) = compare_outputs(
        {"dets": table(ONE, TWO)}, {"dets": table(ONE, pad=1)}, "bus.jpg", ones=False, types=False
    )
    assert not found.same or "within a hair" in found.how


def test_four_outputs_are_read_up_to_their_count() -> None:
    boxes = np.array([[ONE[:4], TWO[:4]]], np.float32)
    scores, classes = np.array([[0.9, 0.8]], np.float32), np.array([[3, 1]], np.int32)
    values = {"num_dets": np.array([[1]], np.int32), "boxes": boxes, "scores": scores, "classes": classes}
    (read,) = read_detections(values) or []
    assert (len(read), read.classes.tolist()) == (1, [3])


def test_what_are_no_detections() -> None:
    assert read_detections({"y": np.ones((1, 84, 8400), np.float32)}) is None
    assert read_detections({"a": np.zeros((1, 4)), "b": np.zeros((1, 4))}) is None


def test_rows_of_indices_may_come_in_another_order() -> None:
    left, right = np.array([[0, 0, 5], [0, 1, 2]]), np.array([[0, 1, 2], [0, 0, 5]])
    (found,) = compare_outputs({"i": left}, {"i": right}, "random", ones=False, types=False)
    assert (found.same, found.how) == (True, "the same 2 rows in another order")


def test_shapes_and_types_that_a_runtime_does_not_have() -> None:
    left, right = {"y": np.ones((1, 3), np.float32)}, {"y": np.ones(3, np.float64)}
    assert not compare_outputs(left, right, "random", ones=False, types=False)[0].same
    assert not compare_outputs(left, right, "random", ones=True, types=False)[0].same
    assert compare_outputs(left, right, "random", ones=True, types=True)[0].same
    assert not compare_outputs(left, {}, "random", ones=True, types=True)[0].same


def _compared(left: Any, right: Any) -> bool:
    (found,) = compare_outputs({"y": left}, {"y": right}, "random", ones=False, types=False)
    return found.same


def test_what_sums_leave_over_in_a_dark_part_is_no_difference() -> None:
    """A mask whose last column is all but zero: its error is that of the others, and would be all of it alone."""
    mask = np.full((1, 1, 40, 20), 0.5, np.float32)
    mask[..., -1] = 1e-5
    noise = np.full_like(mask, 1e-5)
    assert _compared(mask, mask + noise)
    lost = mask.copy()
    lost[..., 3] = 0
    assert not _compared(mask, lost)


def test_scores_beside_pixels_are_judged_by_themselves() -> None:
    raw = np.concatenate([np.full((1, 4, 50), 300.0), np.full((1, 1, 50), 0.4)], axis=1).astype(np.float32)
    off = raw.copy()
    off[:, 4] *= 1.05  # a thousandth of a thousandth of the whole
    assert not _compared(raw, off)
    off[:, 4] = raw[:, 4] * 1.005
    assert _compared(raw, off)


def test_infinities_in_the_same_places_are_the_same() -> None:
    left = np.array([[np.inf, 1.0, np.nan]], np.float32)
    assert _compared(left, left * np.float32(1.001))
    assert not _compared(left, np.array([[1.0, 1.0, np.nan]], np.float32))
