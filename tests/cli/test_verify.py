"""`graphkit verify`: exit status, JSON, the picture, and bad input."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from graphkit.demo import demo_detector, demo_picture
from tests.cli.command import graphkit


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The shipped detector, and the same with two classes of one level swapped."""
    folder = tmp_path_factory.mktemp("pair")
    left, right = folder / "a.onnx", folder / "b.onnx"
    left.write_bytes(demo_detector())
    proto = onnx.load_from_string(demo_detector())
    for tensor in proto.graph.initializer:
        if tensor.name.startswith("model.22.cv3.") and tensor.name.endswith((".2.weight", ".2.bias")):
            values = numpy_helper.to_array(tensor).copy()
            values[[3, 7]] = values[[7, 3]]
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    right.write_bytes(proto.SerializeToString())
    return left, right


def test_the_same_model(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", pair[0], pair[0], "--images", demo_picture())
    assert found.status == 0
    assert "a.onnx and a.onnx are the same" in found.stdout
    assert "What is wrong" not in found.stdout
    assert "run on random, shapes.png" in found.stdout


def test_what_is_wrong_is_said(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", *pair)
    assert found.status == 1
    assert "classes 3 (" in found.stdout
    assert "are swapped" in found.stdout


def test_json(pair: tuple[Path, Path]) -> None:
    found = graphkit("verify", *pair, "--json", "--seed", 5, "--confidence", 0.4)
    assert found.status == 1
    report = found.json()
    assert report["equal"] is False
    assert [(item["where"], item["kind"], item["classes"]) for item in report["findings"]] == [
        ("scores", "permutation", [3, 7])
    ]
    assert {part["holds"]: part["ok"] for part in report["parts"]} == {"boxes": True, "scores": False}
    assert report["sides"]["left"] == "a.onnx"


def test_a_picture_of_both(pair: tuple[Path, Path], tmp_path: Path) -> None:
    target = tmp_path / "worst.png"
    assert graphkit("verify", *pair, "--picture", target).status == 1
    drawn = np.asarray(Image.open(target).convert("RGB"))
    assert drawn.shape[1] == 960
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 100


def test_a_picture_that_cannot_be_written_is_refused_first(pair: tuple[Path, Path], tmp_path: Path) -> None:
    found = graphkit("verify", *pair, "--picture", tmp_path / "worst.txt")
    assert found.status == 2
    assert "no suffix of a picture" in found.sentence
    assert graphkit("verify", *pair, "--picture", tmp_path / "none" / "worst.png").status == 2


def test_nothing_in_common(pair: tuple[Path, Path], tmp_path: Path) -> None:
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 320, 320])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 3, 320, 320])
    graph = helper.make_graph([helper.make_node("Relu", ["images"], ["out"])], "g", [picture], [out])
    other = tmp_path / "other.onnx"
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    other.write_bytes(proto.SerializeToString())
    found = graphkit("verify", pair[0], other)
    assert found.status == 2
    assert "have nothing in common that could be compared" in found.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "0 bytes"), (b"hello", "no PyTorch file")],
)
def test_a_bad_pt(pair: tuple[Path, Path], tmp_path: Path, content: bytes, words: str) -> None:
    bad = tmp_path / "bad.pt"
    bad.write_bytes(content)
    found = graphkit("verify", pair[0], bad)
    assert found.status == 2
    assert words in found.sentence


def test_missing_files(pair: tuple[Path, Path], tmp_path: Path) -> None:
    assert graphkit("verify", pair[0], tmp_path / "none.onnx").status == 2
    found = graphkit("verify", *pair, "--images", tmp_path / "none.jpg")
    assert found.status == 2
    assert "none.jpg does not exist" in found.sentence
    assert graphkit("verify", *pair, "--imgsz", "large").status == 2


def test_precision_on_a_data_set(pair: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("hotcoco")
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    with Image.open(demo_picture()) as image:
        image.save(tmp_path / "images" / "shapes.png")
    (tmp_path / "labels" / "shapes.txt").write_text("3 0.5 0.5 0.2 0.2\n7 0.2 0.2 0.1 0.1\n")
    names = "\n".join(f"  {index}: c{index}" for index in range(80))
    (tmp_path / "data.yaml").write_text(f"path: {tmp_path}\nval: images\nnames:\n{names}\n")
    found = graphkit("verify", pair[0], pair[0], "--data", tmp_path / "data.yaml", "--json")
    assert found.status == 0, found.stderr
    report = found.json()["precision"]
    assert report["images"] == 1
    assert report["left50_95"] == report["right50_95"]


def test_the_commands_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2] / "docs" / "verify.md"
    monkeypatch.chdir(tmp_path)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S) for line in block.splitlines()]
    assert len(lines) == 3
    for line in lines:
        found = graphkit(*shlex.split(line)[1:])
        assert found.status == 0, f"{line}\n{found.stderr}"
    assert "are the same" in found.stdout
