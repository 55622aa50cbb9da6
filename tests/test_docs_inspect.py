"""docs/inspect.md: its commands run, and its warnings are those that there are."""

import re
import shlex
from pathlib import Path

import numpy as np
import onnx
import pytest

from graphkit.analysis.statistics import Finding
from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[1] / "docs" / "inspect.md").read_text()
COMMANDS = [line.removeprefix("$ ") for line in re.findall(r"^\$ .+$", PAGE, re.M)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model of the page's names, and one whose height and width are open."""
    weight = onnx.numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "model.0.conv.weight")
    node = onnx.helper.make_node("Conv", ["images", weight.name], ["y"], "/model.0/conv/Conv")
    for name, sizes in (("model", (64, 64)), ("dynamic", ("height", "width"))):
        images = onnx.helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, *sizes])
        out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4, None, None])
        graph = onnx.helper.make_graph([node], "g", [images], [out], [weight])
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        (tmp_path / f"{name}.onnx").write_bytes(model.SerializeToString())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(line: str) -> None:
    words = shlex.split(line, comments=True)
    assert words[0] == "graphkit"
    result = graphkit(*words[1:])
    assert result.status == 0, result.stderr
    assert result.stdout


@pytest.mark.usefixtures("folder")
def test_the_given_sizes_count() -> None:
    told = graphkit("inspect", "dynamic.onnx", "--size", "height=480", "--size", "width=640", "--json").json()
    assert told["statistics"]["total"]["macs"] == 4 * 478 * 638 * 27


def test_the_warnings_are_those_that_there_are() -> None:
    table = PAGE.partition("## Warnings")[2]
    first = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = set(re.findall(r"`([\w-]+)`", " ".join(first)))
    assert listed == set(re.findall(r'"([\w-]+)"', Finding.__doc__ or ""))
