"""`graphkit inspect`: what was seen, in words and as JSON; exit 0 where nothing is known."""

from pathlib import Path

import onnx

from tests.cli.command import command, graphkit
from tests.heads.anchored import anchored
from tests.heads.build import detector


def save(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_says_what_the_head_is(tmp_path: Path) -> None:
    path = save(tmp_path, detector(metadata={"names": "{0: 'cat', 1: 'dog', 2: 'owl'}"}))
    result = graphkit("inspect", path)
    assert result.status == 0
    for words in (
        "YOLOv8-style detect (DFL), 3 classes",
        "output0",
        "[1,7,84]",
        "cx cy w h",
        "cat, dog, owl",
        "DFL over 16 bins",
        "8, 16, 32",
    ):
        assert words in " ".join(result.stdout.split())
    head = graphkit("inspect", path, "--json").json()["head"]
    assert (head["family"], head["task"], head["classes"], head["state"]) == ("YOLOv8-style", "detect", 3, "joined")
    assert (head["bins"], head["strides"], head["names"]) == (16, [8, 16, 32], ["cat", "dog", "owl"])


def test_it_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    result = command("inspect", save(tmp_path, anchored()), COLUMNS="80", NO_COLOR="1")
    assert result.status == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "3 anchor boxes a cell" in " ".join(result.stdout.split())
    assert "objectness" in result.stdout


def test_a_model_without_a_head_is_told_and_no_error(tmp_path: Path) -> None:
    text = '<ir_version: 8, opset_import: ["" : 17]> g (float[1,9] x) => (float[1,9] logits) { logits = Relu (x) }'
    path = save(tmp_path, onnx.parser.parse_model(text))
    result = graphkit("inspect", path)
    assert result.status == 0
    assert "no detection head known" in result.stdout
    assert "It looks like a classifier" in result.stdout
    told = graphkit("inspect", path, "--json").json()
    assert (told["head"], told["kind"]) == (None, "classifier")
    assert told["outputs"] == [{"name": "logits", "shape": [1, 9], "meaning": ""}]


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = graphkit("inspect", tmp_path / "none.onnx", "--json")
    assert result.status == 2
    assert result.json()["error"]["kind"] == "ModelError"
