"""`graphkit inspect`: what was seen, in words and as JSON; exit 0 where nothing is known."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.cli.command import command, graphkit
from tests.heads.anchored import anchored
from tests.heads.build import detector

SMALL = '<ir_version: 8, opset_import: ["" : 17]> g (float[n,3,8,8] x) => (float[n,4,6,6] y) { [only] y = Conv (x, w) }'


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


def small(folder: Path) -> Path:
    """One Conv with an open batch."""
    model = onnx.parser.parse_model(SMALL)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w"))
    return save(folder, model)


def test_says_what_it_costs(tmp_path: Path) -> None:
    path = small(tmp_path)
    words = " ".join(graphkit("inspect", path).stdout.split())
    assert "MACs 3.89 k a run (7.78 kFLOPs)" in words
    assert "parameters 108" in words
    assert "n (x[0]), counted with 1: one image" in words
    statistics = graphkit("inspect", path, "--json", "--size", "n=3").json()["statistics"]
    assert statistics["total"]["macs"] == 3 * 4 * 36 * 27
    assert statistics["dynamic"] == [{"name": "n", "places": ["x[0]"], "size": 3, "source": "given"}]


def test_looks_closer(tmp_path: Path) -> None:
    path = small(tmp_path)
    result = graphkit("inspect", path, "--node", "only", "--op", "Conv", "--tensor", "w")
    words = " ".join(result.stdout.split())
    assert result.status == 0
    assert "input X x float [n,3,8,8] an input of the model" in words
    assert "Conv 1 node" in words
    assert "range 1 to 1" in words
    told = graphkit("inspect", path, "--node", "only", "--tensor", "w", "--json").json()
    assert [node["label"] for node in told["nodes"]] == ["only"]
    assert told["tensors"][0]["values"]["mean"] == 1
    assert told["operators"] == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--node", "onyl"), 'model.onnx has no node "onyl"; did you mean "only"?'),
        (("--size", "m=2"), 'model.onnx has no dimension "m" that is open. Name one of n.'),
        (("--size", "n=0"), '--size takes a name and a number from 1, as in height=640, not "n=0".'),
        (("--size", "7"), '--size takes a name and a number from 1, as in height=640, not "7".'),
        (("--size", "n=2", "--op", "Conv"), "--size changes what the whole model costs"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = graphkit("inspect", small(tmp_path), *arguments)
    assert result.status == 2
    assert result.stdout == ""
    assert sentence in " ".join(result.sentence.split())


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_the_terminal(tmp_path: Path, width: int) -> None:
    path = save(tmp_path, detector(metadata={"names": "{0: 'cat', 1: 'dog', 2: 'owl'}"}))
    result = command("inspect", path, COLUMNS=str(width), NO_COLOR="1")
    assert result.status == 0, result.stderr
    assert max(map(len, result.stdout.splitlines())) <= width
    assert ("computed" in result.stdout) == (width >= 76)


def test_in_a_pipe_nothing_is_cut_and_nothing_coloured(tmp_path: Path) -> None:
    nodes = [onnx.helper.make_node("Neg", [f"t{index}"], [f"t{index + 1}"]) for index in range(40)]
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info("t0", onnx.TensorProto.FLOAT, [2])],
        [onnx.helper.make_tensor_value_info("t40", onnx.TensorProto.FLOAT, [2])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    result = command("inspect", save(tmp_path, onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8)))
    assert "\x1b" not in result.stdout
    assert "…" not in result.stdout
    words = " ".join(result.stdout.split())
    assert all(f"Neg → t{index}" in words for index in range(1, 41))


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(SMALL)
    evil = "\x1b[31m[bold]w\n"
    model.graph.node[0].name = evil
    model.graph.node[0].input[1] = evil
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), evil))
    path = save(tmp_path, model)
    for arguments in ((), ("--node", evil), ("--tensor", evil), ("--op", "Conv")):
        result = graphkit("inspect", path, *arguments)
        assert result.status == 0
        assert "\x1b" not in result.stdout
        if arguments:
            assert "�[31m[bold]w�" in result.stdout


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = graphkit("inspect", tmp_path / "none.onnx", "--json")
    assert result.status == 2
    assert result.json()["error"]["kind"] == "ModelError"
