"""docs/coverage.md, docs/fit.md, docs/writing-a-pass.md: what they show runs, on small models."""

import json
import re
from pathlib import Path

import onnx
import pytest

from graphkit.demo import write_demo
from tests.cli.command import graphkit
from tests.pages import DOCS, commands, run


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(path: Path, opset: int, nodes: list[onnx.NodeProto], inputs: dict[str, tuple[int, list[int]]]) -> None:
    """A model with one float output, y."""
    infos = [onnx.helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph(nodes, "g", infos, [out])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def test_the_commands_of_coverage(folder: Path) -> None:
    write_demo(folder)
    (folder / "detector.onnx").rename("yolov8n.onnx")
    (block,) = blocks("coverage.md", "console")
    lines = list(commands(block))
    assert len(lines) == 5
    for line, shown in lines:
        run(line, shown)


def test_the_json_of_coverage(folder: Path) -> None:
    (shown,) = (json.loads(block) for block in blocks("coverage.md", "json"))
    node = onnx.helper.make_node("RoiAlign", ["x", "rois", "batch"], ["y"], "roi")
    kinds = {"x": (1, [1, 2, 8, 8]), "rois": (1, [3, 4]), "batch": (7, [3])}
    save(folder / "roi.onnx", 22, [node], kinds)
    told = graphkit("coverage", "roi.onnx", "--runtime", "onnxruntime-cpu@1.32", "--json").json()
    assert told == shown


def test_the_command_of_fit(folder: Path) -> None:
    write_demo(folder)
    pipeline = "version: 1\npasses:\n  - split-head\n  - embed-nms\n"
    Path("nms.yaml").write_text(pipeline)
    assert graphkit("run", "nms.yaml", "detector.onnx", "-o", "yolov8n.graphkit.onnx", "--no-verify").status == 0
    (block,) = blocks("fit.md", "console")
    ((line, shown),) = commands(block)
    run(line, shown)
    assert (folder / "yolov8n.burn.onnx").is_file()


def test_the_example_of_a_pass(folder: Path) -> None:
    (example,) = blocks("writing-a-pass.md", "python")
    Path("my_pass.py").write_text(example)
    Path("my.yaml").write_text("version: 1\npasses:\n  - replace-relu\n")
    nodes = [onnx.helper.make_node("Relu", ["x"], ["h"]), onnx.helper.make_node("Relu", ["h"], ["y"])]
    save(folder / "model.onnx", 17, nodes, {"x": (1, [1, 4])})
    (line,) = re.findall(r"`(graphkit run my\.yaml [^`]+)`", (DOCS / "writing-a-pass.md").read_text())
    run(f"{line} -o once.onnx", "…\n  ✓  replace-relu  2 Relu replaced  identical\n…\n")
    assert {node.op_type for node in onnx.load(folder / "once.onnx").graph.node if node.op_type != "Constant"} == {
        "Clip"
    }
    again = line.replace("model.onnx", "once.onnx") + " -o twice.onnx"
    run(again, "…\n  –  replace-relu  the graph has no Relu\n…\n")
