"""Models over protobuf's limit, with the limit lowered: they are run from disk, and their weights are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from graphkit.model import external, save
from tests.cli.command import graphkit
from tests.model.beside import save_beside

SIDE = 64
PIPELINE = "version: 1\npasses:\n  - sort\n  - remove-identity\n  - remove-transposes\n"


def model() -> ModelProto:
    """An Identity to remove, and 16 KiB of weights."""
    weights = np.random.default_rng(0).standard_normal([SIDE, SIDE]).astype(np.float32)
    nodes = [helper.make_node("Identity", ["x"], ["a"]), helper.make_node("MatMul", ["a", "w"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, SIDE]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [numpy_helper.from_array(weights, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What onnxruntime is given: bytes, or the path of a file."""
    given: list[Any] = []
    real = ort.InferenceSession

    def session(model: Any, *more: Any, **named: Any) -> Any:
        given.append(model)
        return real(model, *more, **named)

    monkeypatch.setattr(ort, "InferenceSession", session)
    return given


def run(path: Path, output: Path, *more: str) -> Any:
    pipeline = path.parent / "pipeline.yaml"
    pipeline.write_text(PIPELINE)
    result = graphkit("run", pipeline, path, "-o", output, "--json", *more)
    assert result.status == 0, result.stderr
    return result.json()


def test_what_no_message_can_hold_is_proven_from_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: list[Any]
) -> None:
    onnx.save(model(), tmp_path / "m.onnx")
    monkeypatch.setattr(save, "LIMIT", 4000)
    report = run(tmp_path / "m.onnx", tmp_path / "out.onnx")
    assert report["verified"]
    assert [item["rewrites"] for item in report["passes"]] == [0, 1, 0]
    assert len(loaded) == 2
    assert all(isinstance(item, str) for item in loaded)
    assert not any(Path(item).exists() for item in loaded)
    assert (tmp_path / "out.onnx.data").stat().st_size == SIDE * SIDE * 4


def test_external_weights_are_run_where_they_are_and_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: list[Any]
) -> None:
    path = save_beside(model(), tmp_path)
    monkeypatch.setattr(save, "LIMIT", 4000)
    before = {item.name: item.stat() for item in tmp_path.iterdir()}
    monkeypatch.setattr(external, "read", lambda *_: pytest.fail("weights are mapped that nobody needs"))
    run(path, tmp_path / "out.onnx")
    assert len(loaded) == 2
    assert all(isinstance(item, bytes) and len(item) < 4000 for item in loaded)
    after = {item.name: item.stat() for item in tmp_path.iterdir()}
    assert set(after) - set(before) == {"out.onnx", "pipeline.yaml"}
    assert all(
        (after[name].st_mtime_ns, after[name].st_ino) == (was.st_mtime_ns, was.st_ino) for name, was in before.items()
    )


def test_in_another_folder_the_weights_are_copied_once(tmp_path: Path, loaded: list[Any]) -> None:
    path = save_beside(model(), tmp_path)
    folder = tmp_path / "there"
    folder.mkdir()
    for _ in range(2):
        run(path, folder / "out.onnx", "--no-verify")
    assert not loaded
    (data,) = [item for item in folder.iterdir() if item.name != "out.onnx"]
    assert data.read_bytes() == (tmp_path / data.name).read_bytes()
